import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'

import { readAttempt, refuse } from '../src/contract.js'
import { Ledger, knownAnswer } from '../src/ledger.js'
import { messageId } from '../src/message_id.js'
import { Vault } from '../src/vault.js'
import { freshDatabase } from './postgres.js'

/** @typedef {import('../src/ledger.js').State} State */

const HOLDER = '7000000000000000001'
const SESSION = 'one'
const ANSWER = { status: 200, body: { status: 'sent', duplicate: false } }
/** @type {import('../src/database.js').Database} */
let database
/** @type {Ledger} */
let ledger
let keys = 0

before(async () => {
  database = await freshDatabase()
  ledger = new Ledger(database, new Vault(randomBytes(32)))
  await database.query(
    `INSERT INTO baileys.sessions (name, holder, lease_until) VALUES ($1, $2, clock_timestamp() + interval '1 h')`,
    [SESSION, HOLDER]
  )
})
after(() => database.close())

/** @param {Record<string, unknown>} [change] */
function attempt(change) {
  const body = { key: `${++keys}.1`, to: '972501234567@s.whatsapp.net', kind: 'text', text: 'Hello', ...change }
  return readAttempt(SESSION, body)
}

/** @param {import('../src/contract.js').Attempt} of */
function dispatch(of, holder = HOLDER) {
  return ledger.dispatch(of, messageId(SESSION, of.key), Buffer.from('content'), /** @type {any} */ (holder))
}

/**
 * A key in a state.
 * @param {State} state
 */
async function keyThatIs(state) {
  const made = attempt()
  if (state === 'closed') await ledger.close(SESSION, made.key)
  else await ledger.reserve(made)
  if (state === 'dispatching' || state === 'sent') await dispatch(made)
  if (state === 'sent') await ledger.sent(made.key, ANSWER)
  if (state === 'failed') await ledger.fail(made.key, 'throttled', refuse('throttled'))
  assert.equal((await ledger.find(made.key))?.state, state)
  return made
}

/** @param {string} key */
async function stateOf(key) {
  return (await ledger.find(key))?.state ?? 'absent'
}

/** What each step makes of a key in each state; a repeated statement must come to the same. */
/** @type {[string, (of: import('../src/contract.js').Attempt) => Promise<unknown>, Record<State, string>]} */
const STEPS = /** @type {any} */ ([
  ['dispatch', dispatch, { reserved: 'dispatching', dispatching: 'dispatching', sent: 'sent', failed: 'failed', closed: 'closed' }],
  [
    'sent',
    (/** @type {any} */ { key }) => ledger.sent(key, ANSWER),
    { reserved: 'reserved', dispatching: 'sent', sent: 'sent', failed: 'failed', closed: 'closed' }
  ],
  [
    'fail',
    (/** @type {any} */ { key }) => ledger.fail(key, 'internal', refuse('internal')),
    { reserved: 'failed', dispatching: 'failed', sent: 'sent', failed: 'failed', closed: 'closed' }
  ],
  [
    'forget',
    (/** @type {any} */ { key }) => ledger.forget(key),
    { reserved: 'absent', dispatching: 'absent', sent: 'sent', failed: 'failed', closed: 'closed' }
  ],
  [
    'close',
    (/** @type {any} */ { key }) => ledger.close(SESSION, key),
    { reserved: 'closed', dispatching: 'dispatching', sent: 'sent', failed: 'closed', closed: 'closed' }
  ],
  [
    'reserve',
    (/** @type {any} */ of) => ledger.reserve(of),
    { reserved: 'reserved', dispatching: 'dispatching', sent: 'sent', failed: 'failed', closed: 'closed' }
  ]
])

for (const [name, step, becomes] of /** @type {any[]} */ (STEPS))
  for (const [from, to] of Object.entries(becomes))
    test(`${name}: ${from} becomes ${to}, and the statement may run twice`, async () => {
      const made = await keyThatIs(/** @type {State} */ (from))
      const first = await step(made)
      assert.equal(await stateOf(made.key), to)
      if (to === 'absent') assert.equal(first, true)
      const again = await step(made)
      assert.equal(await stateOf(made.key), to)
      if (typeof first !== 'object') assert.equal(again, first)
    })

test('what is known of a key decides the answer to its next POST', async () => {
  const answers = /** @type {[State, unknown][]} */ ([
    ['closed', { status: 409, body: { error: 'key_closed' } }],
    ['sent', { status: 200, body: { status: 'sent', duplicate: true } }],
    ['failed', refuse('throttled')],
    ['dispatching', refuse('send_timeout')],
    ['reserved', null]
  ])
  for (const [state, answer] of answers) {
    const made = await keyThatIs(state)
    const entry = await ledger.reserve(made)
    assert.ok(entry)
    assert.deepEqual(knownAnswer(entry, made), answer)
    const other = readAttempt(SESSION, { ...made, text: 'other' })
    const conflict = state === 'closed' ? 'key_closed' : 'key_conflict'
    assert.equal(knownAnswer(entry, other)?.body.error, conflict)
  }
})

