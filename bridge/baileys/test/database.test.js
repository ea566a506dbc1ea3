import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { openDatabase } from '../src/database.js'
import { gateTo } from './gate.js'
import { freshDatabase } from './postgres.js'

/** @type {Awaited<ReturnType<typeof freshDatabase>>} */
let direct
/** @type {Awaited<ReturnType<typeof gateTo>>} */
let gate
/** @type {import('../src/database.js').Database} */
let database

before(async () => {
  direct = await freshDatabase()
  await direct.query('CREATE TABLE counts (name text PRIMARY KEY, count integer NOT NULL)')
  await direct.query(`INSERT INTO counts VALUES ('one', 0), ('two', 0)`)
  gate = await gateTo(direct.url)
  database = await openDatabase(gate.url, { max: 4 })
})
after(async () => {
  await database.close()
  await gate.close()
  await direct.close()
})

/** @param {string} name */
async function count(name) {
  return (await direct.one('SELECT count FROM counts WHERE name = $1', [name])).count
}

test('rows come as they are, prepared or not', async () => {
  const prepared = { name: 'both', text: 'SELECT $1::int AS given', values: [7] }
  assert.deepEqual(await database.query(prepared), [{ given: 7 }])
  assert.deepEqual(await database.query('SELECT $1::int AS given', [8]), [{ given: 8 }])
  assert.deepEqual(await database.one('SELECT 9 AS given'), { given: 9 })
  assert.equal(await database.one('SELECT WHERE false'), null)
})

test('connections that were lost while nobody used them are replaced', async () => {
  await Promise.all(Array.from({ length: 4 }, () => database.query('SELECT pg_sleep(0.01)')))
  await direct.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()')
  assert.deepEqual(await database.one('SELECT 1 AS one'), { one: 1 })
})

test('a server that is away for a while costs time and nothing else', async () => {
  gate.shut()
  const asked = database.query('SELECT 1 AS one')
  setTimeout(gate.reopen, 1_000)
  assert.deepEqual(await asked, [{ one: 1 }])
})

test('a statement whose connection breaks under way is run again', async () => {
  const asked = database.query('SELECT pg_sleep(0.3), 1 AS one')
  setTimeout(() => {
    gate.shut()
    gate.reopen()
  }, 100)
  assert.equal((await asked)[0].one, 1)
})

test('what is wrong with a statement is told at once', async () => {
  const began = performance.now()
  await assert.rejects(database.query('SELECT nothing_like_this'), { code: '42703' })
  await assert.rejects(database.transaction((client) => client.query('SELECT 1/0')), { code: '22012' })
  assert.ok(performance.now() - began < 1_000)
})

test('a transaction is all or nothing', async () => {
  const failed = database.transaction(async (client) => {
    await client.query(`UPDATE counts SET count = 100 WHERE name = 'one'`)
    throw new Error('thought better of it')
  })
  await assert.rejects(failed, /thought better/)
  assert.equal(await count('one'), 0)
})

test('a transaction in which a statement failed does not pass for committed', async () => {
  const failed = database.transaction(async (client) => {
    await client.query(`UPDATE counts SET count = 100 WHERE name = 'one'`)
    await client.query('SELECT 1/0').catch(() => {})
  })
  await assert.rejects(failed, /rolled back/)
  assert.equal(await count('one'), 0)
})

test('a transaction whose connection breaks is repeated as a whole', async () => {
  let tries = 0
  await database.transaction(async (client) => {
    tries += 1
    await client.query(`UPDATE counts SET count = count + 1 WHERE name = 'one'`)
    if (tries === 1) {
      gate.shut()
      gate.reopen()
    }
    await client.query(`UPDATE counts SET count = count + 1 WHERE name = 'two'`)
  })
  assert.deepEqual([tries, await count('one'), await count('two')], [2, 1, 1])
})

test('of two transactions in each other’s way both come through', async () => {
  const before = await count('one')
  const meeting = barrier(2)
  await Promise.all(
    [
      ['one', 'two'],
      ['two', 'one']
    ].map((names) =>
      database.transaction(async (client) => {
        for (const name of names) {
          await client.query('UPDATE counts SET count = count + 1 WHERE name = $1', [name])
          await meeting()
        }
      })
    )
  )
  assert.equal(await count('one'), before + 2)
})

/**
 * Wait for the others, the first time.
 * @param {number} parties
 */
function barrier(parties) {
  /** @type {() => void} */
  let open = () => {}
  const opened = new Promise((resolve) => (open = () => resolve(undefined)))
  let waiting = 0
  return () => {
    if (++waiting >= parties) open()
    return opened
  }
}
