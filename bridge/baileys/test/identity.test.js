import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'

import { Identity } from '../src/identity.js'
import { Lease } from '../src/lease.js'
import { Vault } from '../src/vault.js'
import { freshDatabase } from './postgres.js'

/** @type {Awaited<ReturnType<typeof freshDatabase>>} */
let database
/** @type {Lease} */
let lease

before(async () => {
  database = await freshDatabase()
  lease = new Lease()
  await lease.open(database)
  await database.query(`INSERT INTO baileys.sessions (name) VALUES ('one')`)
})
after(async () => {
  await lease.close()
  await database.close()
})

test('a connection that is over stores nothing over the keys of the next, and does not end it', async () => {
  let failures = 0
  let isOver = false
  const identity = new Identity('one', { database, vault: new Vault(randomBytes(32)), lease }, () => (failures += 1))
  assert.ok(await identity.take())
  const before = await identity.open(() => isOver)
  await before.keys.set({ session: { a: Buffer.from('1') } })
  isOver = true
  const next = await identity.open(() => false)
  await next.keys.set({ session: { a: Buffer.from('2') } })
  await assert.rejects(async () => before.keys.set({ session: { a: Buffer.from('old') } }), /is over/)
  assert.deepEqual(await next.keys.get('session', ['a']), { a: Buffer.from('2') })
  assert.equal(failures, 0)
})