test('only the holder of an unexpired lease may dispatch', async () => {
  const made = await keyThatIs('reserved')
  assert.equal(await dispatch(made, '8'), 'lease_lost')
  await database.query(`UPDATE baileys.sessions SET lease_until = clock_timestamp() - interval '1 ms' WHERE name = $1`, [SESSION])
  assert.equal(await dispatch(made), 'lease_lost')
  assert.equal(await stateOf(made.key), 'reserved')
  await database.query(`UPDATE baileys.sessions SET lease_until = clock_timestamp() + interval '1 h' WHERE name = $1`, [SESSION])
  assert.equal(await dispatch(made), 'dispatched')
})

test('close and dispatch at the same moment: one of them wins, and both know which', async () => {
  for (let round = 0; round < 20; round += 1) {
    const made = await keyThatIs('reserved')
    const [dispatched, closed] = await Promise.all([dispatch(made), ledger.close(SESSION, made.key)])
    const state = await stateOf(made.key)
    assert.equal(dispatched === 'dispatched', state === 'dispatching')
    assert.equal(closed.state, state)
  }
})

test('two that reserve one key at once: one of them is the first', async () => {
  const made = attempt()
  const found = await Promise.all([ledger.reserve(made), ledger.reserve(made), ledger.reserve(made)])
  assert.equal(found.filter((entry) => entry === null).length, 1)
})

test('what is written with a move is written if the key moves, and only then', async () => {
  await database.query('CREATE TABLE IF NOT EXISTS notes (words text)')
  /** @type {import('../src/ledger.js').Also} */
  const note = (client) => client.query(`INSERT INTO notes VALUES ('moved')`)
  const noted = async () => (await database.query('SELECT FROM notes')).length
  const made = await keyThatIs('dispatching')
  await ledger.sent(made.key, ANSWER, note)
  await ledger.sent(made.key, ANSWER, note)
  assert.equal(await noted(), 1)
  const other = await keyThatIs('dispatching')
  await assert.rejects(ledger.fail(other.key, 'internal', refuse('internal'), (client) => client.query('SELECT nonsense')))
  assert.equal(await stateOf(other.key), 'dispatching')
})

test('a message is found by its id, and its content opens for this message only', async () => {
  const made = await keyThatIs('dispatching')
  const id = messageId(SESSION, made.key)
  assert.deepEqual(await ledger.byMessageId(SESSION, id), { key: made.key, state: 'dispatching' })
  assert.equal(await ledger.byMessageId('another', id), null)
  assert.deepEqual(await ledger.content(SESSION, id), Buffer.from('content'))
  assert.equal(await ledger.content(SESSION, 'unknown'), null)
  const [{ content }] = await database.query('SELECT content FROM baileys.sends WHERE key = $1', [made.key])
  assert.ok(!content.includes('content'))
})

test('what was sent of late is found without the database, and for its own session only', async () => {
  const made = attempt()
  const id = messageId(SESSION, made.key)
  await ledger.reserve(made)
  await dispatch(made)
  await ledger.sent(made.key, { status: 200, body: { ...ANSWER.body, message_id: id } })
  await database.query('DELETE FROM baileys.sends WHERE key = $1', [made.key])
  assert.deepEqual(await ledger.byMessageId(SESSION, id), { key: made.key, state: 'sent' })
  assert.equal(await ledger.byMessageId('another', id), null)
})

test('the session remembers when it last sent', async () => {
  await database.query('UPDATE baileys.sessions SET last_message_at = NULL')
  await keyThatIs('sent')
  const [{ last_message_at }] = await database.query('SELECT last_message_at FROM baileys.sessions')
  assert.ok(last_message_at)
})

test('the body of a key, and the age of the ledger at the question', async () => {
  const made = await keyThatIs('failed')
  const entry = await ledger.close(SESSION, made.key)
  const { state, message_id, error, updated_at, ledger_since } = ledger.body(entry)
  assert.deepEqual([state, message_id, error], ['closed', null, 'throttled'])
  for (const time of [updated_at, ledger_since]) assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  assert.equal(ledger_since, await ledger.since())
  assert.ok((await ledger.close(SESSION, made.key)).updated_at > updated_at)
})

test('old keys go, and contents before them', async () => {
  const [old, older] = [await keyThatIs('sent'), await keyThatIs('sent')]
  const age = 'UPDATE baileys.sends SET updated_at = clock_timestamp() - $2::interval WHERE key = $1'
  await database.query(age, [old.key, '8 days'])
  await database.query(age, [older.key, '31 days'])
  await ledger.forgetOld()
  assert.deepEqual([await stateOf(old.key), await stateOf(older.key)], ['sent', 'absent'])
  assert.equal(await ledger.content(SESSION, messageId(SESSION, old.key)), null)
})

test('an emptied ledger knows nothing from before', async () => {
  const before = await ledger.since()
  await database.query('TRUNCATE baileys.sends')
  assert.ok((await ledger.since()) > before)
})
