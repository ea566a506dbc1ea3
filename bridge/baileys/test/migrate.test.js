import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { after, before, test } from 'node:test'

import { openDatabase } from '../src/database.js'
import { migrate } from '../src/migrate.js'
import { emptyDatabase } from './postgres.js'

/** @type {Awaited<ReturnType<typeof emptyDatabase>>} */
let empty
before(async () => {
  empty = await emptyDatabase()
})
after(() => empty.close())

test('processes that start together run each migration once, and later ones none', async () => {
  const databases = await Promise.all(Array.from({ length: 5 }, () => openDatabase(empty.url)))
  await Promise.all(databases.map(migrate))
  await migrate(databases[0])
  const [{ names }] = await databases[0].query('SELECT array_agg(name ORDER BY name) AS names FROM baileys.migrations')
  const files = await readdir(new URL('../src/migrations/', import.meta.url))
  assert.deepEqual(names, files.sort())
  await Promise.all(databases.map((database) => database.close()))
})
