/**
 * What makes a session the device that it is, in Postgres: its credentials, and Signal's keys and ratchets.
 *
 * An error is never taken for "nothing there": a new identity is made only for a session that has none. Whatever is written
 * is written by the holder of the session's lease, and is in the database before anybody acts upon it.
 */

import { BufferJSON, initAuthCreds, proto } from 'baileys'

import { LeaseLostError } from './lease.js'
import { SerialQueue } from './queue.js'
import { RecentKeys } from './recent_keys.js'

/**
 * @typedef {import('baileys').SignalDataTypeMap} Types
 * @typedef {import('baileys').SignalDataSet} SignalDataSet
 * @typedef {import('baileys').AuthenticationCreds} Creds
 * @typedef {object} Parts
 * @property {import('./database.js').Database} database
 * @property {import('./vault.js').Vault} vault
 * @property {import('./lease.js').Lease} lease held for the session
 * @property {string} session
 * @typedef {object} Batch What is written together.
 * @property {Map<string, { type: string, id: string, text: string | null }>} entries by type and id
 * @property {Promise<void>} stored
 */

const FENCE = 'name = $1 AND holder = $2 AND lease_until > clock_timestamp()'

const READ_CREDS = 'SELECT creds FROM baileys.sessions WHERE name = $1'

// Of two that begin a session's identity, both get the first.
const BEGIN_CREDS = `UPDATE baileys.sessions SET creds = coalesce(creds, $3) WHERE ${FENCE} RETURNING creds`

const SAVE_CREDS = `UPDATE baileys.sessions SET creds = $3 WHERE ${FENCE} RETURNING name`

const READ_KEYS = 'SELECT id, value FROM baileys.signal_keys WHERE session = $1 AND type = $2 AND id = ANY ($3)'

// The row is locked, so that nobody takes the lease between the look at it and the commit.
const WRITE_KEYS = `
  WITH mine AS (
    SELECT name FROM baileys.sessions WHERE ${FENCE} FOR SHARE
  ), given AS (
    SELECT type, id, value FROM unnest($3::text[], $4::text[], $5::bytea[]) AS given (type, id, value)
  ), gone AS (
    DELETE FROM baileys.signal_keys AS kept USING mine, given
    WHERE kept.session = mine.name AND kept.type = given.type AND kept.id = given.id AND given.value IS NULL
  ), stored AS (
    INSERT INTO baileys.signal_keys (session, type, id, value)
    SELECT mine.name, type, id, value FROM mine, given WHERE value IS NOT NULL
    ON CONFLICT (session, type, id) DO UPDATE SET value = excluded.value
  )
  SELECT name FROM mine`

const FORGET = `
  WITH mine AS (
    UPDATE baileys.sessions SET creds = NULL WHERE ${FENCE} RETURNING name
  ), gone AS (
    DELETE FROM baileys.signal_keys USING mine WHERE session = mine.name
  )
  SELECT name FROM mine`

/**
 * Read a session's identity, or make it if it has none.
 * @param {Parts} parts
 */
export async function openAuthState(parts) {
  const { database, vault, lease, session } = parts
  const place = `${session}/creds`
  const row = await database.one(READ_CREDS, [session])
  if (!row) throw new Error(`there is no session ${session}`)
  if (row.creds) return new AuthState(parts, parse(vault.open(row.creds, place).toString()))
  const fresh = vault.seal(Buffer.from(stringify(initAuthCreds())), place)
  const begun = await database.one(BEGIN_CREDS, [session, lease.holder, fresh])
  if (!begun) throw new LeaseLostError(session)
  return new AuthState(parts, parse(vault.open(begun.creds, place).toString()))
}

/**
 * Forget an identity, also one that cannot be read any more because its key is lost.
 * @param {Pick<Parts, 'database' | 'lease' | 'session'>} parts
 */
export async function forgetAuthState({ database, lease, session }) {
  const gone = await database.one({ name: 'creds_forget', text: FORGET, values: [session, lease.holder] })
  if (!gone) throw new LeaseLostError(session)
}

/** As Baileys wants it: creds and keys; and what a session needs besides. */
class AuthState {
  #database
  #vault
  #lease
  #session
  #recent = new RecentKeys()
  #writes = new SerialQueue() // one after the other, so that an early one never overwrites a later one
  /** @type {Batch | null} */
  #next = null

