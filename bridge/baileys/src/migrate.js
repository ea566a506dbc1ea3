/** The tables, as this version needs them. */

import { readFile, readdir } from 'node:fs/promises'

const FOLDER = new URL('migrations/', import.meta.url)
const LOCK = '6247715086318194' // of ours alone: processes that start together migrate one after the other

/**
 * Run what was not run yet, in the order of the names.
 * @param {import('./database.js').Database} database
 */
export async function migrate(database) {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.sql')).sort()
  for (const name of names) {
    const sql = await readFile(new URL(name, FOLDER), 'utf8')
    await database.transaction(async (client) => {
      await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK])
      if (await wasRun(client, name)) return
      await client.query(sql)
      await client.query('INSERT INTO baileys.migrations (name) VALUES ($1)', [name])
    })
  }
}

/**
 * @param {import('pg').ClientBase} client
 * @param {string} name
 */
async function wasRun(client, name) {
  const { rows } = await client.query(`SELECT to_regclass('baileys.migrations') IS NOT NULL AS kept`)
  if (!rows[0].kept) return false // the first migration makes the table that remembers them
  const { rowCount } = await client.query('SELECT FROM baileys.migrations WHERE name = $1', [name])
  return Boolean(rowCount)
}
