/** Until when WhatsApp restricts an account. It is pardoned by the clock. */

import { log, wordsOf } from './log.js'

const WHEN_NOT_TOLD = 300_000 // milliseconds; Fanfare itself waits longer each time that it is refused again
const LONGEST_TIMER = 2 ** 31 - 1 // milliseconds

export class Restriction {
  /** @type {number | null} */
  #until
  #pardoned
  /** @type {NodeJS.Timeout | undefined} */
  #timer

  /**
   * @param {Date | null} until
   * @param {() => void} pardoned
   */
  constructor(until, pardoned) {
    this.#until = until?.getTime() ?? null
    this.#pardoned = pardoned
    this.#wait()
  }

  /** Milliseconds since 1970, or null when there is none. */
  get until() {
    return this.#until !== null && this.#until > Date.now() ? this.#until : null
  }

  /** @param {number | null} until null: nobody knows */
  set(until) {
    this.#until = until ?? Date.now() + WHEN_NOT_TOLD
    this.#wait()
  }

  #wait() {
    clearTimeout(this.#timer)
    if (this.#until === null) return
    const left = this.#until - Date.now()
    this.#timer = setTimeout(() => this.#look(), Math.min(Math.max(left, 0) + 1, LONGEST_TIMER)).unref()
  }

  #look() {
    if (this.until) return this.#wait()
    this.#until = null
    this.#pardoned()
  }
}

/**
 * Ask WhatsApp until when it restricts; its answer comes as an event of the connection.
 * @param {string} session
 * @param {Pick<import('baileys').WASocket, 'fetchAccountReachoutTimelock'>} socket
 */
export async function askUntilWhen(session, socket) {
  try {
    await socket.fetchAccountReachoutTimelock()
  } catch (error) {
    log.warn('BRIDGE', 'WhatsApp does not say until when it restricts', { session, error: wordsOf(error) })
  }
}
