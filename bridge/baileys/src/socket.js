/** A socket of Baileys', made as this sidecar needs it. */

import { readFileSync } from 'node:fs'
import { Agent } from 'node:https'

import makeWASocket, { Browsers, DisconnectReason, isJidBroadcast, isJidGroup, isJidNewsletter, proto } from 'baileys'

import { FirstHand } from './first_hand.js'
import { quietLogger } from './log.js'
import { makeSignalRepository } from './signal.js'
import { untilDone } from './until_done.js'

const QUERY_LIMIT = 20_000 // milliseconds, as are all times here
const CONNECT_LIMIT = 20_000
const LOGIN_LIMIT = 45_000 // from nothing to a QR code or an open connection; Baileys limits only a part of it

/** @typedef {import('baileys').WASocket} Socket */

/**
 * @param {object} made
 * @param {string} made.session
 * @param {import('baileys').AuthenticationState} made.auth
 * @param {import('./settings.js').Settings} made.settings
 * @param {(messageId: string) => Promise<Buffer | null>} made.content what was sent under this id, for a phone that asks again
 * @param {(messages: import('baileys').WAMessage[], socket: Socket) => Promise<void>} made.received perhaps more than once
 */
export function makeSocket({ session, auth, settings, content, received }) {
  const { waVersion, waUrl, mediaTestCa } = settings
  const firstHand = new FirstHand(session, () => auth.creds.me, (message) => received([message], socket))
  const socket = makeWASocket({
    auth,
    logger: quietLogger(session),
    browser: Browsers.macOS('Chrome'),
    ...(waVersion && { version: waVersion }),
    ...(waUrl && { waWebSocketUrl: waUrl }),
    ...(mediaTestCa && { fetchAgent: new Agent({ ca: readFileSync(mediaTestCa) }) }),
    makeSignalRepository: (keys, logger, phonesToLids) =>
      makeSignalRepository(keys, logger, phonesToLids, (sealed, plain) => firstHand.decrypted(sealed, plain)),
    connectTimeoutMs: CONNECT_LIMIT,
    defaultQueryTimeoutMs: QUERY_LIMIT,
    markOnlineOnConnect: false, // else the owner's phone would fall silent
    syncFullHistory: false,
    shouldSyncHistoryMessage: ({ syncType }) => syncType !== proto.HistorySync.HistorySyncType.FULL,
    emitOwnEvents: false,
    transactionOpts: { maxCommitRetries: 3, delayBetweenTriesMs: 200 },
    shouldIgnoreJid: (jid) => Boolean(isJidGroup(jid) || isJidBroadcast(jid) || isJidNewsletter(jid)),
    getMessage: async ({ id }) => {
      /** @type {Buffer | null} */
      let found = null
      // Whatever comes of it, Baileys tells WhatsApp that we have heard the phone ask.
      if (id) await untilDone('BRIDGE', 'what a phone asks for again', async () => (found = await content(id)))
      return found ? proto.Message.decode(found) : undefined
    }
  })
  firstHand.hear(socket)
  // Baileys listens to an HTTP answer in place of the upgrade, so that ws does not end the attempt, and does nothing about it.
  // Whatever its status, it says nothing of the pairing.
  socket.ws.on('unexpected-response', (_, response) => {
    response.resume()
    void socket.end(lost('WhatsApp answered by HTTP'))
  })
  const late = setTimeout(() => void socket.end(lost('WhatsApp did not log us in')), LOGIN_LIMIT)
  socket.ev.on('connection.update', ({ qr, connection }) => (qr || connection === 'open') && clearTimeout(late))
  socket.registerSocketEndHandler(() => clearTimeout(late))
  // The ledger has what was sent, for good: in memory it would be kept besides, 10 KB a message.
  if (socket.messageRetryManager) socket.messageRetryManager.addRecentMessage = () => {}
  socket.ev.on('messages.upsert', ({ messages }) => void received(messages, socket))
  return socket
}

/**
 * As Baileys tells of a connection that is lost, which says nothing against the pairing.
 * @param {string} words
 */
function lost(words) {
  return Object.assign(new Error(words), { output: { statusCode: DisconnectReason.connectionLost } })
}

/**
 * Hear of a stanza before Baileys does: what Baileys has acknowledged WhatsApp never brings again.
 * @param {Pick<Socket, 'ws'>} socket
 * @param {string} event
 * @param {(node: import('baileys').BinaryNode) => Promise<void>} heard Baileys waits for it
 */
export function firstToHear({ ws }, event, heard) {
  const theirs = ws.listeners(event)
  ws.removeAllListeners(event)
  ws.on(event, async (node) => {
    await heard(node)
    for (const listener of theirs) listener(node)
  })
}
