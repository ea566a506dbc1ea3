/** Postgres: what passes by itself is tried again, so that a restart of the server costs time and nothing else. */

import { setTimeout as pause } from 'node:timers/promises'

import pg from 'pg'

// All in milliseconds.
const PATIENCE = 10_000 // how long an error that passes is tried again
const FIRST_PAUSE = 50
const LONGEST_PAUSE = 1_000
const CONNECT_LIMIT = 5_000
const ANSWER_LIMIT = 60_000 // a server that says nothing for so long is lost
const IDLE_LIMIT = 10_000

// Serialization, deadlock, the server goes or comes, it lacks room, the connection broke.
const PASSING_STATES = /^(40001|40P01|57P|53|08)/
const PASSING_FAULTS = /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENETDOWN|EAI_AGAIN)/
const PASSING_WORDS = /^(Connection terminated|timeout e|Query read timeout|Client has encountered a connection error)/

/**
 * Open a pool of connections. They are made when they are needed: this does not say whether the server is there.
 * @param {string} url
 * @param {{ max?: number }} [options] the most connections at a time
 */
export async function openDatabase(url, { max = 10 } = {}) {
  return new Database(connectionSettings(url), max)
}

/**
 * @typedef {string | pg.QueryConfig} Statement Named ones are prepared once a connection.
 */

export class Database {
  #settings
  #pool

  /**
   * @param {pg.ClientConfig} settings
   * @param {number} max
   */
  constructor(settings, max) {
    this.#settings = settings
    this.#pool = new pg.Pool({ ...settings, max })
    // Who uses a connection gets its error; without these the loss of an idle one would end the process.
    this.#pool.on('error', () => {})
    this.#pool.on('connect', (client) => client.on('error', () => {}))
  }

  /**
   * Run one statement. It may run twice, when its answer was lost: give only what can be repeated.
   * @param {Statement} statement
   * @param {unknown[]} [values]
   * @returns {Promise<any[]>}
   */
  async query(statement, values) {
    return patiently(async () => (await this.#pool.query(statement, values)).rows)
  }

  /**
   * The first row, or null.
   * @param {Statement} statement
   * @param {unknown[]} [values]
   * @returns {Promise<any>}
   */
  async one(statement, values) {
    const [row] = await this.query(statement, values)
    return row ?? null
  }

  /**
   * Run work in a transaction; it is repeated as a whole, so it must touch nothing else.
   * @template T
   * @param {(client: pg.PoolClient) => Promise<T>} work
   * @returns {Promise<T>}
   */
  async transaction(work) {
    return patiently(async () => {
      const client = await this.#pool.connect()
      try {
        await client.query('BEGIN')
        const result = await work(client)
        const { command } = await client.query('COMMIT')
        if (command !== 'COMMIT') throw new Error('the transaction had failed and was rolled back')
        client.release()
        return result
      } catch (error) {
        client.release(true) // the end of its connection rolls it back, whatever state it was in
        throw error
      }
    })
  }

  /** A connection of one's own, outside of the pool, to be ended by who asked for it. */
  async connect() {
    const client = new pg.Client(this.#settings)
    client.on('error', () => {})
    await client.connect()
    return client
  }

  async close() {
    await this.#pool.end()
  }
}

/**
 * @param {string} url
 * @returns {pg.ClientConfig}
 */
function connectionSettings(url) {
  const address = new URL(url)
  // The same address is given to Fanfare's other programs: its sslmode has to mean here what it means to them.
  if (address.searchParams.has('sslmode')) address.searchParams.set('uselibpqcompat', 'true')
  return {
    connectionString: address.href,
    application_name: 'fanfare-baileys',
    connectionTimeoutMillis: CONNECT_LIMIT,
    query_timeout: ANSWER_LIMIT,
    // A process that froze in a transaction must not keep the others from its sessions for longer than its leases.
    idle_in_transaction_session_timeout: IDLE_LIMIT,
    keepAlive: true
  }
}

/**
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
async function patiently(work) {
  const until = performance.now() + PATIENCE
  for (let wait = FIRST_PAUSE; ; wait = Math.min(2 * wait, LONGEST_PAUSE)) {
    try {
      return await work()
    } catch (error) {
      if (!passes(error) || performance.now() + wait > until) throw error
      await pause(wait * (0.5 + Math.random() / 2))
    }
  }
}

/** @param {unknown} error */
function passes(error) {
  if (error instanceof pg.DatabaseError) return PASSING_STATES.test(error.code ?? '')
  if (!(error instanceof Error)) return false
  return PASSING_FAULTS.test(/** @type {NodeJS.ErrnoException} */ (error).code ?? '') || PASSING_WORDS.test(error.message)
}
