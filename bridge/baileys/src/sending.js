/**
 * One send, from the request to the answer. Every line of it is a promise to a person.
 *
 * Whatever fails before a byte can have left is known not to have gone out; from the hand-over on only WhatsApp's ack, or
 * later a receipt, says what became of it.
 */

import { proto } from 'baileys'

import { contentOf } from './content.js'
import { DEVICE_PROBLEMS, NotSentError, refuse } from './contract.js'
import { hit } from './failpoints.js'
import { nothingLeft, problemOf } from './failures.js'
import { KEY_CLOSED, KEY_CONFLICT, knownAnswer } from './ledger.js'
import { log, masked, wordsOf } from './log.js'
import { messageId } from './message_id.js'
import { prepare } from './preparing.js'
import { untilDone } from './until_done.js'

/**
 * @typedef {import('./contract.js').Answer} Answer
 * @typedef {import('./contract.js').Attempt} Attempt
 * @typedef {import('./contract.js').ErrorCode} ErrorCode
 * @typedef {import('./session.js').Session} Session
 * @typedef {object} Send
 * @property {Session} session
 * @property {Attempt} attempt
 * @property {string} id WhatsApp's, of the message
 * @property {number} begunAt by the monotonic clock, as is the deadline
 * @property {number} deadline
 * @property {boolean} isOver the client was told that it is in doubt
 * @property {Promise<void>} [owed] what could not be written down at once
 */

const DRAIN_MS = 20_000
const ACCOUNT_RESTRICTED = '463'
const IN_FLIGHT = { status: 409, body: { error: 'in_flight' } }

export class Sender {
  #ledger
  #numbers
  #outbox
  /** @type {Map<string, { send: Send, ended: Promise<void> }>} */
  #underWay = new Map()
  /** @type {Set<Promise<void>>} late acks that are not written down yet */
  #settling = new Set()
  #stopped = false

  /**
   * @param {object} parts
   * @param {import('./ledger.js').Ledger} parts.ledger
   * @param {import('./numbers.js').Numbers} parts.numbers
   * @param {import('./outbox.js').Outbox} parts.outbox
   */
  constructor({ ledger, numbers, outbox }) {
    this.#ledger = ledger
    this.#numbers = numbers
    this.#outbox = outbox
  }

