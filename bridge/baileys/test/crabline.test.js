/** A second opinion: @openclaw/crabline speaks WhatsApp's protocol by an implementation of its own. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test, { after, before } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startWhatsAppServer } from '@openclaw/crabline'
import { initAuthCreds, makeWASocket } from 'baileys'
import { openAuthState } from '../src/auth_state.js'
import { Lease } from '../src/lease.js'
import { messageId } from '../src/message_id.js'
import { Vault } from '../src/vault.js'
import { freshDatabase } from './postgres.js'

// libsignal tells the console of sessions, with their keys.
for (const name of /** @type {const} */ (['info', 'warn', 'error'])) console[name] = () => {}

const ME = '15550000000'
const TO = '972501234567@s.whatsapp.net'
const LIMIT = { timeout: 30_000 }

/** @type {any} */
const silent = { level: 'silent', child: () => silent }
for (const name of ['trace', 'debug', 'info', 'warn', 'error']) silent[name] = () => {}

const told = new EventEmitter()
/** @type {string} */
let folder
/** @type {Awaited<ReturnType<typeof startWhatsAppServer>>} */
let crabline

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crabline-test-'))
  crabline = await startWhatsAppServer({
    selfJid: `${ME}@s.whatsapp.net`,
    recorderPath: join(folder, 'events.jsonl'),
    onEvent: (event) => {
      if ('accepted' in event && 'body' in event) told.emit('message', event.body)
    }
  })
})
after(async () => {
  await crabline.close()
  await rm(folder, { recursive: true })
})

/** It knows every device that logs in, and links none: the device must have been linked before. */
function linkedBefore() {
  return { ...initAuthCreds(), me: { id: `${ME}:1@s.whatsapp.net` }, account: {}, registered: true }
}

test('bare Baileys logs in, and its message is read and acknowledged', LIMIT, async () => {
  const creds = linkedBefore()
  const { baileysWebSocketUrl } = crabline.manifest.endpoints
  const socket = makeWASocket({ auth: { creds, keys: inMemory() }, logger: silent, waWebSocketUrl: baileysWebSocketUrl, defaultQueryTimeoutMs: 1000 })
  socket.ev.on('creds.update', (update) => Object.assign(creds, update))
  const acks = once(/** @type {EventEmitter} */ (socket.ws), 'CB:ack,class:message')
  const reads = once(told, 'message')
  await socket.waitForConnectionUpdate(async ({ connection }) => connection === 'open')
  await socket.relayMessage(TO, { conversation: 'hello' }, { messageId: '3EB0000000000000000001' })
  const [[ack], [read]] = await Promise.all([acks, reads])
  assert.equal(ack.attrs.id, '3EB0000000000000000001')
  assert.equal(ack.attrs.error, undefined)
  assert.deepEqual(read.key, { fromMe: true, id: ack.attrs.id, remoteJid: TO })
  assert.deepEqual(read.message, { conversation: 'hello' })
  await socket.end(undefined)
})

test('the sidecar logs in, and what it is told to send is read there before it answers sent', LIMIT, async (t) => {
  const database = await freshDatabase()
  const authKey = randomBytes(32)
  await rememberLink(database, authKey)
  const sidecar = await startSidecar(database.url, authKey)
  t.after(sidecar.stop)
  t.after(database.close)
  while (!(await sidecar.ask('GET', 'status')).body.can_send) await pause(20)

  const reads = once(told, 'message')
  const attempt = { key: 'm1.1', to: TO, kind: 'text', text: 'hello from the sidecar' }
  const { status, body } = await sidecar.ask('POST', 'messages', attempt)
  assert.deepEqual([status, body.status, body.duplicate], [200, 'sent', false])
  const [read] = await reads
  assert.deepEqual(read.key, { fromMe: true, id: messageId('second', 'm1.1'), remoteJid: TO })
  assert.deepEqual(read.message, { conversation: attempt.text })
})

/**
 * A session that is linked already, and its one recipient, who is known: crabline cannot be asked about numbers.
 * @param {import('../src/database.js').Database} database
 * @param {Buffer} authKey
 */
async function rememberLink(database, authKey) {
  await database.query('INSERT INTO baileys.sessions (name) VALUES ($1)', ['second'])
  await database.query('INSERT INTO baileys.numbers (number, exists) VALUES ($1, true)', [TO.split('@')[0]])
  const lease = new Lease()
  await lease.open(database)
  await lease.take('second')
  const auth = await openAuthState({ database, vault: new Vault(authKey), lease, session: 'second' })
  Object.assign(auth.creds, linkedBefore())
  await auth.saveCreds()
  await lease.close()
}

/**
 * @param {string} databaseUrl
 * @param {Buffer} authKey
 */
async function startSidecar(databaseUrl, authKey) {
  const settings = {
    DATABASE_URL: databaseUrl,
    BRIDGE_SECRET: 'secret',
    PORT: '0',
    BAILEYS_AUTH_KEY: authKey.toString('base64'),
    BAILEYS_TEST_MODE: '1',
    BAILEYS_TEST_URL: crabline.manifest.endpoints.baileysWebSocketUrl
  }
  const main = fileURLToPath(new URL('../src/main.js', import.meta.url))
  const child = spawn(process.execPath, [main], { env: settings, stdio: ['ignore', 'pipe', 'pipe'] })
  /** @type {string[]} */
  const lines = []
  for (const stream of [child.stdout, child.stderr]) createInterface(stream).on('line', (line) => lines.push(line))
  const ended = once(child, 'exit')
  const address = () => lines.join('\n').match(/http:\/\/\S+/)?.[0]
  while (!address() && child.exitCode === null) await pause(20)
  const base = address() ?? assert.fail(lines.join('\n'))
  return {
    /**
     * @param {string} method
     * @param {string} path
     * @param {unknown} [body]
     */
    async ask(method, path, body) {
      const headers = { 'x-internal-secret': settings.BRIDGE_SECRET, 'content-type': 'application/json' }
      const answer = await fetch(`${base}/whatsapp/second/${path}`, { method, headers, body: JSON.stringify(body) })
      return { status: answer.status, body: /** @type {any} */ (await answer.json()) }
    },
    async stop() {
      child.kill('SIGTERM')
      const [code] = await ended
      assert.equal(code, 0, lines.join('\n'))
    }
  }
}

/** @returns {import('baileys').SignalKeyStore} */
function inMemory() {
  /** @type {Map<string, any>} */
  const kept = new Map()
  return {
    get: async (type, ids) => Object.fromEntries(ids.map((id) => [id, kept.get(`${type} ${id}`)])),
    async set(data) {
      for (const [type, values] of Object.entries(data))
        for (const [id, value] of Object.entries(values)) kept.set(`${type} ${id}`, value ?? undefined)
    }
  }
}
