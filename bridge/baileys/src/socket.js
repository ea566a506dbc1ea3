/** A socket of Baileys', made as this sidecar needs it. */

import { readFileSync } from 'node:fs'
import { Agent } from 'node:https'

import makeWASocket, { Browsers, isJidBroadcast, isJidGroup, isJidNewsletter, proto } from 'baileys'

import { quietLogger } from './log.js'
import { makeSignalRepository } from './signal.js'

const QUERY_LIMIT = 20_000 // milliseconds, as are all times here
const CONNECT_LIMIT = 20_000

/**
 * @param {object} made
 * @param {string} made.session
 * @param {import('baileys').AuthenticationState} made.auth
 * @param {import('./settings.js').Settings} made.settings
 * @param {(messageId: string) => Promise<Buffer | null>} made.content what was sent under this id, for a phone that asks again
 */
export function makeSocket({ session, auth, settings, content }) {
  const { waVersion, waUrl, mediaTestCa } = settings
  return makeWASocket({
    auth,
    logger: quietLogger(session),
    browser: Browsers.macOS('Chrome'),
    ...(waVersion && { version: waVersion }),
    ...(waUrl && { waWebSocketUrl: waUrl }),
    ...(mediaTestCa && { fetchAgent: new Agent({ ca: readFileSync(mediaTestCa) }) }),
    makeSignalRepository,
    connectTimeoutMs: CONNECT_LIMIT,
    defaultQueryTimeoutMs: QUERY_LIMIT,
    markOnlineOnConnect: false, // else the owner's phone would fall silent
    syncFullHistory: false,
    shouldSyncHistoryMessage: ({ syncType }) => syncType !== proto.HistorySync.HistorySyncType.FULL,
    emitOwnEvents: false,
    transactionOpts: { maxCommitRetries: 3, delayBetweenTriesMs: 200 },
    shouldIgnoreJid: (jid) => Boolean(isJidGroup(jid) || isJidBroadcast(jid) || isJidNewsletter(jid)),
    getMessage: async ({ id }) => {
      const found = id ? await content(id) : null
      return found ? proto.Message.decode(found) : undefined
    }
  })
}

/**
 * Hear of a stanza before Baileys does: what Baileys has acknowledged WhatsApp never brings again.
 * @param {Pick<import('baileys').WASocket, 'ws'>} socket
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
