/**
 * The key material that a sidecar keeps: every run of bytes in its opened creds and keys that is as long as a key, in base64.
 *
 *   node tests/baileys/kept_keys.mjs        (DATABASE_URL, BAILEYS_AUTH_KEY)
 */

import { createRequire } from 'node:module'
import { Vault } from '../../bridge/baileys/src/vault.js'

const { Client } = createRequire(new URL('../../bridge/baileys/package.json', import.meta.url))('pg')
const RUN = /[A-Za-z0-9+/]{22,}={0,2}/g
const LENGTHS = [16, 20, 32, 33, 64] // bytes

/** @type {Set<string>} */
const found = new Set()

/** @param {string} text */
function look(text) {
  for (const [run] of text.matchAll(RUN)) {
    const bytes = Buffer.from(run, 'base64')
    if (LENGTHS.includes(bytes.length)) found.add(bytes.toString('base64'))
    else if (bytes.toString('utf8').startsWith('{')) look(bytes.toString('utf8'))
  }
}

const vault = new Vault(Buffer.from(process.env.BAILEYS_AUTH_KEY ?? '', 'base64'))
const client = new Client(process.env.DATABASE_URL)
await client.connect()
const creds = await client.query('SELECT name, creds FROM baileys.sessions WHERE creds IS NOT NULL')
for (const row of creds.rows) look(vault.open(row.creds, `${row.name}/creds`).toString())
const keys = await client.query('SELECT session, type, id, value FROM baileys.signal_keys')
for (const row of keys.rows) look(vault.open(row.value, `${row.session}/${row.type}/${row.id}`).toString())
await client.end()
process.stdout.write(JSON.stringify([...found]))
