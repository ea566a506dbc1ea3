import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { after, afterEach, before, beforeEach, test } from 'node:test'

import { openDatabase } from '../src/database.js'
import { Lease } from '../src/lease.js'
import { gateTo } from './gate.js'
import { freshDatabase } from './postgres.js'
import { until } from './until.js'

const LONG = 60_000
const SHORT = 2_000

/** @type {Awaited<ReturnType<typeof freshDatabase>>} */
let database
/** @type {(() => unknown)[]} */
let endings = []

before(async () => {
  database = await freshDatabase()
})
after(() => database.close())
beforeEach(async () => {
  await database.query(`INSERT INTO baileys.sessions (name) VALUES ('one'), ('two')`)
})
afterEach(async () => {
  for (const end of endings.reverse()) await end()
  endings = []
  await database.query('DELETE FROM baileys.sessions')
})

/** @param {{ lengthMs?: number, renewMs?: number, over?: import('../src/database.js').Database }} [how] */
async function aLease({ over = database, ...times } = {}) {
  const lease = new Lease({ lengthMs: LONG, renewMs: 100, ...times })
  await lease.open(over)
  endings.push(() => lease.close())
  return lease
}

/** Another process with the lease of "one". */
async function aProcess(lengthMs = LONG, renewMs = 100) {
  const child = fork(new URL('lease_holder.js', import.meta.url), [database.url, String(lengthMs), String(renewMs)])
  /** @type {any[]} */
  const told = []
  child.on('message', (message) => told.push(message))
  endings.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  assert.deepEqual(await until('the process says whether it has the lease', () => told.shift()), { taken: true })
  return { child, told }
}

/** A way to the database that can be shut. */
async function aGate() {
  const gate = await gateTo(database.url)
  const over = await openDatabase(gate.url)
  endings.push(async () => {
    gate.reopen()
    await over.close()
    await gate.close()
  })
  return { gate, over }
}

/** @param {string} name */
async function row(name) {
  return database.one('SELECT holder, lease_until > clock_timestamp() AS valid FROM baileys.sessions WHERE name = $1', [name])
}

test('of several that try at once, one has it', async () => {
  const leases = await Promise.all(Array.from({ length: 6 }, () => aLease()))
  const taken = await Promise.all(leases.map((lease) => lease.take('one')))
  assert.equal(taken.filter(Boolean).length, 1)
  const holder = leases[taken.indexOf(true)]
  assert.deepEqual(await row('one'), { holder: String(holder.holder), valid: true })
  assert.deepEqual(leases.map((lease) => lease.held('one')), taken)
})

test('who has it may take it again, and a session that is not there is nobody’s', async () => {
  const lease = await aLease()
  assert.deepEqual([await lease.take('one'), await lease.take('one'), await lease.take('none')], [true, true, false])
})

test('what is released is free at once, and the loss is not told', async () => {
  const [first, second] = [await aLease(), await aLease()]
  first.onLost(() => assert.fail('it was given up'))
  await first.take('one')
  await first.release('one')
  assert.equal(first.held('one'), false)
  assert.equal(await second.take('one'), true)
  await first.release('one')
  assert.equal((await row('one')).holder, String(second.holder))
})

test('who closes lets go of everything', async () => {
  const [first, second] = [await aLease(), await aLease()]
  await Promise.all([first.take('one'), first.take('two')])
  await first.close()
  assert.deepEqual([await second.take('one'), await second.take('two')], [true, true])
})

test('it is renewed for as long as it is held', async () => {
  const [first, second] = [await aLease({ lengthMs: SHORT }), await aLease()]
  first.onLost(() => assert.fail('it was held'))
  await first.take('one')
  const end = performance.now() + 3 * SHORT
  await until('three times its length is over', async () => {
    assert.deepEqual([first.held('one'), await second.take('one')], [true, false])
    return performance.now() > end
  })
})

test('a killed process’s is free at once', async () => {
  const lease = await aLease({ lengthMs: SHORT }) // a server that was just started spares the dead for so long
  const { child } = await aProcess()
  assert.equal(await lease.take('one'), false)
  child.kill('SIGKILL')
  await until('it is ours', () => lease.take('one'))
})

test('a frozen process’s is free when it has run out; awake, it learns of it and its writes are refused', async () => {
  const lease = await aLease()
  const { child, told } = await aProcess(SHORT)
  child.kill('SIGSTOP')
  assert.equal(await lease.take('one'), false)
  await until('it is ours', () => lease.take('one'))
  child.send('write')
  child.kill('SIGCONT')
  const answer = await until('it has tried to write', () => told.find((message) => 'wrote' in message))
  assert.deepEqual(answer, { held: false, wrote: false, error: 'LeaseLostError' })
  await until('it knows', () => told.find((message) => message.lost === 'one'))
  assert.equal(lease.held('one'), true)
  assert.deepEqual(await database.query('SELECT FROM baileys.signal_keys'), [])
})

test('one that another holds in the database is lost at the next renewal', async () => {
  const lease = await aLease()
  await lease.take('one')
  await lease.take('two')
  /** @type {string[]} */
  const lost = []
  lease.onLost((name) => lost.push(name))
  await database.query(`UPDATE baileys.sessions SET holder = 1 WHERE name = 'one'`)
  await until('it is lost', () => lost.length)
  assert.deepEqual([lost, lease.held('one'), lease.held('two')], [['one'], false, true])
})

test('a database that is away for longer than a lease takes it, and nobody keeps it silently', async () => {
  const { gate, over } = await aGate()
  const lease = await aLease({ lengthMs: SHORT, over })
  await lease.take('one')
  /** @type {string[]} */
  const lost = []
  lease.onLost((name) => lost.push(name))
  gate.shut()
  await until('it is lost', () => lost.length)
  assert.deepEqual([lost, lease.held('one')], [['one'], false])
  gate.reopen()
  await until('it is ours again', () => lease.take('one'))
})

test('a database that is away for 3 s takes nothing', async () => {
  const { gate, over } = await aGate()
  const lease = await aLease({ lengthMs: 8_000, over })
  lease.onLost(() => assert.fail('it was kept'))
  await lease.take('one')
  const { lease_until: before } = await database.one(`SELECT lease_until FROM baileys.sessions WHERE name = 'one'`)
  gate.shut()
  setTimeout(gate.reopen, 3_000)
  await until('it is renewed after that', async () => {
    const renewed = `SELECT lease_until > $1::timestamptz + interval '3 s' AS later FROM baileys.sessions WHERE name = 'one'`
    return (await database.one(renewed, [before])).later
  })
  assert.equal(lease.held('one'), true)
  const other = await aLease()
  assert.equal(await other.take('one'), false) // it is seen to live again
})

test('whose connection breaks is soon seen to live again', async () => {
  const [lease, other] = [await aLease({ renewMs: LONG }), await aLease()]
  await lease.take('one')
  const alive = 'SELECT pid FROM pg_locks WHERE locktype = $1 AND granted AND ((classid::bigint << 32) | objid::bigint) = $2'
  const [{ pid }] = await database.query(alive, ['advisory', lease.holder])
  await database.query('SELECT pg_terminate_backend($1)', [pid])
  await until('it has its lock on another connection', async () => {
    const [lock] = await database.query(alive, ['advisory', lease.holder])
    return lock && lock.pid !== pid
  })
  assert.equal(await other.take('one'), false)
})
