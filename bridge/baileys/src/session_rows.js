/** The rows of the sessions: what the next process knows of them. */

import { log, wordsOf } from './log.js'
import { SerialQueue } from './queue.js'

/**
 * @typedef {import('./session.js').State} State
 * @typedef {object} Row
 * @property {string} name
 * @property {State} state
 * @property {boolean} wanted
 * @property {boolean} paired
 * @property {string | null} phone
 * @property {string | null} last_error
 * @property {Date | null} restricted_until
 * @property {Date | null} last_message_at
 * @property {boolean} elsewhere another process runs it, or did
 * @typedef {Pick<Row, 'name' | 'state' | 'wanted' | 'phone' | 'last_error' | 'restricted_until'>} Change
 */

// $1 is the holder in all that read rows.
const ROW = `
  name, state, wanted, phone IS NOT NULL AS paired, phone, last_error, restricted_until, last_message_at,
  holder IS DISTINCT FROM $1 AND holder IS NOT NULL AS elsewhere`

// A session that another process runs is that one's to describe.
const RECORD = `
  UPDATE baileys.sessions SET state = $2, wanted = $3, phone = $4, last_error = $5, restricted_until = $6
  WHERE name = $1 AND (holder IS NULL OR holder = $7 OR lease_until <= clock_timestamp())
  RETURNING name`

export class SessionRows {
  #database
  #outbox
  #holder

  /**
   * @param {import('./database.js').Database} database
   * @param {import('./outbox.js').Outbox} outbox
   * @param {bigint} holder the number of this process
   */
  constructor(database, outbox, holder) {
    this.#database = database
    this.#outbox = outbox
    this.#holder = holder
  }

  /** @returns {Promise<Row[]>} */
  async all() {
    return this.#database.query(`SELECT ${ROW} FROM baileys.sessions ORDER BY created_at, name`, [this.#holder])
  }

  /**
   * Make the row if it is new, and have whoever can run the session.
   * @param {string} name
   * @returns {Promise<Row>}
   */
  async want(name) {
    const sql = `INSERT INTO baileys.sessions (name) VALUES ($2) ON CONFLICT (name) DO UPDATE SET wanted = true RETURNING ${ROW}`
    const [row] = await this.#database.query(sql, [this.#holder, name])
    return row
  }

  /**
   * @param {string} name
   * @returns {Promise<Row>}
   */
  async one(name) {
    return this.#database.one(`SELECT ${ROW} FROM baileys.sessions WHERE name = $2`, [this.#holder, name])
  }

  /** @param {string} name */
  async unwant(name) {
    await this.#database.query('UPDATE baileys.sessions SET wanted = false WHERE name = $1', [name])
  }

  /**
   * Write down how a session stands, and tell it.
   * @param {Change} change
   * @param {Record<string, unknown>} status
   */
  async record({ name, state, wanted, phone, last_error, restricted_until }, status) {
    // Not in a transaction: a process that is frozen in one would keep everybody from the row, and so from its lease. An event
    // that is lost in between is made good by the next look at the status.
    const values = [name, state, wanted, phone, last_error, restricted_until, this.#holder]
    const told = await this.#database.query({ name: 'session_record', text: RECORD, values })
    if (!told.length) return
    await this.#outbox.put(this.#database, name, 'connection', status)
    this.#outbox.wake()
  }
}

/** The states of one session, written down and told one after the other. */
export class Recorder {
  #rows
  #queue = new SerialQueue()

  /** @param {SessionRows} rows */
  constructor(rows) {
    this.#rows = rows
  }

  /**
   * @param {Change} change
   * @param {Record<string, unknown>} status
   */
  record(change, status) {
    const { name: session, state } = change
    this.#queue
      .run(() => this.#rows.record(change, status))
      .catch((error) => log.error('BRIDGE', 'a state was not written down', { session, state, error: wordsOf(error) }))
  }

  /** Return when all states so far are written. */
  recorded() {
    return this.#queue.run(async () => {})
  }
}
