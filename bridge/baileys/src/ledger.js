/**
 * The ledger: what became of each key.
 *
 * A key goes reserved → dispatching → sent, or to failed from either of the first two; each move names the states it comes
 * from. *dispatching* is committed before a byte leaves, so that after a crash the ledger never claims less than happened.
 * Every statement may run twice: the database repeats one whose answer was lost.
 */

import { refuse } from './contract.js'
import { messageId as idOf } from './message_id.js'

/**
 * @typedef {import('./contract.js').Answer} Answer
 * @typedef {import('./contract.js').Attempt} Attempt
 * @typedef {import('./contract.js').ErrorCode} ErrorCode
 * @typedef {import('pg').ClientBase} Client
 * @typedef {'reserved' | 'dispatching' | 'sent' | 'failed' | 'closed'} State
 * @typedef {(client: Client) => Promise<unknown>} Also what is written in the same transaction, if the key moves
 * @typedef {object} Entry What the ledger knows of one key.
 * @property {string} key
 * @property {State} state
 * @property {Buffer | null} fingerprint
 * @property {string | null} message_id
 * @property {string | null} error
 * @property {Answer | null} answer what its first POST was answered, once that is known
 * @property {string} updated_at
 * @property {string} ledger_since
 */

const ISO = `'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'`
const SINCE = `(SELECT to_char(since AT TIME ZONE 'UTC', ${ISO}) FROM baileys.ledger)`
const ENTRY = `key, state, fingerprint, message_id, error, answer,
  to_char(updated_at AT TIME ZONE 'UTC', ${ISO}) AS updated_at, ${SINCE} AS ledger_since`

const FIND = `SELECT ${ENTRY} FROM baileys.sends WHERE key = $1`

// The commit is not waited for: a reservation that is lost with the server is an absent key, and nothing was handed over.
const RESERVE = `
  WITH unhurried AS (SELECT set_config('synchronous_commit', 'off', true))
  INSERT INTO baileys.sends (key, session, state, fingerprint)
  SELECT $1, $2, 'reserved', $3 FROM unhurried
  ON CONFLICT (key) DO NOTHING
  RETURNING key`

// A key that is dispatching already was moved by this very statement, whose answer was lost: nobody else has the lease.
const DISPATCH = `
  WITH lease AS (
    SELECT FROM baileys.sessions WHERE name = $2 AND holder = $5 AND lease_until > clock_timestamp()
  ), moved AS (
    UPDATE baileys.sends SET state = 'dispatching', message_id = $3, content = $4, updated_at = clock_timestamp()
    WHERE key = $1 AND state = 'reserved' AND EXISTS (SELECT FROM lease)
    RETURNING key
  )
  SELECT EXISTS (SELECT FROM lease) AS leased,
    EXISTS (SELECT FROM moved) OR EXISTS (SELECT FROM baileys.sends WHERE key = $1 AND state = 'dispatching') AS dispatched`

// The time of the last message is not written more than once a second: the row of the session is the one that all share.
const SENT = `
  WITH moved AS (
    UPDATE baileys.sends SET state = 'sent', answer = $2, updated_at = clock_timestamp()
    WHERE key = $1 AND state = 'dispatching'
    RETURNING session
  ), told AS (
    UPDATE baileys.sessions SET last_message_at = clock_timestamp() FROM moved
    WHERE name = moved.session AND coalesce(last_message_at < clock_timestamp() - interval '1 s', true)
  )
  SELECT FROM moved`

const FAIL = `
  UPDATE baileys.sends SET state = 'failed', error = $2, answer = $3, content = NULL, updated_at = clock_timestamp()
  WHERE key = $1 AND state IN ('reserved', 'dispatching')
  RETURNING key`

const FORGET = `DELETE FROM baileys.sends WHERE key = $1 AND state IN ('reserved', 'dispatching') RETURNING key`

// Of a key that was closed before, the time is that of this question too, so that the ledger's age at it can be told.
const CLOSE = `
  INSERT INTO baileys.sends (key, session, state) VALUES ($1, $2, 'closed')
  ON CONFLICT (key) DO UPDATE SET state = 'closed', updated_at = clock_timestamp()
  WHERE sends.state IN ('reserved', 'failed', 'closed')`

const REMEMBERED = 5_000 // messages

export class Ledger {
  #database
  #vault
  /** @type {Map<string, string>} keys by message id, of what was sent of late: its receipts come within seconds */
  #sentOfLate = new Map()

  /**
   * @param {import('./database.js').Database} database
   * @param {import('./vault.js').Vault} vault for the contents
   */
  constructor(database, vault) {
    this.#database = database
    this.#vault = vault
  }

  /** Since when it knows everything. */
  async since() {
    const [row] = await this.#database.query(`SELECT ${SINCE} AS since`)
    return /** @type {string} */ (row.since)
  }

  /**
   * @param {string} key
   * @returns {Promise<Entry | null>}
   */
  async find(key) {
    const [entry] = await this.#hot('ledger_find', FIND, [key])
    return entry ?? null
  }

  /**
   * Write a new key down.
   * @param {Attempt} attempt
   * @returns {Promise<Entry | null>} what is known of it if it is not new
   */
  async reserve({ key, session, fingerprint }) {
    for (;;) {
      const made = await this.#hot('ledger_reserve', RESERVE, [key, session, fingerprint])
      const entry = made.length ? null : await this.find(key)
      if (made.length || entry) return entry
      // It was there and is not any more: forgotten in between.
    }
  }

