import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'

import { Boom } from '@hapi/boom'

import { Acks } from '../src/acks.js'
import { Busy } from '../src/busy.js'
import { readAttempt } from '../src/contract.js'
import { Ledger } from '../src/ledger.js'
import { messageId } from '../src/message_id.js'
import { Numbers } from '../src/numbers.js'
import { Outbox } from '../src/outbox.js'
import { SerialQueue } from '../src/queue.js'
import { Sender } from '../src/sending.js'
import { Vault } from '../src/vault.js'
import { freshDatabase } from './postgres.js'

/** @typedef {import('../src/session.js').Session} Session */

const HOLDER = 7n
const PERSON = '972501234567@s.whatsapp.net'
/** @type {import('../src/database.js').Database} */
let database
/** @type {Ledger} */
let ledger
/** @type {Sender} */
let sender
let count = 0

before(async () => {
  database = await freshDatabase()
  ledger = new Ledger(database, new Vault(randomBytes(32)))
})
beforeEach(() => {
  const outbox = new Outbox(database, 'http://127.0.0.1:9/', 'secret') // never run: what is put stays to be read
  sender = new Sender({ ledger, numbers: new Numbers(database, 60), outbox })
})
after(() => database.close())

/** A connection that does what a test says, in orders that a real one takes years to show. */
class ScriptedSocket {
  ws = new EventEmitter()
  user = { id: '972509999999:1@s.whatsapp.net' }
  devices = [PERSON, '972509999999@s.whatsapp.net']
  /** @type {Set<string>} */
  withoutKeys = new Set()
  /** @type {string[]} */
  relayed = []
  /** @type {(() => void)[]} */
  #ends = []
  signalRepository = { validateSession: async (/** @type {string} */ jid) => ({ exists: !this.withoutKeys.has(jid) }) }

  /** @param {() => void} handler */
  registerSocketEndHandler(handler) {
    this.#ends.push(handler)
  }

  async onWhatsApp(/** @type {string} */ number) {
    return number.endsWith('99001') ? [] : [{ jid: `${number}@s.whatsapp.net`, exists: true }]
  }

  async getUSyncDevices() {
    return this.devices.map((jid) => ({ jid, user: jid.split('@')[0], device: 0 }))
  }

  async assertSessions() {
    return true
  }

  /** What a hand-over does; by default it is acked at once, before it has returned. */
  script = async (/** @type {string} */ id) => this.ack(id)

  /** @param {[to: string, message: unknown, options: { messageId: string }]} given */
  async relayMessage(...[to, , { messageId: id }]) {
    this.relayed.push(to)
    await this.script(id)
    return id
  }

  /**
   * @param {string} id
   * @param {string} [error]
   */
  ack(id, error) {
    this.ws.emit('CB:ack,class:message', { attrs: { id, class: 'message', ...(error && { error }) } })
  }

