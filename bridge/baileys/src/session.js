/**
 * One session: a device of WhatsApp's that pairs, connects, drops, is restricted or banned, and comes back.
 *
 *     closed → starting → qr → scanned → open        (starting → open once it is paired)
 *
 * closed, logged_out and banned rest until somebody starts the session, or until a pause that the error calls for is over;
 * every other state ends by itself.
 */

import { phoneIn } from './addresses.js'
import { Acks } from './acks.js'
import { atMost } from './at_most.js'
import { Busy } from './busy.js'
import { Comeback } from './comeback.js'
import { Identity } from './identity.js'
import { log, wordsOf } from './log.js'
import { SerialQueue } from './queue.js'
import { receiptsIn } from './receipts.js'
import { askUntilWhen, Restriction } from './restriction.js'
import { Recorder } from './session_rows.js'
import { problemNow, statusNow } from './session_status.js'
import { firstToHear, makeSocket } from './socket.js'

/**
 * @typedef {import('./session_status.js').State} State
 * @typedef {import('./socket.js').Socket} Socket
 * @typedef {import('./sessions.js').Parts} Parts
 */

// All in milliseconds.
const FIRST_QR_LIFE = 60_000 // as Baileys shows them
const QR_LIFE = 20_000
const LEASE_AGAIN = 5_000
const GOODBYE_LIMIT = 3_000
const ARRIVAL_LIMIT = 15_000
const LONGEST_TIMER = 2 ** 31 - 1
const RESTING = ['closed', 'logged_out', 'banned']

export class Session {
  draining = false
  acks = new Acks()
  busy = new Busy()
  queue = new SerialQueue()
  /** @type {Socket | null} */
  socket = null
  /** @type {{ qr: string, expires_at: string } | null} */
  qr = null

  #parts
  /** @type {State} */
  #state
  #wanted
  #paired
  #phone
  #lastError
  #restriction
  /** @type {number | null} */
  #lastMessageAt
  #identity
  #comeback = new Comeback()
  #steps = new SerialQueue() // what takes or gives up the lease
  #recorder
  /** @type {NodeJS.Timeout | undefined} */
  #next
  #isConnecting = false
  #connection = 0 // the present one: what belongs to an earlier one is over
  #entered = () => {}

  /**
   * @param {import('./session_rows.js').Row} row
   * @param {Parts} parts
   */
  constructor(row, parts) {
    this.name = row.name
    this.#parts = parts
    this.#recorder = new Recorder(parts.rows)
    this.#wanted = row.wanted
    this.#state = row.wanted ? 'starting' : RESTING.includes(row.state) ? row.state : 'closed'
    this.#paired = row.paired
    this.#phone = row.phone
    this.#lastError = row.last_error
    this.#lastMessageAt = row.last_message_at?.getTime() ?? null
    this.#identity = new Identity(row.name, parts, () => this.#broken('auth_unreadable'))
    this.#restriction = new Restriction(row.restricted_until, () => this.#enter(this.#state, this.#restrictedWord()))
  }

  get holder() {
    return this.#parts.lease.holder
  }

  get isWanted() {
    return this.#wanted
  }