  /**
   * @param {Parts} parts
   * @param {Creds} creds
   */
  constructor({ database, vault, lease, session }, creds) {
    this.#database = database
    this.#vault = vault
    this.#lease = lease
    this.#session = session
    this.creds = creds
    this.keys = {
      /** @type {import('baileys').SignalKeyStore['get']} */
      get: (type, ids) => this.#get(type, ids),
      /** @param {SignalDataSet} data */
      set: (data) => this.#set(data)
    }
  }

  /** Store the credentials as they are now. */
  async saveCreds() {
    const sealed = this.#vault.seal(Buffer.from(stringify(this.creds)), `${this.#session}/creds`)
    await this.#writes.run(() => this.#write('creds_save', SAVE_CREDS, [sealed]))
  }

  /** Forget the identity and all that belongs to it: the phone has logged this device out. */
  async forget() {
    await this.#writes.run(() => forgetAuthState({ database: this.#database, lease: this.#lease, session: this.#session }))
    this.#recent.clear()
  }

  /**
   * @template {keyof Types} T
   * @param {T} type
   * @param {string[]} ids
   * @returns {Promise<{ [id: string]: Types[T] }>} without those that are not there
   */
  async #get(type, ids) {
    const known = this.#recent.find(type, ids)
    const missing = ids.filter((id) => !known.has(id))
    if (missing.length) {
      const { era } = this.#recent
      const read = await this.#read(type, missing)
      for (const [id, text] of read) known.set(id, text)
      // What was written meanwhile may be newer than what was read.
      if (era === this.#recent.era) this.#recent.learn(type, read)
    }
    const found = [...known].filter(([, text]) => text !== null)
    return Object.fromEntries(found.map(([id, text]) => [id, revive(type, /** @type {string} */ (text))]))
  }

  /**
   * @param {string} type
   * @param {string[]} ids
   * @returns {Promise<Map<string, string | null>>}
   */
  async #read(type, ids) {
    const rows = await this.#database.query({ name: 'keys_read', text: READ_KEYS, values: [this.#session, type, ids] })
    const read = new Map(ids.map((id) => [id, /** @type {string | null} */ (null)]))
    for (const { id, value } of rows) read.set(id, this.#vault.open(value, this.#place(type, id)).toString())
    return read
  }

  /**
   * Store everything, or nothing; what is set while another write is under way shares the next one, as the ratchets of all
   * the devices that one message is encrypted for.
   * @param {SignalDataSet} data a null deletes
   * @returns {Promise<void>} when it is stored
   */
  #set(data) {
    const entries = Object.entries(data).flatMap(([type, values]) =>
      Object.entries(values).map(([id, value]) => ({ type, id, text: value == null ? null : stringify(value) }))
    )
    if (!entries.length) return Promise.resolve()
    this.#next ??= { entries: new Map(), stored: this.#writes.run(() => this.#storeNext()) }
    for (const entry of entries) this.#next.entries.set(`${entry.type}/${entry.id}`, entry)
    return this.#next.stored
  }

  async #storeNext() {
    await new Promise(setImmediate) // until whoever is about to set something has done so
    const entries = [.../** @type {Batch} */ (this.#next).entries.values()]
    this.#next = null
    const types = entries.map(({ type }) => type)
    const ids = entries.map(({ id }) => id)
    const sealed = entries.map(({ type, id, text }) =>
      text === null ? null : this.#vault.seal(Buffer.from(text), this.#place(type, id))
    )
    let stored = false
    try {
      await this.#write('keys_write', WRITE_KEYS, [types, ids, sealed])
      stored = true
    } finally {
      for (const { type, id, text } of entries) this.#recent.wrote(type, id, stored ? text : undefined)
    }
  }

  /**
   * @param {string} name
   * @param {string} text
   * @param {unknown[]} values
   */
  async #write(name, text, values) {
    const row = await this.#database.one({ name, text, values: [this.#session, this.#lease.holder, ...values] })
    if (!row) throw new LeaseLostError(this.#session)
  }

  /**
   * @param {string} type
   * @param {string} id
   */
  #place(type, id) {
    return `${this.#session}/${type}/${id}`
  }
}

/** @param {unknown} value */
function stringify(value) {
  return JSON.stringify(value, BufferJSON.replacer)
}

/**
 * Most of what is read has no bytes in it, and a reviver is asked about each value.
 * @param {string} text
 */
function parse(text) {
  return text.includes('"Buffer"') ? JSON.parse(text, BufferJSON.reviver) : JSON.parse(text)
}

/**
 * A new value each time: Baileys changes what it was given.
 * @param {string} type
 * @param {string} text
 */
function revive(type, text) {
  const value = parse(text)
  return type === 'app-state-sync-key' ? proto.Message.AppStateSyncKeyData.fromObject(value) : value
}