  end() {
    for (const handler of this.#ends) handler()
  }
}

/** A session of its own for one test. */
async function makeSession() {
  const name = `session-${++count}`
  await database.query(
    `INSERT INTO baileys.sessions (name, holder, lease_until) VALUES ($1, $2, clock_timestamp() + interval '1 h')`,
    [name, HOLDER]
  )
  const socket = new ScriptedSocket()
  const acks = new Acks()
  acks.watch(/** @type {any} */ (socket))
  /** @type {{ problem: string | null, restricted: unknown[] }} */
  const told = { problem: null, restricted: [] }
  const session = /** @type {Session} */ (
    /** @type {unknown} */ ({
      ...{ name, socket, acks, queue: new SerialQueue(), busy: new Busy(), holder: HOLDER },
      problem: () => told.problem,
      restrict: (/** @type {unknown} */ until) => told.restricted.push(until)
    })
  )
  return { session, socket, told }
}

/**
 * @param {Session} session
 * @param {Record<string, unknown>} [change]
 */
function attempt(session, change) {
  return readAttempt(session.name, { key: `${++count}.1`, to: PERSON, kind: 'text', text: 'Hello', ...change })
}

/** @param {string} key */
const stateOf = async (key) => (await ledger.find(key))?.state ?? 'absent'

/** @param {string} key */
async function receipts(key) {
  const rows = await database.query('SELECT body FROM baileys.outbox ORDER BY id')
  const all = rows.map(({ body }) => JSON.parse(body).data)
  return all.filter((data) => data.key === key).map(({ status, error }) => [status, error])
}

/**
 * @param {() => unknown} condition
 * @param {string} what
 */
async function until(condition, what) {
  const deadline = performance.now() + 10_000
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not in time: ${what}`)
    await pause(5)
  }
}

test('an ack that comes before the hand-over returns is the ack of this message', async () => {
  const { session } = await makeSession()
  const made = attempt(session)
  const { status, body } = await sender.send(session, made)
  const { duration_ms, ...rest } = body
  assert.equal(status, 200)
  assert.ok(Number(duration_ms) >= 0)
  const told = { status: 'sent', key: made.key, message_id: messageId(session.name, made.key), duplicate: false }
  assert.deepEqual(rest, told)
  assert.deepEqual(await sender.send(session, made), { status, body: { ...body, duplicate: true } })
  assert.equal(session.busy.active, 0)
})

test('no ack in time is in doubt; a late one settles it and is told', async () => {
  const { session, socket } = await makeSession()
  const made = attempt(session, { deadline_s: 0.3 })
  socket.script = async () => undefined
  const answer = await sender.send(session, made)
  assert.deepEqual([answer.status, answer.body.outcome], [504, 'unknown'])
  assert.equal(await stateOf(made.key), 'dispatching')
  assert.deepEqual(await sender.send(session, made), answer)
  socket.ack(messageId(session.name, made.key))
  await until(async () => (await stateOf(made.key)) === 'sent', 'settled')
  assert.deepEqual(await receipts(made.key), [['sent', null]])
  assert.equal((await sender.send(session, made)).body.duplicate, true)
  assert.equal(socket.relayed.length, 1)
})

test('an ack that cannot be written down is in doubt until it can, and nobody takes the key up meanwhile', async (t) => {
  t.mock.method(process.stdout, 'write', () => true)
  const { session, socket } = await makeSession()
  const made = attempt(session)
  socket.script = async (id) => {
    await database.query('ALTER TABLE baileys.sends RENAME TO away')
    socket.ack(id)
  }
  const answer = await sender.send(session, made)
  assert.deepEqual([answer.status, answer.body.outcome], [504, 'unknown'])
  assert.deepEqual(await sender.send(session, made), { status: 409, body: { error: 'in_flight' } })
  await database.query('ALTER TABLE baileys.away RENAME TO sends')
  await sender.stop()
  assert.equal(await stateOf(made.key), 'sent')
  assert.deepEqual(await receipts(made.key), [['sent', null]])
  assert.equal(socket.relayed.length, 1)
})

test('a late refusal settles it too, once', async () => {
  const { session, socket, told } = await makeSession()
  const made = attempt(session, { deadline_s: 0.3 })
  socket.script = async () => undefined
  await sender.send(session, made)
  const id = messageId(session.name, made.key)
  socket.ack(id, '463')
  await until(async () => (await stateOf(made.key)) === 'failed', 'settled')
  socket.ack(id)
  assert.deepEqual(await receipts(made.key), [['failed', 'restricted']])
  assert.deepEqual(told.restricted, [null])
  assert.equal(await stateOf(made.key), 'failed')
})

test('the ack of what Baileys sends again for a phone settles nothing', async () => {
  const { session, socket } = await makeSession()
  const made = attempt(session)
  socket.script = async () => socket.end()
  assert.equal((await sender.send(session, made)).status, 504)
  socket.ack(messageId(session.name, made.key), '479')
  socket.script = async (id) => socket.ack(id)
  await sender.send(session, attempt(session))
  assert.equal(await stateOf(made.key), 'dispatching')
})

test('a refusal of what WhatsApp had is told', async () => {
  const { session, socket } = await makeSession()
  const made = attempt(session)
  await sender.send(session, made)
  socket.ack(messageId(session.name, made.key), '500')
  await until(async () => (await receipts(made.key)).length, 'told')
  assert.deepEqual(await receipts(made.key), [['failed', 'provider_error']])
  assert.equal(await stateOf(made.key), 'sent')
})

test('a connection that ends after the hand-over leaves it in doubt, at once', async () => {
  const { session, socket } = await makeSession()
  const made = attempt(session)
  socket.script = async () => socket.end()
  const begunAt = performance.now()
  assert.equal((await sender.send(session, made)).body.error, 'send_timeout')
  assert.ok(performance.now() - begunAt < 5000)
  assert.equal(await stateOf(made.key), 'dispatching')
})

test('a socket that is closed before a byte leaves frees the key', async () => {
  const { session, socket } = await makeSession()
  const made = attempt(session)
  socket.script = async () => {
    socket.end()
    throw new Boom('Connection Closed', { statusCode: 428 })
  }
  const answer = await sender.send(session, made)
  assert.deepEqual([answer.body.error, answer.body.outcome], ['not_connected', 'not_sent'])
  assert.equal(await stateOf(made.key), 'absent')
  socket.script = async (id) => socket.ack(id)
  assert.equal((await sender.send(session, made)).status, 200)
})

test('a message that could be encrypted for nobody is known not sent', async () => {
  const { session, socket } = await makeSession()
  const made = attempt(session)
  socket.script = async () => {
    throw new Boom('All encryptions failed', { statusCode: 500 })
  }
  const answer = await sender.send(session, made)
  assert.deepEqual([answer.body.error, answer.body.outcome], ['provider_error', 'not_sent'])
  assert.equal(await stateOf(made.key), 'failed')
})

test('any other failure of the hand-over is in doubt until the ack, which may still come', async () => {
  const { session, socket } = await makeSession()
  const made = attempt(session)
  socket.script = async (id) => {
    setTimeout(() => socket.ack(id), 20)
    throw new Boom('Timed Out', { statusCode: 408 })
  }
  assert.equal((await sender.send(session, made)).status, 200)
  socket.script = async () => {
    throw new TypeError('something else')
  }
  const other = attempt(session, { deadline_s: 0.3 })
  assert.equal((await sender.send(session, other)).body.outcome, 'unknown')
  assert.equal(await stateOf(other.key), 'dispatching')
})

test('an account that WhatsApp restricts is parked, and the key is free', async () => {
  const { session, socket, told } = await makeSession()
  const made = attempt(session)
  socket.script = async (id) => socket.ack(id, '463')
  assert.equal((await sender.send(session, made)).body.error, 'restricted')
  assert.deepEqual(told.restricted, [null])
  assert.equal(await stateOf(made.key), 'absent')
})

test('any other refusal is known not sent', async () => {
  const { session, socket } = await makeSession()
  const made = attempt(session)
  socket.script = async (id) => socket.ack(id, '479')
  const answer = await sender.send(session, made)
  assert.deepEqual([answer.body.error, answer.body.outcome], ['provider_error', 'not_sent'])
  assert.equal(await stateOf(made.key), 'failed')
})

test('a key that is closed while it waits for its turn does not go out', async () => {
  const { session, socket } = await makeSession()
  /** @type {(value: unknown) => void} */
  let open = () => {}
  void session.queue.run(() => new Promise((resolve) => (open = resolve)))
  const made = attempt(session)
  const answer = sender.send(session, made)
  await until(async () => (await stateOf(made.key)) === 'reserved', 'reserved')
  assert.deepEqual(await sender.send(session, made), { status: 409, body: { error: 'in_flight' } })
  assert.equal(session.busy.active, 1)
  await ledger.close(session.name, made.key)
  open(null)
  assert.deepEqual(await answer, { status: 409, body: { error: 'key_closed' } })
  assert.deepEqual(socket.relayed, [])
})

test('who is not begun in time is never begun, and closing the key proves it', async () => {
  const { session, socket } = await makeSession()
  /** @type {(value: unknown) => void} */
  let open = () => {}
  void session.queue.run(() => new Promise((resolve) => (open = resolve)))
  const made = attempt(session, { deadline_s: 0.1 })
  const answer = await sender.send(session, made)
  assert.equal(answer.body.error, 'send_timeout')
  assert.deepEqual(await sender.send(session, made), answer)
  open(null)
  await until(() => session.busy.active === 0, 'given up')
  assert.deepEqual(socket.relayed, [])
  assert.equal((await ledger.close(session.name, made.key)).state, 'closed')
})

test('a process that has lost the lease sends nothing and uses up no key', async () => {
  const { session, socket } = await makeSession()
  await database.query('UPDATE baileys.sessions SET holder = 8 WHERE name = $1', [session.name])
  const made = attempt(session)
  assert.equal((await sender.send(session, made)).body.error, 'not_connected')
  assert.equal(await stateOf(made.key), 'absent')
  assert.deepEqual(socket.relayed, [])
})

for (const [what, spoil, error, state] of /** @type {[string, (socket: ScriptedSocket) => void, string, string][]} */ ([
  ['of whom WhatsApp names no device', (socket) => socket.devices.shift(), 'provider_error', 'failed'],
  ['whose phone has no keys', (socket) => socket.withoutKeys.add(PERSON), 'provider_error', 'failed']
]))
  test(`a person ${what} is not left out in silence`, async () => {
    const { session, socket } = await makeSession()
    spoil(socket)
    const made = attempt(session)
    const answer = await sender.send(session, made)
    assert.deepEqual([answer.body.error, answer.body.outcome], [error, 'not_sent'])
    assert.equal(await stateOf(made.key), state)
    assert.deepEqual(socket.relayed, [])
  })

test('a person who is not on WhatsApp is not written to', async () => {
  const { session, socket } = await makeSession()
  const made = attempt(session, { to: '972501299001@s.whatsapp.net' })
  assert.equal((await sender.send(session, made)).status, 422)
  assert.equal((await ledger.find(made.key))?.error, 'not_on_whatsapp')
  assert.deepEqual(socket.relayed, [])
})

test('a session with a problem uses up no key, answers what is known, and keeps the faults of messages', async () => {
  const { session, told } = await makeSession()
  const sent = attempt(session)
  await sender.send(session, sent)
  told.problem = 'restricted'
  const made = attempt(session)
  assert.equal((await sender.send(session, made)).body.error, 'restricted')
  assert.equal(await stateOf(made.key), 'absent')
  assert.equal((await sender.send(session, sent)).body.duplicate, true)
  const wrong = attempt(session, { to: '120363000000000000@g.us' })
  assert.equal((await sender.send(session, wrong)).body.error, 'invalid_recipient')
  assert.equal(await stateOf(wrong.key), 'failed')
})

test('one session sends one at a time', async () => {
  const { session, socket } = await makeSession()
  let [now, most] = [0, 0]
  socket.script = async (id) => {
    now += 1
    most = Math.max(most, now)
    await pause(5)
    now -= 1
    socket.ack(id)
  }
  const answers = await Promise.all(Array.from({ length: 10 }, () => sender.send(session, attempt(session))))
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
  assert.equal(most, 1)
})

test('when it stops, what is under way ends and nothing new begins', async () => {
  const { session, socket } = await makeSession()
  /** @type {string[]} */
  const waiting = []
  socket.script = async (id) => void waiting.push(id)
  const answer = sender.send(session, attempt(session))
  await until(() => waiting.length, 'under way')
  const stopped = sender.stop()
  assert.equal((await sender.send(session, attempt(session))).body.error, 'not_connected')
  socket.ack(waiting[0])
  assert.equal((await answer).status, 200)
  await stopped
})

test('without Postgres nothing is sent, and the answer says so', async () => {
  const gone = await freshDatabase()
  const alone = new Ledger(gone, new Vault(randomBytes(32)))
  const outbox = new Outbox(gone, null, null)
  const { session, socket } = await makeSession()
  await gone.close()
  const answer = await new Sender({ ledger: alone, numbers: new Numbers(gone, 60), outbox }).send(session, attempt(session))
  assert.deepEqual([answer.status, answer.body.outcome], [500, 'not_sent'])
  assert.deepEqual(socket.relayed, [])
})
