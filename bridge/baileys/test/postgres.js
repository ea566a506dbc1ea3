/** Databases for one test file, on the Postgres at TEST_DATABASE_URL. */

import { randomBytes } from 'node:crypto'

import pg from 'pg'

import { Database, openDatabase } from '../src/database.js'
import { migrate } from '../src/migrate.js'

/** A new database with all tables, open; it is gone when it is closed. */
export async function freshDatabase() {
  const empty = await emptyDatabase()
  const database = await openDatabase(empty.url)
  await migrate(database)
  const close = async () => {
    await Database.prototype.close.call(database)
    await empty.close()
  }
  return Object.assign(database, { url: empty.url, close })
}

/** A new database with nothing in it. */
export async function emptyDatabase() {
  const name = `test_${randomBytes(8).toString('hex')}`
  await administer(`CREATE DATABASE ${name}`)
  const url = new URL(server())
  url.pathname = `/${name}`
  return { url: url.href, close: () => administer(`DROP DATABASE ${name} WITH (FORCE)`) }
}

/** @param {string} sql */
async function administer(sql) {
  const client = new pg.Client(server())
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

function server() {
  const url = process.env.TEST_DATABASE_URL
  if (!url) throw new Error('TEST_DATABASE_URL: the address of a Postgres that these tests may make databases on')
  return url
}
