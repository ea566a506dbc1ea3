/** All sessions of the process: those of the process before connect again, and those of one that dies are taken over. */

import { setTimeout as pause } from 'node:timers/promises'

import { log, wordsOf } from './log.js'
import { Session } from './session.js'

/**
 * @typedef {object} Parts What all sessions share.
 * @property {import('./database.js').Database} database
 * @property {import('./vault.js').Vault} vault
 * @property {import('./lease.js').Lease} lease
 * @property {import('./ledger.js').Ledger} ledger
 * @property {import('./session_rows.js').SessionRows} rows
 * @property {import('./receipts.js').Receipts} receipts
 * @property {import('./inbound.js').Inbound} inbound
 * @property {import('./settings.js').Settings} settings
 */

const AT_ONCE = 5 // sessions that connect at the same time when the process starts
const JITTER = 300 // milliseconds, as are all times here
const LOOK_EVERY = 5_000

export class Sessions {
  #parts
  /** @type {Map<string, Session>} */
  #all = new Map()
  /** @type {NodeJS.Timeout | undefined} */
  #looking
  #draining = false

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts
    parts.lease.onLost((/** @type {string} */ name) => this.#all.get(name)?.leaseLost())
  }

  /** Take up the sessions of the process before. Returns at once: they connect a few at a time, each for itself. */
  async load() {
    const rows = await this.#parts.rows.all()
    const waiting = rows.map((row) => this.#add(row)).filter((session) => session.isWanted)
    log.info('BRIDGE', 'sessions are taken up', { sessions: rows.length, wanted: waiting.length })
    for (let each = 0; each < AT_ONCE; each += 1) void this.#connectAll(waiting)
    this.#looking = setInterval(() => void this.#look(), LOOK_EVERY)
  }

  /** @param {string} name */
  get(name) {
    return this.#all.get(name)
  }

  all() {
    return [...this.#all.values()]
  }

  /**
   * Make the session if it is new, and connect it if it rests.
   * @param {string} name
   */
  async start(name) {
    const row = await this.#parts.rows.want(name)
    const session = this.#all.get(name) ?? this.#add(row)
    session.start()
    return session
  }

  /** @param {string} name */
  async restart(name) {
    this.#known(name).restart()
    await this.#parts.rows.want(name)
  }

  /** @param {string} name */
  async disconnect(name) {
    this.#known(name).disconnect()
    await this.#parts.rows.unwant(name)
  }

  /** @param {string} name */
  async logout(name) {
    await this.#known(name).logout()
    await this.#parts.rows.unwant(name)
  }

  /**
   * @param {string} name
   * @param {string} digits
   */
  pairingCode(name, digits) {
    return this.#known(name).pairingCode(digits)
  }

  /** Send nothing any more. */
  stopSending() {
    clearInterval(this.#looking)
    this.#draining = true
    for (const session of this.#all.values()) session.draining = true
  }

  /** End all connections, without logging out. */
  async close() {
    await Promise.all(this.all().map((session) => session.close()))
  }

  /** @param {string} name */
  #known(name) {
    const session = this.#all.get(name)
    if (!session) throw new Error('there is no such session')
    return session
  }

  /** @param {import('./session_rows.js').Row} row */
  #add(row) {
    const session = new Session(row, this.#parts)
    session.draining = this.#draining
    this.#all.set(row.name, session)
    return session
  }

  /** @param {Session[]} waiting */
  async #connectAll(waiting) {
    for (let session = waiting.shift(); session; session = waiting.shift()) {
      await pause(Math.random() * JITTER)
      if (session.draining) return
      if (!session.isWanted) continue // somebody has disconnected it while it waited
      session.start()
      await session.arrived()
    }
  }

  /** Stand by for the sessions that another process runs, and take up those that one has left. */
  async #look() {
    try {
      for (const row of await this.#parts.rows.all()) {
        const session = this.#all.get(row.name)
        if (row.wanted && (row.elsewhere || !session)) (session ?? this.#add(row)).start()
      }
    } catch (error) {
      log.warn('BRIDGE', 'the sessions of other processes could not be looked at', { error: wordsOf(error) })
    }
  }
}