  /**
   * Answer one POST of a message, within its deadline. The send goes on when the client hangs up, or when its time is over
   * before it is known how it ended; the ledger tells then.
   * @param {Session} session
   * @param {Attempt} attempt
   * @returns {Promise<Answer>}
   */
  async send(session, attempt) {
    const other = this.#underWay.get(attempt.key)
    if (other) return answerBeside(other.send, attempt)
    const begunAt = performance.now()
    const id = messageId(session.name, attempt.key)
    const send = { session, attempt, id, begunAt, deadline: begunAt + attempt.deadlineS * 1000, isOver: false }
    session.acks.late((late, ack, isFirst) => this.#settleLate(session, late, ack, isFirst))
    session.busy.begin()
    const done = this.#carry(send)
    const ended = this.#end(send, done)
    this.#underWay.set(attempt.key, { send, ended })
    return withinTime(send, done)
  }

  /** Take no new sends; resolves when those under way have ended and are written down, or after a while. */
  async stop() {
    this.#stopped = true
    const all = Promise.all([...[...this.#underWay.values()].map(({ ended }) => ended), ...this.#settling])
    await Promise.race([all, new Promise((resolve) => setTimeout(resolve, DRAIN_MS).unref())])
  }

  /**
   * A key is under way until what became of it is written down: nobody may take it up again before.
   * @param {Send} send
   * @param {Promise<Answer>} done
   */
  async #end(send, done) {
    await done
    await send.owed
    this.#underWay.delete(send.attempt.key)
    send.session.busy.end()
  }

  /**
   * @param {Send} send
   * @returns {Promise<Answer>} never rejects
   */
  async #carry(send) {
    const { session, attempt } = send
    try {
      const problem = attempt.fault ? null : this.#problem(session)
      const entry = await (problem ? this.#ledger.find(attempt.key) : this.#ledger.reserve(attempt))
      const known = entry && knownAnswer(entry, attempt)
      if (known ?? problem) return known ?? refuse(/** @type {ErrorCode} */ (problem))
    } catch (error) {
      tell(send, 'error', 'not begun', { error: wordsOf(error) })
      return refuse('internal')
    }
    hit('bridge_reserved', attempt.key)
    let answer
    try {
      if (attempt.fault) throw new NotSentError(attempt.fault)
      const known = this.#numbers.known(numberOf(attempt))
      known.catch(() => {}) // its turn hears of it
      answer = await session.queue.run(() => this.#turn(send, known))
    } catch (error) {
      return this.#notSent(send, error)
    }
    return answer ?? this.#sent(send) // and meanwhile it is the next one's turn
  }

  /** @param {Session} session */
  #problem(session) {
    return this.#stopped ? 'not_connected' : session.problem()
  }

  /**
   * The session's queue has come to this send. What it throws is known not sent.
   * @param {Send} send
   * @param {Promise<boolean | null>} known whether the number is on WhatsApp, if that need not be asked
   * @returns {Promise<Answer | null>} null when WhatsApp has it
   */
  async #turn(send, known) {
    const { session, attempt } = send
    if (isLate(send)) return this.#abandoned(send)
    const problem = session.problem()
    const { socket } = session
    if (problem || !socket) throw new NotSentError(problem ?? 'not_connected')
    tell(send, 'debug', 'sending')
    const isThere = (await known) ?? (await this.#numbers.ask(session, numberOf(attempt), left(send)))
    if (!isThere) throw new NotSentError('not_on_whatsapp')
    await prepare(socket, attempt.to)
    const message = await contentOf(attempt, socket, left(send))
    if (isLate(send)) return this.#abandoned(send)
    const content = Buffer.from(proto.Message.encode(message).finish())
    const state = await this.#ledger.dispatch(attempt, send.id, content, session.holder)
    if (state === 'closed') return KEY_CLOSED
    if (state === 'lease_lost') throw new NotSentError('not_connected')
    hit('bridge_dispatching', attempt.key)
    if (isLate(send)) throw new NotSentError('internal', { words: 'The time was over before the hand-over.' })
    return this.#handOver(send, socket, message)
  }

  /**
   * The time was over before anything was handed over. The client was told that it is in doubt and asks about the key,
   * which is only reserved: closing it proves that nothing went out.
   * @param {Send} send
   */
  #abandoned(send) {
    tell(send, 'warn', 'not begun in time')
    return refuse('send_timeout')
  }

  /**
   * @param {Send} send
   * @param {import('baileys').WASocket} socket
   * @param {import('baileys').proto.IMessage} message
   * @returns {Promise<Answer | null>} null when WhatsApp has it
   */
  async #handOver(send, socket, message) {
    const { session, attempt, id } = send
    const acked = session.acks.expect(id, left(send)) // it may come before the hand-over returns
    const failure = await socket.relayMessage(attempt.to, message, { messageId: id }).then(
      () => null,
      (error) => error
    )
    if (nothingLeft(failure)) {
      session.acks.dismiss(id)
      throw failure
    }
    if (failure) tell(send, 'warn', 'the hand-over failed at a point where it may have gone out', { error: wordsOf(failure) })
    hit('bridge_handed_over', attempt.key)
    const outcome = await acked
    if ('error' in outcome) throw refusal(session, outcome.error)
    if ('ok' in outcome) return null
    tell(send, 'warn', 'in doubt', { outcome: 'lost' in outcome ? 'connection lost' : 'no ack in time' })
    return refuse('send_timeout')
  }

  /**
   * WhatsApp has it. While even that cannot be written down the ledger says that it is in doubt, and so does the answer.
   * @param {Send} send
   */
  async #sent(send) {
    const { session, attempt, id, begunAt } = send
    const answer = sentAnswer(attempt.key, id, Math.round(performance.now() - begunAt))
    const also = isLate(send) ? this.#receipt(session, id, attempt.key, 'sent') : undefined
    try {
      await this.#ledger.sent(attempt.key, answer, also)
      if (also) this.#outbox.wake()
    } catch (error) {
      tell(send, 'error', 'sent, but not written down', { error: wordsOf(error) })
      send.owed = this.#later(send, () => this.#ledger.sent(attempt.key, answer, this.#receipt(session, id, attempt.key, 'sent')))
      return refuse('send_timeout')
    }
    hit('bridge_sent', attempt.key)
    tell(send, 'info', 'sent')
    return answer
  }

  /**
   * Known not to have gone out. A problem of the device uses up no key, also when WhatsApp itself refused the message: no
   * receipt can come for it, and the same key on the same session has the same message id again. But a client that was
   * told meanwhile that it is in doubt has to find in the ledger that it is not.
   * @param {Send} send
   * @param {unknown} error
   */
  async #notSent(send, error) {
    const { session, attempt, id } = send
    const { code, more } = problemOf(error)
    const answer = refuse(code, more)
    tell(send, code === 'internal' ? 'error' : 'warn', 'not sent', { outcome: code, error: wordsOf(error) })
    const write = async () => {
      const also = isLate(send) ? this.#receipt(session, id, attempt.key, 'failed', code) : undefined
      const kept = await (DEVICE_PROBLEMS.has(code) && !also
        ? this.#ledger.forget(attempt.key)
        : this.#ledger.fail(attempt.key, code, answer, also))
      if (also) this.#outbox.wake()
      return kept
    }
    try {
      return (await write()) ? answer : KEY_CLOSED
    } catch (failure) {
      tell(send, 'error', 'not sent, but not written down', { error: wordsOf(failure) })
      send.owed = this.#later(send, write)
      return answer
    }
  }

