/**
 * Events on their way to EVENTS_URL: written in the transaction of the thing they tell of, posted until they are accepted.
 *
 * At least once, in no order: the receiver removes repeats by event_id.
 */

import { createHmac, randomUUID } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'

import { log, wordsOf } from './log.js'
import { SerialQueue } from './queue.js'

const AT_A_TIME = 8 // connections
const IN_HAND = 64 // events
const POST_LIMIT_MS = 5_000
const LOOK_MS = 5_000 // for events that another process has left, and those that wait for their next try

// Posting must not hold a transaction open: a claim is a due time so far away that the post is over by then.
const CLAIM = `
  UPDATE baileys.outbox SET tries = tries + 1, due_at = clock_timestamp() + interval '10 s'
  WHERE id IN (
    SELECT id FROM baileys.outbox WHERE due_at <= clock_timestamp() ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
  )
  RETURNING id, body`

const PUT_BACK = `
  UPDATE baileys.outbox SET due_at = clock_timestamp() + least(15, 0.25 * 2 ^ least(tries - 1, 10)) * interval '1 s'
  WHERE id = ANY ($1)`

const ACCEPTED = 'DELETE FROM baileys.outbox WHERE id = ANY ($1)'

const NEXT_MS = `
  SELECT least($1, greatest(0, extract(epoch FROM min(due_at) - clock_timestamp()) * 1000))::float AS ms FROM baileys.outbox`

const PUT = `
  INSERT INTO baileys.outbox (body, due_at) VALUES ($1, clock_timestamp() + $2 * interval '1 ms') RETURNING id`

const COMPLETE = 'UPDATE baileys.outbox SET body = $2, due_at = clock_timestamp() WHERE id = $1'

/**
 * @typedef {{ query: (statement: import('pg').QueryConfig) => Promise<any> }} Executor a database, or a transaction
 * @typedef {{ id: string, body: string }} Event
 */

export class Outbox {
  #database
  #url
  #secret
  #protocol
  #agent
  /** @type {Set<Promise<void>>} */
  #posting = new Set()
  /** @type {string[]} */
  #accepted = []
  /** @type {string[]} */
  #refused = []
  #writing = new SerialQueue()
  #closed = false
  #reached = true
  #woken = false
  #rouse = () => {}

  /**
   * @param {import('./database.js').Database} database
   * @param {string | null} url null: there is nobody to tell, and nothing is kept
   * @param {string | null} secret
   */
  constructor(database, url, secret) {
    this.#database = database
    this.#url = url
    this.#secret = secret ?? ''
    this.#protocol = url?.startsWith('https:') ? https : http
    this.#agent = new this.#protocol.Agent({ keepAlive: true, maxSockets: AT_A_TIME })
  }

