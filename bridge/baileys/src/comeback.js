/** How a session's connections have gone so far, and so how it comes back when the present one ends. */

import { afterClose, backoff } from './closing.js'

const STEADY = 60_000 // milliseconds; a connection that held so long is not one that failed

export class Comeback {
  #tries = 0
  #badSessions = 0
  #restarted = false
  #confirmed = false
  /** @type {number | null} */
  #qrSince = null
  /** @type {number | null} */
  #openedAt = null

  /** Milliseconds since 1970, or null while there is no open connection. */
  get openedAt() {
    return this.#openedAt
  }

  /** Somebody wants it now: whatever went wrong before counts no more. */
  afresh() {
    this.#tries = this.#badSessions = 0
    this.#restarted = this.#confirmed = false
    this.#qrSince = null
  }

  qrShown() {
    this.#qrSince ??= Date.now()
  }

  opened() {
    this.#restarted = this.#confirmed = false
    this.#qrSince = null
    this.#openedAt = Date.now()
  }

  /** The connection is given up. */
  left() {
    this.#openedAt = null
  }

  /**
   * The connection has ended.
   * @param {import('@hapi/boom').Boom | undefined} error
   * @param {boolean} paired
   */
  ended(error, paired) {
    const code = error?.output?.statusCode ?? 0
    const expires = Number(error?.data?.expire)
    const now = Date.now()
    if (this.#openedAt && now - this.#openedAt > STEADY) this.#tries = this.#badSessions = 0
    this.#badSessions = code === 500 ? this.#badSessions + 1 : 0
    const fate = afterClose(code, {
      paired,
      restarted: this.#restarted,
      confirmed: this.#confirmed,
      tries: this.#tries,
      badSessions: this.#badSessions,
      qrShownFor: this.#qrSince ? now - this.#qrSince : 0,
      bannedFor: expires > 0 ? expires * 1000 : null,
      random: Math.random()
    })
    if (fate.restart && !this.#restarted) this.#restarted = true
    else this.#tries += 1
    if (fate.confirm) this.#confirmed = true
    return { code, ...fate }
  }

  /** How long to wait after something of ours has failed, in milliseconds. */
  pause() {
    this.#tries += 1
    return backoff(this.#tries, Math.random())
  }
}
