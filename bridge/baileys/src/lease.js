/**
 * Leases: a session runs in one process only.
 *
 * A lease is a row's holder and time, by the database's clock. The holder is the number of an advisory lock that this
 * process has while it lives: when that is free its process is dead, and its leases need not run out first. Each write that
 * matters names the holder and the time, so that a process which was frozen and wakes changes nothing.
 */

import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'

import { log, wordsOf } from './log.js'

// All in milliseconds.
const LENGTH = 20_000
const RENEW_EVERY = 5_000
const AGAIN = 250
const ANSWER_LIMIT = 3_000

// A database that came up only now has lost the locks of the living too: they get the length of a lease to return.
const TAKE = `
  UPDATE baileys.sessions SET holder = $2, lease_until = clock_timestamp() + $3 * interval '1 millisecond'
  WHERE name = $1 AND (
    holder IS NULL OR holder = $2 OR lease_until <= clock_timestamp()
    OR (pg_postmaster_start_time() < clock_timestamp() - $3 * interval '1 millisecond' AND pg_try_advisory_xact_lock(holder))
  )
  RETURNING name`

const RENEW = `
  UPDATE baileys.sessions SET lease_until = clock_timestamp() + $3 * interval '1 millisecond'
  WHERE name = ANY ($1) AND holder = $2 AND lease_until > clock_timestamp()
  RETURNING name`

const RELEASE = `
  UPDATE baileys.sessions SET holder = NULL, lease_until = NULL WHERE name = ANY ($1) AND holder = $2`

/** The lease of a session was not ours any more: nothing was written. */
export class LeaseLostError extends Error {
  name = 'LeaseLostError'

  /** @param {string} session */
  constructor(session) {
    super(`the lease of ${session} is not held any more`)
  }
}

/** All leases of this process. */
export class Lease {
  holder = randomBytes(8).readBigInt64BE()

  #lengthMs
  #renewMs
  /** @type {import('./database.js').Database | null} */
  #database = null
  /** @type {Map<string, { until: number, end: NodeJS.Timeout }>} */
  #leases = new Map()
  /** @type {((name: string) => void)[]} */
  #listeners = []
  /** @type {import('pg').Client | null} */
  #client = null
  #locked = false
  #closed = false
  #rest = new AbortController()
  /** @type {Promise<void>} */
  #renewing = Promise.resolve()

  /** @param {{ lengthMs?: number, renewMs?: number }} [times] */
  constructor({ lengthMs = LENGTH, renewMs = RENEW_EVERY } = {}) {
    this.#lengthMs = lengthMs
    this.#renewMs = renewMs
  }

  /**
   * Be seen to live, from now on.
   * @param {import('./database.js').Database} database
   */
  async open(database) {
    this.#database = database
    await this.#renew()
    this.#renewing = this.#keepRenewing()
  }

  /**
   * Take a session's lease, if nobody alive has it.
   * @param {string} name
   * @returns {Promise<boolean>}
   */
  async take(name) {
    if (!this.#database || !this.#locked) return false // who is not seen to live would lose it at once
    const asked = performance.now()
    const row = await this.#database.one(TAKE, [name, this.holder, this.#lengthMs])
    if (row) this.#keep(name, asked)
    return this.held(name)
  }

  /**
   * Whether a session's lease is ours, to the best of our knowledge: only the database knows.
   * @param {string} name
   */
  held(name) {
    const lease = this.#leases.get(name)
    return lease !== undefined && performance.now() < lease.until
  }

  /**
   * Let go of a session's lease.
   * @param {string} name
   */
  async release(name) {
    this.#drop(name)
    await this.#database?.query(RELEASE, [[name], this.holder])
  }

  /**
   * Be told of each lease that is lost. Those that are released are not.
   * @param {(name: string) => void} listener
   */
  onLost(listener) {
    this.#listeners.push(listener)
  }

  /** Let go of everything, as one who leaves. */
  async close() {
    this.#closed = true
    this.#rest.abort()
    await this.#renewing
    const names = [...this.#leases.keys()]
    for (const name of names) this.#drop(name)
    if (names.length) await this.#database?.query(RELEASE, [names, this.holder])
    await this.#client?.end()
  }

  async #keepRenewing() {
    while (!this.#closed) {
      this.#rest = new AbortController()
      await pause(this.#locked ? this.#renewMs : AGAIN, null, this.#rest).catch(() => {})
      if (this.#closed) return
      await this.#renew().catch((error) => this.#disconnected(error))
    }
  }

  /** Over the connection that has our lock, so that who renews is also seen to live. */
  async #renew() {
    const client = (this.#client ??= await this.#connect())
    if (!this.#locked) this.#locked = await this.#lock(client)
    const asked = performance.now()
    const before = new Map(this.#leases)
    if (!before.size) return
    const renewed = await ask(client, RENEW, [[...before.keys()], this.holder, this.#lengthMs])
    const ours = new Set(renewed.map(({ name }) => name))
    for (const [name, lease] of before) {
      if (this.#leases.get(name) !== lease) continue // released meanwhile, or taken anew
      if (ours.has(name)) this.#keep(name, asked)
      else this.#lose(name)
    }
  }

  async #connect() {
    const client = await /** @type {import('./database.js').Database} */ (this.#database).connect()
    client.once('end', () => {
      if (this.#client === client) this.#disconnected(new Error('the connection ended'))
    })
    return client
  }

  /**
   * The lock is refused while a broken connection of ours is still alive for the server: others then see us live.
   * @param {import('pg').Client} client
   * @returns {Promise<boolean>}
   */
  async #lock(client) {
    const [{ locked }] = await ask(client, 'SELECT pg_try_advisory_lock($1) AS locked', [this.holder])
    return locked
  }

  /** @param {unknown} error */
  #disconnected(error) {
    const client = this.#client
    this.#client = null
    this.#locked = false
    this.#rest.abort()
    if (!client || this.#closed) return
    log.warn('BRIDGE', 'The connection that keeps the leases is lost', { error: wordsOf(error) })
    client.end().catch(() => {})
  }

  /**
   * @param {string} name
   * @param {number} asked when the database was asked: it counts from then or later
   */
  #keep(name, asked) {
    clearTimeout(this.#leases.get(name)?.end)
    const until = asked + this.#lengthMs
    const end = setTimeout(() => this.#lose(name), until - performance.now())
    this.#leases.set(name, { until, end })
  }

  /** @param {string} name */
  #drop(name) {
    clearTimeout(this.#leases.get(name)?.end)
    this.#leases.delete(name)
  }

  /** @param {string} name */
  #lose(name) {
    this.#drop(name)
    log.warn('BRIDGE', 'The lease is lost', { session: name })
    for (const listener of this.#listeners) listener(name)
  }
}

/**
 * @param {import('pg').Client} client
 * @param {string} text
 * @param {unknown[]} values
 */
async function ask(client, text, values) {
  const statement = { text, values, query_timeout: ANSWER_LIMIT }
  const { rows } = await client.query(statement)
  return rows
}