  /** The error code of a send now, or null when it can send. */
  problem() {
    return problemNow(this.#standing())
  }

  /** The status of the contract. */
  status() {
    return statusNow(this.#standing())
  }

  /**
   * WhatsApp restricts the account: it sends nothing until then, or, when that is not known, for a while.
   * @param {number | null} until milliseconds since 1970
   */
  restrict(until) {
    this.#restriction.set(until)
    this.#enter(this.#state, 'restricted')
    if (until === null && this.socket) void askUntilWhen(this.name, this.socket)
  }

  /** Connect, unless it does already. */
  start() {
    if (!this.#isConnecting) this.restart()
  }

  restart() {
    if (this.draining) return
    void this.#drop()
    this.#wanted = true
    this.#comeback.afresh()
    this.#enter('starting', null)
    void this.#connect()
  }

  /** Resolves when the connection that was started has come to something, or after a while. */
  async arrived() {
    const entered = new Promise((resolve) => {
      this.#entered = () => resolve(null)
    })
    await atMost(ARRIVAL_LIMIT, entered)
  }

  disconnect() {
    void this.#drop()
    this.#rest('closed', null)
  }

  /** Unlink the device at WhatsApp, if it can be told, and forget the pairing. */
  async logout() {
    const { socket } = this
    const wasOpen = this.#state === 'open'
    this.socket = null
    this.#enter('closed', null)
    if (socket && wasOpen) await atMost(GOODBYE_LIMIT, socket.logout())
    if (socket) await atMost(GOODBYE_LIMIT, socket.end(undefined))
    void this.#drop()
    this.#forget()
    this.#rest('logged_out', null)
    await this.#settled()
  }

  /**
   * The code that the owner types into the phone instead of scanning; only while a QR code is shown.
   * @param {string} digits
   */
  async pairingCode(digits) {
    if (!this.socket) throw new Error('no connection waits for a pairing')
    return this.socket.requestPairingCode(digits)
  }

  /** Another process may have the session now: whatever this one does would do harm. */
  leaseLost() {
    if (!this.#wanted || this.draining) return
    this.#broken('lease_lost', LEASE_AGAIN)
  }

  /** End the connection, without logging out, and let another process have the session. */
  async close() {
    await this.#drop()
    void this.#steps.run(() => this.#identity.release())
    await this.#settled()
  }

  async #settled() {
    await Promise.all([this.#steps.run(nothing), this.#recorder.recorded()])
  }

  async #connect() {
    this.#isConnecting = true
    const connection = ++this.#connection
    await this.#steps.run(async () => {
      if (connection !== this.#connection) return
      try {
        const isOurs = await this.#identity.take()
        if (connection !== this.#connection) return
        if (!isOurs) return this.#standBy()
        await this.#recorder.recorded()
        const row = await this.#parts.rows.one(this.name)
        if (connection !== this.#connection) return
        if (!row.wanted) return this.#leave(row)
        const auth = await this.#identity.open(() => connection !== this.#connection)
        if (connection === this.#connection) this.#listen(auth)
      } catch (error) {
        log.error('BRIDGE', 'the keys of a session cannot be read: see Postgres, and whether BAILEYS_AUTH_KEY is the one of old', {
          session: this.name,
          error: wordsOf(error)
        })
        if (connection === this.#connection) this.#broken('auth_unreadable')
      }
    })
  }

  /** Another process runs the session, and its state is that one's to tell. */
  #standBy() {
    this.#be('starting', 'not_connected')
    this.#connectIn(LEASE_AGAIN)
  }

  /**
   * Another process was told to leave it at rest, and has said how.
   * @param {import('./session_rows.js').Row} row
   */
  #leave({ state, last_error, phone, paired }) {
    void this.#drop()
    this.#wanted = false
    this.#phone = phone
    this.#paired = paired
    this.#be(RESTING.includes(state) ? state : 'closed', last_error)
    void this.#steps.run(() => this.#identity.release())
  }

  /** @param {Awaited<ReturnType<Identity['open']>>} auth */
  #listen({ creds, keys }) {
    this.#paired = Boolean(creds.account)
    const { ledger, settings, receipts, inbound } = this.#parts
    const socket = makeSocket({
      session: this.name,
      auth: { creds, keys },
      settings,
      content: (messageId) => ledger.content(this.name, messageId),
      received: (messages, from) => inbound.take(this.name, from, messages)
    })
    this.socket = socket
    this.acks.watch(socket)
    socket.ev.on('creds.update', () => this.#identity.save())
    socket.ev.on('connection.update', (update) => {
      // Events that Baileys still holds back would be lost with the socket.
      if (update.connection === 'close') socket.ev.flush()
      if (this.socket === socket) this.#changed(update)
    })
    firstToHear(socket, 'CB:receipt', (node) => receipts.take(receiptsIn(this.name, node, creds.me)))
    socket.ws.on('CB:ack,class:message', ({ attrs }) => {
      if (!attrs.error) this.#lastMessageAt = Date.now()
    })
  }

  /** @param {Partial<import('baileys').ConnectionState>} update */
  #changed({ connection, qr, isNewLogin, lastDisconnect, reachoutTimeLock }) {
    if (qr) this.#showQr(qr)
    if (isNewLogin) this.#scanned()
    if (reachoutTimeLock) this.#timeLocked(reachoutTimeLock)
    if (connection === 'open') this.#opened()
    if (connection === 'close') this.#closed(/** @type {import('@hapi/boom').Boom | undefined} */ (lastDisconnect?.error))
  }

  /** @param {string} qr */
  #showQr(qr) {
    const life = this.qr ? QR_LIFE : FIRST_QR_LIFE
    this.#comeback.qrShown()
    this.qr = { qr, expires_at: new Date(Date.now() + life).toISOString() }
    if (this.#state !== 'qr') this.#enter('qr', this.#lastError)
  }

  #scanned() {
    this.qr = null
    this.#paired = true
    this.#phone = phoneIn(this.#identity.me?.id)
    this.#enter('scanned', null)
  }

  #opened() {
    this.#comeback.opened()
    this.#phone = phoneIn(this.#identity.me?.id)
    this.#enter('open', this.#restrictedWord())
  }

  /** @param {import('@hapi/boom').Boom | undefined} error */
  #closed(error) {
    const { code, ...fate } = this.#comeback.ended(error, this.#paired)
    log.info('BRIDGE', 'a connection has ended', { session: this.name, code, state: fate.state, again_ms: fate.reconnectIn })
    void this.#drop()
    this.#obey(fate)
  }

  /** @param {import('./closing.js').Fate} fate */
  #obey({ state, error, reconnectIn, forget, restart, restrictedFor }) {
    if (restrictedFor) this.#restriction.set(Date.now() + restrictedFor)
    if (forget) this.#forget()
    if (reconnectIn === null) this.#rest(state, error)
    else this.#again(restart && this.#state === 'scanned' ? 'scanned' : state, error, reconnectIn)
  }

