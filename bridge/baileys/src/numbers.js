/**
 * Which numbers are on WhatsApp. Asking often gets accounts banned: what was learnt is kept, and each session asks no more
 * than so many a minute.
 */

import { setTimeout as pause } from 'node:timers/promises'

import { NotSentError, digits } from './contract.js'

/** @typedef {import('./session.js').Session} Session */

const KNOWN = `
  SELECT number, exists FROM baileys.numbers
  WHERE number = ANY ($1) AND checked_at > clock_timestamp() - CASE WHEN exists THEN interval '30 days' ELSE interval '1 day' END`

const LEARN = `
  INSERT INTO baileys.numbers (number, exists) VALUES ($1, $2)
  ON CONFLICT (number) DO UPDATE SET exists = excluded.exists, checked_at = clock_timestamp()`

// What one process has read it believes for a while.
const BELIEVED_MS = 3_600_000
const REMEMBERED = 10_000 // numbers

export class Numbers {
  #database
  #perMinute
  /** @type {Map<string, { exists: boolean, until: number }>} the earliest first */
  #recent = new Map()
  /** @type {WeakMap<Session, Allowance>} */
  #allowances = new WeakMap()

  /**
   * @param {import('./database.js').Database} database
   * @param {number} perMinute how many numbers a session may ask WhatsApp about
   */
  constructor(database, perMinute) {
    this.#database = database
    this.#perMinute = perMinute
  }

  /**
   * Look several numbers up, as the contract tells them. Throws *throttled* when not all could be asked; those that were
   * are known from then on, so that asking again comes to an end.
   * @param {Session} session
   * @param {string[]} numbers
   */
  async check(session, numbers) {
    const wanted = [...new Set(numbers.map(digits).filter((number) => number !== null))]
    const found = await this.#find(wanted)
    const unknown = wanted.filter((number) => !found.has(number))
    const allowance = this.#allowance(session)
    const asked = unknown.slice(0, allowance.left())
    allowance.take(asked.length)
    await Promise.all(asked.map(async (number) => found.set(number, await this.#ask(session, number))))
    if (asked.length < unknown.length)
      throw throttled(allowance.waitMs(Math.min(unknown.length - asked.length, this.#perMinute)))
    return numbers.map((number) => {
      const known = digits(number)
      const exists = known !== null && found.get(known) === true
      return { number, exists, address: exists ? `${known}@s.whatsapp.net` : null }
    })
  }

  /**
   * What is known of a number without asking WhatsApp.
   * @param {string} number digits only
   * @returns {Promise<boolean | null>}
   */
  async known(number) {
    return (await this.#find([number])).get(number) ?? null
  }

  /**
   * Ask WhatsApp about one number; waits for its turn, but no longer than it may.
   * @param {Session} session
   * @param {string} number digits only
   * @param {number} withinMs
   */
  async ask(session, number, withinMs) {
    const allowance = this.#allowance(session)
    const waitMs = allowance.waitMs(1)
    if (waitMs > withinMs) throw throttled(waitMs)
    allowance.take(1)
    await pause(waitMs)
    return this.#ask(session, number)
  }

  /**
   * @param {string[]} numbers
   * @returns {Promise<Map<string, boolean>>}
   */
  async #find(numbers) {
    const now = performance.now()
    const found = new Map()
    for (const number of numbers) {
      const recent = this.#recent.get(number)
      if (recent && now < recent.until) found.set(number, recent.exists)
    }
    const wanted = numbers.filter((number) => !found.has(number))
    if (!wanted.length) return found
    for (const { number, exists } of await this.#database.query({ name: 'numbers_known', text: KNOWN, values: [wanted] })) {
      found.set(number, exists)
      this.#remember(number, exists)
    }
    return found
  }

  /**
   * @param {string} number
   * @param {boolean} exists
   */
  #remember(number, exists) {
    const [earliest] = this.#recent.keys()
    if (this.#recent.size === REMEMBERED) this.#recent.delete(earliest)
    this.#recent.delete(number)
    this.#recent.set(number, { exists, until: performance.now() + BELIEVED_MS })
  }

  /**
   * One number a question: in an answer about several, WhatsApp's own form of a number does not say which one was meant.
   * @param {Session} session
   * @param {string} number
   */
  async #ask(session, number) {
    const answer = await session.socket?.onWhatsApp(number)
    // No answer says nothing about the person.
    if (!answer) throw new NotSentError('provider_error', { words: 'WhatsApp did not say whether the number is known.' })
    const exists = answer.some((one) => one.exists)
    await this.#database.query({ name: 'numbers_learn', text: LEARN, values: [number, exists] })
    this.#remember(number, exists)
    return exists
  }

  /** @param {Session} session */
  #allowance(session) {
    const allowance = this.#allowances.get(session) ?? new Allowance(this.#perMinute)
    this.#allowances.set(session, allowance)
    return allowance
  }
}

/** A minute's worth of questions, which fills up again evenly. */
class Allowance {
  #perMinute
  #left
  #at = performance.now()

  /** @param {number} perMinute */
  constructor(perMinute) {
    this.#perMinute = perMinute
    this.#left = perMinute
  }

  /** How many can be asked now. */
  left() {
    const now = performance.now()
    this.#left = Math.min(this.#perMinute, this.#left + ((now - this.#at) / 60_000) * this.#perMinute)
    this.#at = now
    return Math.max(0, Math.floor(this.#left))
  }

  /**
   * How long until so many can be asked.
   * @param {number} count
   */
  waitMs(count) {
    this.left()
    return Math.max(0, ((count - this.#left) / this.#perMinute) * 60_000)
  }

  /**
   * Below nothing means that those who took wait for it.
   * @param {number} count
   */
  take(count) {
    this.#left -= count
  }
}

/** @param {number} waitMs */
function throttled(waitMs) {
  return new NotSentError('throttled', { retry_after_s: Math.max(1, Math.ceil(waitMs / 1000)) })
}