  /**
   * Say that it may go out from now on. Only the process that has the session's lease may.
   * @param {Attempt} attempt
   * @param {string} messageId
   * @param {Buffer} content the message, for a phone that could not read it
   * @param {bigint} holder
   * @returns {Promise<'dispatched' | 'closed' | 'lease_lost'>}
   */
  async dispatch({ key, session }, messageId, content, holder) {
    const sealed = this.#vault.seal(content, place(session, messageId))
    const [{ leased, dispatched }] = await this.#hot('ledger_dispatch', DISPATCH, [key, session, messageId, sealed, holder])
    if (!leased) return 'lease_lost'
    return dispatched ? 'dispatched' : 'closed'
  }

  /**
   * WhatsApp has it.
   * @param {string} key
   * @param {Answer} answer
   * @param {Also} [also]
   */
  async sent(key, answer, also) {
    if (!(await this.#move('ledger_sent', SENT, [key, JSON.stringify(answer)], also))) return
    const [earliest] = this.#sentOfLate.keys()
    if (this.#sentOfLate.size === REMEMBERED) this.#sentOfLate.delete(earliest)
    this.#sentOfLate.set(String(answer.body.message_id), key)
  }

  /**
   * Known not sent, for ever: the look-up of this key is a proof.
   * @param {string} key
   * @param {ErrorCode} code
   * @param {Answer} answer
   * @param {Also} [also]
   * @returns {Promise<boolean>} false if the key was closed meanwhile
   */
  async fail(key, code, answer, also) {
    if (await this.#move('ledger_fail', FAIL, [key, code, JSON.stringify(answer)], also)) return true
    return (await this.find(key))?.state === 'failed'
  }

  /**
   * The device could not send and nothing has left: the key is free.
   * @param {string} key
   * @returns {Promise<boolean>} false if it was closed meanwhile
   */
  async forget(key) {
    const gone = await this.#database.query(FORGET, [key])
    return gone.length > 0 || (await this.find(key)) === null
  }

  /**
   * Close a key for ever, also one never seen; *sent* and *dispatching* stay.
   * @param {string} session
   * @param {string} key
   * @returns {Promise<Entry>} what it is now
   */
  async close(session, key) {
    await this.#database.query(CLOSE, [key, session])
    const entry = await this.find(key)
    if (!entry) throw new Error('a key that was just closed is not there')
    return entry
  }

  /**
   * @param {string} session
   * @param {string} messageId
   * @returns {Promise<{ key: string, state: State } | null>}
   */
  async byMessageId(session, messageId) {
    const key = this.#sentOfLate.get(messageId)
    if (key && messageId === idOf(session, key)) return { key, state: 'sent' } // anybody may name any id to another session
    const sql = 'SELECT key, state FROM baileys.sends WHERE session = $1 AND message_id = $2'
    const [found] = await this.#hot('ledger_by_message_id', sql, [session, messageId])
    return found ?? null
  }

  /**
   * The message as it was handed over.
   * @param {string} session
   * @param {string} messageId
   * @returns {Promise<Buffer | null>}
   */
  async content(session, messageId) {
    const sql = 'SELECT content FROM baileys.sends WHERE session = $1 AND message_id = $2'
    const [found] = await this.#database.query(sql, [session, messageId])
    return found?.content ? this.#vault.open(found.content, place(session, messageId)) : null
  }

  /**
   * A key's state as the contract tells it.
   * @param {Entry} entry
   */
  body({ state, message_id, error, updated_at, ledger_since }) {
    return { state, message_id, error, updated_at, ledger_since }
  }

  /** Keys are kept 30 days, and contents 7: nobody's phone asks for a message again after a week. */
  async forgetOld() {
    await this.#database.query(`DELETE FROM baileys.sends WHERE updated_at < clock_timestamp() - interval '30 days'`)
    await this.#database.query(
      `UPDATE baileys.sends SET content = NULL
       WHERE content IS NOT NULL AND updated_at < clock_timestamp() - interval '7 days'`
    )
  }

  /**
   * @param {string} name
   * @param {string} text
   * @param {unknown[]} values
   * @param {Also} [also]
   * @returns {Promise<boolean>} whether the key moved
   */
  async #move(name, text, values, also) {
    if (!also) return (await this.#hot(name, text, values)).length > 0
    return this.#database.transaction(async (client) => {
      const { rowCount } = await client.query({ name, text, values })
      if (rowCount) await also(client)
      return Boolean(rowCount)
    })
  }

  /**
   * Run a statement that every send needs, prepared once a connection.
   * @param {string} name
   * @param {string} text
   * @param {unknown[]} values
   * @returns {Promise<any[]>}
   */
  #hot(name, text, values) {
    return this.#database.query({ name, text, values })
  }
}

/**
 * What a key that is in the ledger already answers.
 * @param {Entry} entry
 * @param {Attempt} attempt
 * @returns {Answer | null} null for one that was only reserved: nothing was handed over, it may be sent
 */
export function knownAnswer(entry, attempt) {
  if (entry.state === 'closed') return KEY_CLOSED
  if (!entry.fingerprint?.equals(attempt.fingerprint)) return KEY_CONFLICT
  const first = /** @type {Answer} */ (entry.answer)
  if (entry.state === 'sent') return { ...first, body: { ...first.body, duplicate: true } }
  if (entry.state === 'failed') return first
  return entry.state === 'dispatching' ? refuse('send_timeout') : null
}

export const KEY_CLOSED = Object.freeze({ status: 409, body: { error: 'key_closed' } })
export const KEY_CONFLICT = Object.freeze({ status: 409, body: { error: 'key_conflict' } })

/**
 * Where a content belongs: sealed for one message, it opens for no other.
 * @param {string} session
 * @param {string} messageId
 */
function place(session, messageId) {
  return `${session}/content/${messageId}`
}