  /**
   * @param {State} state
   * @param {string | null} error
   * @param {number} after milliseconds
   */
  #again(state, error, after) {
    this.#enter(state, error)
    this.#connectIn(after)
  }

  /** @param {number} after milliseconds */
  #connectIn(after) {
    clearTimeout(this.#next)
    this.#next = setTimeout(() => void this.#connect(), Math.min(after, LONGEST_TIMER))
  }

  /**
   * What a session needs of ours is away; its pairing is not, and it tries again.
   * @param {string} error
   * @param {number} [after] milliseconds
   */
  #broken(error, after = this.#comeback.pause()) {
    void this.#drop()
    this.#identity.drop()
    this.#again('closed', error, after)
  }

  /**
   * @param {State} state
   * @param {string | null} error
   */
  #rest(state, error) {
    this.#wanted = false
    this.#enter(state, error)
    void this.#steps.run(async () => {
      await this.#recorder.recorded()
      await this.#identity.release()
    })
  }

  #forget() {
    this.#paired = false
    this.#phone = null
    void this.#steps.run(() => this.#identity.forget())
  }

  /** Be without a connection; whatever the last one still brings is over. */
  async #drop() {
    const { socket } = this
    clearTimeout(this.#next)
    this.#isConnecting = false
    this.#connection += 1
    this.socket = null
    this.qr = null
    this.#comeback.left()
    if (socket) await atMost(GOODBYE_LIMIT, socket.end(undefined))
  }

  /** @param {import('baileys').ReachoutTimelockState} lock */
  #timeLocked({ isActive, timeEnforcementEnds }) {
    if (isActive && timeEnforcementEnds) this.restrict(timeEnforcementEnds.getTime())
  }

  #restrictedWord() {
    return this.#restriction.until ? 'restricted' : null
  }

  /**
   * @param {State} state
   * @param {string | null} error
   */
  #be(state, error) {
    this.#state = state
    this.#lastError = error
    this.#entered()
  }

  /** @returns {import('./session_status.js').Standing} */
  #standing() {
    return {
      state: this.#state,
      paired: this.#paired,
      phone: this.#phone,
      lastError: this.#lastError,
      restrictedUntil: this.#restriction.until,
      openedAt: this.#comeback.openedAt,
      lastMessageAt: this.#lastMessageAt,
      isOurs: !this.draining && this.#identity.isHeld
    }
  }

  /**
   * Be in a state, write it down and tell it.
   * @param {State} state
   * @param {string | null} error
   */
  #enter(state, error) {
    this.#be(state, error)
    if (this.draining) return
    const restricted_until = this.#restriction.until ? new Date(this.#restriction.until) : null
    const change = { name: this.name, state, wanted: this.#wanted, phone: this.#phone, last_error: error, restricted_until }
    this.#recorder.record(change, this.status())
  }
}

async function nothing() {}
