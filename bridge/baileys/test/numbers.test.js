import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'

import { NotSentError } from '../src/contract.js'
import { Numbers } from '../src/numbers.js'
import { freshDatabase } from './postgres.js'

/** @type {import('../src/database.js').Database} */
let database

before(async () => {
  database = await freshDatabase()
})
beforeEach(() => database.query('TRUNCATE baileys.numbers'))
after(() => database.close())

/** A session whose WhatsApp knows all numbers but those that end in 0; undefined is no answer. */
function session(answers = true) {
  /** @type {string[]} */
  const asked = []
  const onWhatsApp = async (/** @type {string} */ number) => {
    asked.push(number)
    if (!answers) return undefined
    return number.endsWith('0') ? [] : [{ jid: `${number}@s.whatsapp.net`, exists: true }]
  }
  return { asked, session: /** @type {import('../src/session.js').Session} */ (/** @type {unknown} */ ({ socket: { onWhatsApp } })) }
}

/** @param {string} interval */
const age = (interval) => database.query('UPDATE baileys.numbers SET checked_at = checked_at - $1::interval', [interval])

test('numbers are looked up as they were asked, and what is no number is not asked about', async () => {
  const { asked, session: one } = session()
  const results = await new Numbers(database, 20).check(one, ['+972501234561', '972501234560', '12', '972501234561'])
  assert.deepEqual(results, [
    { number: '+972501234561', exists: true, address: '972501234561@s.whatsapp.net' },
    { number: '972501234560', exists: false, address: null },
    { number: '12', exists: false, address: null },
    { number: '972501234561', exists: true, address: '972501234561@s.whatsapp.net' }
  ])
  assert.deepEqual(asked.sort(), ['972501234560', '972501234561'])
})

test('what was learnt is kept: who is there for 30 days, who is not for one', async () => {
  const { asked, session: one } = session()
  const both = ['972501234560', '972501234561']
  const known = async () => {
    const later = new Numbers(database, 20) // a process remembers for itself
    return Promise.all(both.map((number) => later.known(number)))
  }
  await new Numbers(database, 20).check(one, both)
  await new Numbers(database, 20).check(one, both)
  assert.equal(asked.length, 2)
  assert.deepEqual(await known(), [false, true])
  await age('25 hours')
  assert.deepEqual(await known(), [null, true])
  await age('30 days')
  assert.deepEqual(await known(), [null, null])
  await new Numbers(database, 20).check(one, both)
  assert.deepEqual(await known(), [false, true])
})

test('one process does not read the same number all the time', async () => {
  const { session: one } = session()
  const numbers = new Numbers(database, 20)
  await numbers.check(one, ['972501234561'])
  await database.query('TRUNCATE baileys.numbers')
  assert.equal(await numbers.known('972501234561'), true)
})

test('no answer says nothing about the person', async () => {
  const numbers = new Numbers(database, 20)
  await assert.rejects(numbers.ask(session(false).session, '972501234561', 1000), { code: 'provider_error' })
  assert.equal(await numbers.known('972501234561'), null)
})

test('over so many a minute it is throttled, and asking again comes to an end', async () => {
  const { asked, session: one } = session()
  const numbers = new Numbers(database, 600)
  const many = Array.from({ length: 700 }, (_, number) => String(972501000001 + number))
  const refused = await numbers.check(one, many).then(null, (error) => error)
  assert.ok(refused instanceof NotSentError)
  assert.equal(refused.code, 'throttled')
  assert.ok(Math.abs(Number(refused.more.retry_after_s) - 10) <= 1)
  assert.equal(asked.length, 600)
  assert.equal((await numbers.check(session().session, many)).length, 700)
})

test('a send waits for its turn, one after the other, within its time', async () => {
  const { session: one } = session()
  const numbers = new Numbers(database, 300)
  await numbers.check(one, Array.from({ length: 300 }, (_, number) => String(972502000001 + number)))
  const begunAt = performance.now()
  await Promise.all([1, 3, 5, 7, 9].map((last) => numbers.ask(one, `97250300000${last}`, 5000)))
  const took = performance.now() - begunAt
  assert.ok(took > 300, `5 questions at 5 a second took ${took} ms`)
  await assert.rejects(
    Promise.all(Array.from({ length: 20 }, () => numbers.ask(one, '972503000009', 100))),
    { code: 'throttled' }
  )
})
