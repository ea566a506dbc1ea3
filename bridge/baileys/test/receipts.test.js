import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { after, before, beforeEach, test } from 'node:test'

import { readAttempt } from '../src/contract.js'
import { Ledger } from '../src/ledger.js'
import { Outbox } from '../src/outbox.js'
import { Receipts, receiptsIn } from '../src/receipts.js'
import { firstToHear } from '../src/socket.js'
import { Vault } from '../src/vault.js'
import { freshDatabase } from './postgres.js'
import { until } from './until.js'

const SESSION = 'one'
const HOLDER = 7n
const ME = { id: '972500000001:1@s.whatsapp.net', lid: '1001:1@lid' }
const PERSON = '972500000002@s.whatsapp.net'

/** @type {Awaited<ReturnType<typeof freshDatabase>>} */
let database
/** @type {Ledger} */
let ledger
/** @type {Receipts} */
let receipts

before(async () => {
  database = await freshDatabase()
  ledger = new Ledger(database, new Vault(randomBytes(32)))
  receipts = new Receipts({ database, ledger, outbox: new Outbox(database, 'http://127.0.0.1:9/nobody', 'secret') })
  await database.query(
    `INSERT INTO baileys.sessions (name, holder, lease_until) VALUES ($1, $2, clock_timestamp() + interval '1 h')`,
    [SESSION, HOLDER]
  )
})
beforeEach(() => database.query('TRUNCATE baileys.outbox, baileys.sends'))
after(() => database.close())

/**
 * A key that may have gone out.
 * @param {string} key
 * @param {string} messageId
 */
async function dispatched(key, messageId) {
  const attempt = readAttempt(SESSION, { key, to: PERSON, kind: 'text', text: 'Hello' })
  await ledger.reserve(attempt)
  assert.equal(await ledger.dispatch(attempt, messageId, Buffer.from('content'), HOLDER), 'dispatched')
}

async function told() {
  const rows = await database.query('SELECT body FROM baileys.outbox ORDER BY id')
  return rows.map(({ body }) => JSON.parse(body).data)
}

/**
 * @param {Record<string, string>} attrs
 * @param {string[]} more ids
 */
function receipt(attrs, more = []) {
  const items = more.map((id) => ({ tag: 'item', attrs: { id } }))
  return { tag: 'receipt', attrs: { from: PERSON, ...attrs }, content: more.length ? [{ tag: 'list', attrs: {}, content: items }] : undefined }
}

test('a receipt says delivered or read, of one message or of several', () => {
  assert.deepEqual(receiptsIn(SESSION, receipt({ id: 'A' }), ME), [{ session: SESSION, messageId: 'A', status: 'delivered' }])
  assert.deepEqual(
    receiptsIn(SESSION, receipt({ id: 'A', type: 'read' }, ['B', 'C']), ME).map(({ messageId, status }) => `${messageId} ${status}`),
    ['A read', 'B read', 'C read']
  )
  assert.equal(receiptsIn(SESSION, receipt({ id: 'A', type: 'played' }), ME)[0].status, 'read')
})

test('an id that no message of ours can have is left out: it could not even be looked for', () => {
  assert.deepEqual(receiptsIn(SESSION, receipt({ id: 'A\0' }, ['', 'B C', 'D'.repeat(200), 'E']), ME).map(({ messageId }) => messageId), ['E'])
})

test('our own other devices, and types about devices, say nothing of a person', () => {
  for (const from of ['972500000001@s.whatsapp.net', '1001@lid'])
    assert.deepEqual(receiptsIn(SESSION, receipt({ id: 'A', from }), ME), [])
  for (const type of ['retry', 'sender', 'read-self', 'server-error', 'inactive'])
    assert.deepEqual(receiptsIn(SESSION, receipt({ id: 'A', type }), ME), [])
})

test('a receipt of a key in doubt is told, and settles it', async () => {
  await dispatched('1.1', 'A')
  receipts.take([{ session: SESSION, messageId: 'A', status: 'delivered' }])
  await receipts.written()
  assert.deepEqual(await told(), [{ message_id: 'A', key: '1.1', status: 'delivered', error: null }])
  assert.equal((await ledger.find('1.1'))?.state, 'sent')
})

test('receipts of a message that is not ours, or of another session, are nothing', async () => {
  await dispatched('2.1', 'A')
  receipts.take([{ session: SESSION, messageId: 'B', status: 'read' }])
  receipts.take([{ session: 'two', messageId: 'A', status: 'read' }])
  await receipts.written()
  assert.deepEqual(await told(), [])
  assert.equal((await ledger.find('2.1'))?.state, 'dispatching')
})

test('the devices of one person tell the same once, and what comes meanwhile is not lost', async () => {
  await dispatched('3.1', 'A')
  for (const status of /** @type {const} */ (['delivered', 'read']))
    for (let device = 0; device < 3; device += 1) receipts.take([{ session: SESSION, messageId: 'A', status }])
  await receipts.written()
  assert.deepEqual(new Set((await told()).map(({ status }) => status)), new Set(['delivered', 'read']))
  assert.ok((await told()).length <= 4)
})

test('receipts that cannot be written are written when they can', async (t) => {
  const { mock } = t.mock.method(process.stdout, 'write', () => true)
  await dispatched('4.1', 'A')
  await database.query('ALTER TABLE baileys.outbox RENAME TO away')
  receipts.take([{ session: SESSION, messageId: 'A', status: 'read' }])
  await until('it was tried in vain', () => mock.calls.some(({ arguments: [line] }) => /is tried again/.test(String(line))))
  await database.query('ALTER TABLE baileys.away RENAME TO outbox')
  await receipts.written()
  assert.deepEqual((await told()).map(({ key, status }) => [key, status]), [['4.1', 'read']])
})

test('WhatsApp is not told that we have a receipt before it is written down', async () => {
  const ws = new EventEmitter()
  /** @type {string[]} */
  const order = []
  ws.on('CB:receipt', () => order.push('acknowledged'))
  await dispatched('k1', 'M1')
  firstToHear(/** @type {any} */ ({ ws }), 'CB:receipt', async (node) => {
    await receipts.take(receiptsIn(SESSION, node, ME))
    order.push(...(await told()).map(({ status }) => status))
  })
  ws.emit('CB:receipt', receipt({ id: 'M1' }))
  await until('both have heard of it', () => order.length === 2)
  assert.deepEqual(order, ['delivered', 'acknowledged'])
})