  /**
   * Write an event down, in the transaction of what it tells of; wake the outbox once that is committed.
   * @param {Executor} executor
   * @param {string} session
   * @param {'receipt' | 'inbound' | 'connection'} type
   * @param {Record<string, unknown>} data
   * @param {{ at?: Date, id?: string, withinMs?: number }} [event] the same id for the same thing, if it may be told twice;
   *   how long it may still be completed before it goes out as it is
   * @returns {Promise<(data: Record<string, unknown>) => Promise<unknown>>} completes it
   */
  async put(executor, session, type, data, { at = new Date(), id = randomUUID(), withinMs = 0 } = {}) {
    if (this.#url === null) return async () => {}
    const body = (/** @type {Record<string, unknown>} */ told) =>
      JSON.stringify({ event_id: id, session, type, at: at.toISOString(), data: told })
    const rows = await executor.query({ name: 'outbox_put', text: PUT, values: [body(data), withinMs] })
    const [row] = Array.isArray(rows) ? rows : rows.rows
    return (whole) => this.#database.query(COMPLETE, [row.id, body(whole)])
  }

  /**
   * Tell of what nothing else is written down for.
   * @param {string} session
   * @param {'receipt'} type
   * @param {Record<string, unknown>} data
   */
  async tell(session, type, data) {
    await this.put(this.#database, session, type, data)
    this.wake()
  }

  /** There is something new. */
  wake() {
    this.#woken = true
    this.#rouse()
  }

  /** Post what is due, until it is closed. */
  async run() {
    while (this.#url !== null && !this.#closed) {
      this.#woken = false
      try {
        await this.#rest(await this.#begin())
      } catch (error) {
        log.warn('EVENTS', 'the outbox could not be read and is looked at again', { error: wordsOf(error) })
        await this.#rest(LOOK_MS)
      }
    }
  }

  /** Stop posting. What is not accepted by then stays for the next start. */
  async close() {
    this.#closed = true
    this.wake()
    await Promise.all(this.#posting)
    this.#agent.destroy()
  }

  /** Begin to post what is due; how long nothing more will be. */
  async #begin() {
    const room = IN_HAND - this.#posting.size
    if (!room) return LOOK_MS // or until the first of them is over
    const events = await this.#database.query({ name: 'outbox_claim', text: CLAIM, values: [room] })
    for (const event of /** @type {Event[]} */ (events)) {
      const posting = this.#deliver(event).finally(() => {
        this.#posting.delete(posting)
        if (this.#posting.size === IN_HAND - 1) this.wake()
      })
      this.#posting.add(posting)
    }
    if (events.length) return 0
    const [{ ms }] = await this.#database.query({ name: 'outbox_next', text: NEXT_MS, values: [LOOK_MS] })
    return ms
  }

  /** @param {number} ms */
  async #rest(ms) {
    if (this.#woken || this.#closed || !ms) return
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, ms, null)
      this.#rouse = () => {
        clearTimeout(timer)
        resolve(null)
      }
    })
  }

  /** @param {Event} event */
  async #deliver({ id, body }) {
    const trouble = await this.#post(body)
    this.#logReach(trouble)
    ;(trouble ? this.#refused : this.#accepted).push(id)
    try {
      await this.#writing.run(() => this.#write())
      if (trouble) this.wake() // its next try is due sooner than its claim was over
    } catch (error) {
      log.warn('EVENTS', 'how events were taken could not be written down and may be posted again', { error: wordsOf(error) })
    }
  }

  /** Write down how posts ended: in one go for all that ended while the last ones were written down. */
  async #write() {
    const accepted = this.#accepted.splice(0)
    const refused = this.#refused.splice(0)
    if (accepted.length) await this.#database.query({ name: 'outbox_accepted', text: ACCEPTED, values: [accepted] })
    if (refused.length) await this.#database.query({ name: 'outbox_put_back', text: PUT_BACK, values: [refused] })
  }

  /**
   * @param {string} body
   * @returns {Promise<string | null>} what was wrong, or null when it was accepted
   */
  #post(body) {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'x-signature': `sha256=${createHmac('sha256', this.#secret).update(body).digest('hex')}`
    }
    const signal = AbortSignal.timeout(POST_LIMIT_MS)
    return new Promise((resolve) => {
      /** @param {Error & { code?: string }} error */
      const failed = (error) => resolve(String(error.code ?? error.name))
      const options = { method: 'POST', agent: this.#agent, headers, signal }
      this.#protocol
        .request(/** @type {string} */ (this.#url), options, (response) => {
          const { statusCode = 0 } = response
          response.on('end', () => resolve(statusCode >= 200 && statusCode < 300 ? null : `HTTP ${statusCode}`))
          response.on('error', failed)
          response.resume()
        })
        .on('error', failed)
        .end(body)
    })
  }

  /**
   * Log when the receiver goes away and when it is back, not every failure between.
   * @param {string | null} trouble
   */
  #logReach(trouble) {
    if (trouble && this.#reached)
      log.warn('EVENTS', 'the receiver does not accept events; they are kept and posted again', { trouble })
    if (!trouble && !this.#reached) log.info('EVENTS', 'the receiver accepts events again')
    this.#reached = !trouble
  }
}