  /**
   * WhatsApp has had its only word on a message: it is written down as soon as it can be.
   * @param {Pick<Send, 'session' | 'id'>} send
   * @param {() => Promise<unknown>} write
   */
  async #later({ session, id }, write) {
    await untilDone('WA_SEND', `what became of ${id} on ${session.name}`, write)
    this.#outbox.wake()
  }

  /**
   * An ack that came when the client had been told that it is in doubt. One that is not the first of its message settles
   * no doubt, but a refusal of what WhatsApp had is told.
   * @param {Session} session
   * @param {string} id
   * @param {import('./acks.js').Ack} ack
   * @param {boolean} isFirst
   */
  #settleLate(session, id, ack, isFirst) {
    if (!isFirst && ack.ok) return
    const settling = this.#later({ session, id }, async () => {
      const found = await this.#ledger.byMessageId(session.name, id)
      if (!found) return
      const { key, state } = found
      if (state === 'sent' && !ack.ok)
        await this.#outbox.tell(session.name, 'receipt', { message_id: id, key, status: 'failed', error: 'provider_error' })
      if (state !== 'dispatching' || !isFirst) return
      if (ack.ok) await this.#ledger.sent(key, sentAnswer(key, id, null), this.#receipt(session, id, key, 'sent'))
      else {
        const { code, more } = refusal(session, ack.error)
        await this.#ledger.fail(key, code, refuse(code, more), this.#receipt(session, id, key, 'failed', code))
      }
      log.info('WA_SEND', 'settled late', { session: session.name, key, message_id: id, sent: ack.ok })
    }).finally(() => this.#settling.delete(settling))
    this.#settling.add(settling)
  }

  /**
   * @param {Session} session
   * @param {string} id
   * @param {string} key
   * @param {'sent' | 'failed'} status
   * @param {ErrorCode | null} [error]
   * @returns {import('./ledger.js').Also}
   */
  #receipt(session, id, key, status, error = null) {
    return (client) => this.#outbox.put(client, session.name, 'receipt', { message_id: id, key, status, error })
  }
}

/**
 * The answer to a POST of a key that is under way.
 * @param {Send} other
 * @param {Attempt} attempt
 */
function answerBeside(other, attempt) {
  if (!other.attempt.fingerprint.equals(attempt.fingerprint)) return KEY_CONFLICT
  return isLate(other) ? refuse('send_timeout') : IN_FLIGHT
}

/**
 * @param {Send} send
 * @param {Promise<Answer>} done
 * @returns {Promise<Answer>}
 */
function withinTime(send, done) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer
  const over = new Promise((resolve) => {
    timer = setTimeout(() => {
      send.isOver = true
      resolve(refuse('send_timeout'))
    }, left(send))
  })
  return Promise.race([done, over]).finally(() => clearTimeout(timer))
}

/** @param {Attempt} attempt */
function numberOf({ to }) {
  return to.replace(/@.*/, '')
}

/** @param {Send} send */
function left({ deadline }) {
  return Math.max(0, deadline - performance.now())
}

/** @param {Send} send */
function isLate(send) {
  return send.isOver || left(send) === 0
}

/**
 * WhatsApp's server has refused the message.
 * @param {Session} session
 * @param {string} error
 */
function refusal(session, error) {
  if (error !== ACCOUNT_RESTRICTED) return new NotSentError('provider_error', { words: `WhatsApp refused it (${error}).` })
  session.restrict(null)
  return new NotSentError('restricted')
}

/**
 * @param {string} key
 * @param {string} id
 * @param {number | null} durationMs
 * @returns {Answer}
 */
function sentAnswer(key, id, durationMs) {
  return { status: 200, body: { status: 'sent', key, message_id: id, duplicate: false, duration_ms: durationMs } }
}

/**
 * @param {Send} send
 * @param {'debug' | 'info' | 'warn' | 'error'} level
 * @param {string} words
 * @param {import('./log.js').Fields} [more]
 */
function tell({ session, attempt, id, begunAt }, level, words, more = {}) {
  const duration_ms = Math.round(performance.now() - begunAt)
  const { key, to, kind } = attempt
  log[level]('WA_SEND', words, { session: session.name, key, to: masked(to), kind, message_id: id, duration_ms, ...more })
}
