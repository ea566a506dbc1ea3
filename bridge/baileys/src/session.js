/**
 * One session: a device of WhatsApp's that pairs, connects, drops, is restricted or banned, and comes back.
 *
 *     closed → starting → qr → scanned → open        (starting → open once it is paired)
 *
 * closed, logged_out and banned rest until somebody starts the session, or until a pause that the error calls for is over;
 * every other state ends by itself.
 */

import { setTimeout as pause } from 'node:timers/promises'

import { phoneIn } from './addresses.js'
import { Acks } from './acks.js'
import { openAuthState } from './auth_state.js'
import { afterClose, backoff } from './closing.js'
import { log, wordsOf } from './log.js'
import { SerialQueue } from './queue.js'
import { receiptsIn } from './receipts.js'
import { Restriction } from './restriction.js'
import { makeSocket } from './socket.js'

/**
 * @typedef {'closed' | 'starting' | 'qr' | 'scanned' | 'open' | 'logged_out' | 'banned'} State
 * @typedef {'not_connected' | 'qr_required' | 'restricted' | 'logged_out' | 'banned'} Problem
 * @typedef {Awaited<ReturnType<typeof openAuthState>>} Auth
 * @typedef {ReturnType<typeof makeSocket>} Socket
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

// All in milliseconds.
const FIRST_QR_LIFE = 60_000 // as Baileys shows them
const QR_LIFE = 20_000
const LEASE_AGAIN = 5_000
const GOODBYE_LIMIT = 5_000
const ARRIVAL_LIMIT = 15_000
const STEADY = 60_000 // a connection that held so long is not one that failed
const RESTING = ['closed', 'logged_out', 'banned']

export class Session {
  draining = false
  acks = new Acks()
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
  #activeSends = 0
  #idleSince = Date.now()
  /** @type {number | null} */
  #openedAt = null
  /** @type {Auth | null} */
  #auth = null
  #steps = new SerialQueue() // what takes or gives up the lease and the auth state
  #saving = new SerialQueue()
  #recording = new SerialQueue()
  /** @type {NodeJS.Timeout | undefined} */
  #next
  #isConnecting = false
  #connection = 0 // the present one: what belongs to an earlier one is over
  #tries = 0
  #badSessions = 0
  #restarted = false
  #confirmed = false
  /** @type {number | null} */
  #qrSince = null
  #entered = () => {}

  /**
   * @param {import('./session_rows.js').Row} row
   * @param {Parts} parts
   */
  constructor(row, parts) {
    this.name = row.name
    this.#parts = parts
    this.#wanted = row.wanted
    this.#state = row.wanted ? 'starting' : RESTING.includes(row.state) ? row.state : 'closed'
    this.#paired = row.paired
    this.#phone = row.phone
    this.#lastError = row.last_error
    this.#lastMessageAt = row.last_message_at?.getTime() ?? null
    this.#restriction = new Restriction(row.restricted_until, () => this.#enter(this.#state, this.#restrictedWord()))
  }

  get holder() {
    return this.#parts.lease.holder
  }

  get activeSends() {
    return this.#activeSends
  }

  set activeSends(count) {
    this.#activeSends = count
    this.#idleSince = Date.now()
  }

  get isWanted() {
    return this.#wanted
  }

  /**
   * The error code of a send now, or null when it can send.
   * @returns {Problem | null}
   */
  problem() {
    if (this.#state === 'logged_out' || this.#state === 'banned') return this.#state
    if (this.#restriction.until) return 'restricted'
    if (this.#state === 'open') return this.draining || !this.#parts.lease.held(this.name) ? 'not_connected' : null
    return this.#paired || this.#state === 'closed' || this.#state === 'starting' ? 'not_connected' : 'qr_required'
  }

  /** The status of the contract. */
  status() {
    return {
      connected: this.#state === 'open',
      can_send: this.problem() === null,
      session_age: this.#openedAt ? Math.floor((Date.now() - this.#openedAt) / 1000) : 0,
      last_message_ts: iso(this.#lastMessageAt),
      qr_required: !this.#paired && this.#state !== 'starting' && this.#state !== 'scanned',
      phone: this.#phone,
      state: this.#state,
      last_error: this.#lastError,
      restricted_until: iso(this.#restriction.until)
    }
  }

  /** The sending-status of the contract. */
  sendingStatus() {
    const active = this.#activeSends
    const idle_seconds = active ? 0 : (Date.now() - this.#idleSince) / 1000
    return { is_sending: active > 0, active_sends: active, idle_seconds }
  }

  /**
   * WhatsApp restricts the account: it sends nothing until then, or, when that is not known, for a while.
   * @param {number | null} until milliseconds since 1970
   */
  restrict(until) {
    this.#restriction.set(until)
    this.#enter(this.#state, 'restricted')
    if (until === null && this.socket) void this.#askUntilWhen(this.socket)
  }

  /** Connect, unless it does already. */
  start() {
    if (!this.#isConnecting) this.restart()
  }

  restart() {
    this.#drop()
    this.#wanted = true
    this.#tries = this.#badSessions = 0
    this.#qrSince = null
    this.#enter('starting', null)
    void this.#connect()
  }

  /** Resolves when the connection that was started has come to something, or after a while. */
  async arrived() {
    await Promise.race([
      new Promise((resolve) => {
        this.#entered = () => resolve(null)
      }),
      pause(ARRIVAL_LIMIT, null, { ref: false })
    ])
  }

  disconnect() {
    this.#drop()
    this.#rest('closed', null)
  }

  /** Unlink the device at WhatsApp, if it can be told, and forget the pairing. */
  async logout() {
    const socket = this.#state === 'open' ? this.socket : null
    this.socket = null
    this.#enter('closed', null)
    if (socket) await this.#within(socket.logout())
    this.#drop()
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
    const { socket } = this
    this.#drop()
    if (socket) await this.#within(socket.end(undefined))
    void this.#steps.run(() => this.#parts.lease.release(this.name))
    await this.#settled()
  }

  async #settled() {
    await Promise.all([this.#saving.run(nothing), this.#steps.run(nothing), this.#recording.run(nothing)])
  }

  async #connect() {
    this.#isConnecting = true
    const connection = ++this.#connection
    await this.#steps.run(async () => {
      if (connection !== this.#connection) return
      try {
        const { database, vault, lease, rows } = this.#parts
        if (!(await lease.take(this.name))) return this.#again('starting', 'not_connected', LEASE_AGAIN)
        await this.#saving.run(nothing)
        await this.#recording.run(nothing)
        if (!(await rows.isWanted(this.name))) return this.#rest('closed', null) // the process before was told so
        this.#auth ??= await openAuthState({ database, vault, lease, session: this.name })
        if (connection === this.#connection) this.#listen(this.#auth)
      } catch (error) {
        log.error('BRIDGE', 'the keys of a session cannot be read: see Postgres, and whether BAILEYS_AUTH_KEY is the one of old', {
          session: this.name,
          error: wordsOf(error)
        })
        if (connection === this.#connection) this.#broken('auth_unreadable')
      }
    })
  }

  /** @param {Auth} auth */
  #listen(auth) {
    const { creds } = auth
    this.#paired = Boolean(creds.account)
    // Left behind by a pairing code that nobody typed: with it Baileys would log in as a device that does not exist.
    if (!this.#paired) delete creds.me
    const { ledger, settings, receipts, inbound } = this.#parts
    const socket = makeSocket({
      session: this.name,
      auth: { creds, keys: this.#guarded(auth) },
      settings,
      content: (messageId) => ledger.content(this.name, messageId)
    })
    this.socket = socket
    this.acks.watch(socket)
    socket.ev.on('creds.update', () => this.#save(auth))
    socket.ev.on('connection.update', (update) => {
      // Events that Baileys still holds back would be lost with the socket.
      if (update.connection === 'close') socket.ev.flush()
      if (this.socket === socket) this.#changed(update)
    })
    socket.ev.on('messages.upsert', ({ messages }) => inbound.take(this.name, socket, messages))
    socket.ws.on('CB:receipt', (node) => receipts.take(receiptsIn(this.name, node, creds.me)))
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
    this.#qrSince ??= Date.now()
    this.qr = { qr, expires_at: new Date(Date.now() + life).toISOString() }
    if (this.#state !== 'qr') this.#enter('qr', this.#lastError)
  }

  #scanned() {
    this.qr = null
    this.#qrSince = null
    this.#paired = true
    this.#phone = phoneIn(this.#auth?.creds.me?.id)
    this.#enter('scanned', null)
  }

  #opened() {
    this.#restarted = this.#confirmed = false
    this.#openedAt = Date.now()
    this.#phone = phoneIn(this.#auth?.creds.me?.id)
    this.#enter('open', this.#restrictedWord())
  }

  /** @param {import('@hapi/boom').Boom | undefined} error */
  #closed(error) {
    const code = error?.output?.statusCode ?? 0
    const now = Date.now()
    if (this.#openedAt && now - this.#openedAt > STEADY) this.#tries = this.#badSessions = 0
    this.#badSessions = code === 500 ? this.#badSessions + 1 : 0
    const expires = Number(error?.data?.expire)
    const fate = afterClose(code, {
      paired: this.#paired,
      restarted: this.#restarted,
      confirmed: this.#confirmed,
      tries: this.#tries,
      badSessions: this.#badSessions,
      qrShownFor: this.#qrSince ? now - this.#qrSince : 0,
      bannedFor: expires > 0 ? expires * 1000 : null,
      random: Math.random()
    })
    log.info('BRIDGE', 'a connection has ended', { session: this.name, code, state: fate.state, again_ms: fate.reconnectIn })
    this.#drop()
    this.#obey(fate)
  }

  /** @param {import('./closing.js').Fate} fate */
  #obey({ state, error, reconnectIn, forget, restart, confirm, restrictedFor }) {
    if (restrictedFor) this.#restriction.set(Date.now() + restrictedFor)
    if (restart) this.#restarted = true
    else this.#tries += 1
    if (confirm) this.#confirmed = true
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
    this.#next = setTimeout(() => void this.#connect(), after)
  }

  /**
   * What a session needs of ours is away; its pairing is not, and it tries again.
   * @param {string} error
   * @param {number} [after] milliseconds
   */
  #broken(error, after = backoff(++this.#tries, Math.random())) {
    this.#drop()
    this.#auth = null
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
      this.#auth = null
      await this.#saving.run(nothing)
      await this.#recording.run(nothing)
      await this.#parts.lease.release(this.name)
    })
  }

  /** The pairing is over: its keys are worth nothing to anyone but a thief. */
  #forget() {
    this.#paired = false
    this.#phone = null
    this.#qrSince = null
    void this.#steps.run(async () => {
      const { database, vault, lease } = this.#parts
      try {
        if (!(await lease.take(this.name))) return
        const auth = this.#auth ?? (await openAuthState({ database, vault, lease, session: this.name }))
        await auth.forget()
      } catch (error) {
        log.error('BRIDGE', 'the keys of a pairing that is over could not be deleted', { session: this.name, error: wordsOf(error) })
      }
    })
  }

  /** Be without a connection; whatever the last one still brings is over. */
  #drop() {
    const { socket } = this
    clearTimeout(this.#next)
    this.#isConnecting = false
    this.#connection += 1
    this.socket = null
    this.qr = null
    this.#openedAt = null
    if (socket) void this.#within(socket.end(undefined))
  }

  /**
   * The keys, whose failure ends the connection: Baileys would carry on without them.
   * @param {Auth} auth
   * @returns {import('baileys').SignalKeyStore}
   */
  #guarded(auth) {
    /**
     * @template T
     * @param {() => T | Promise<T>} work
     */
    const guard = async (work) => {
      try {
        return await work()
      } catch (error) {
        this.#keysFailed(auth, error)
        throw error
      }
    }
    return { get: (type, ids) => guard(() => auth.keys.get(type, ids)), set: (data) => guard(() => auth.keys.set(data)) }
  }

  /**
   * A pairing is saved when it is whole: half a one is worth nothing.
   * @param {Auth} auth
   */
  #save(auth) {
    if (!auth.creds.account) return
    this.#saving.run(() => auth.saveCreds()).catch((error) => this.#keysFailed(auth, error))
  }

  /**
   * @param {Auth} auth
   * @param {unknown} error
   */
  #keysFailed(auth, error) {
    if (this.#auth !== auth) return
    log.error('BRIDGE', 'the keys of a session failed, and it connects anew', { session: this.name, error: wordsOf(error) })
    this.#broken('auth_unreadable')
  }

  /** @param {Socket} socket */
  async #askUntilWhen(socket) {
    try {
      await socket.fetchAccountReachoutTimelock() // its answer comes as an event, too
    } catch (error) {
      log.warn('BRIDGE', 'WhatsApp does not say until when it restricts', { session: this.name, error: wordsOf(error) })
    }
  }

  /** @param {import('baileys').ReachoutTimelockState} lock */
  #timeLocked({ isActive, timeEnforcementEnds }) {
    if (isActive && timeEnforcementEnds) this.restrict(timeEnforcementEnds.getTime())
  }

  #restrictedWord() {
    return this.#restriction.until ? 'restricted' : null
  }

  /**
   * Be in a state, write it down and tell it.
   * @param {State} state
   * @param {string | null} error
   */
  #enter(state, error) {
    this.#state = state
    this.#lastError = error
    this.#entered()
    if (this.draining) return
    const restricted_until = this.#restriction.until ? new Date(this.#restriction.until) : null
    const change = { name: this.name, state, wanted: this.#wanted, phone: this.#phone, last_error: error, restricted_until }
    const status = this.status()
    this.#recording
      .run(() => this.#parts.rows.record(change, status))
      .catch((why) => log.error('BRIDGE', 'a state was not written down', { session: this.name, state, error: wordsOf(why) }))
  }

  /**
   * What WhatsApp is told in parting is told in a few seconds or not at all.
   * @param {Promise<unknown>} goodbye
   */
  async #within(goodbye) {
    await Promise.race([goodbye.catch(nothing), pause(GOODBYE_LIMIT, null, { ref: false })])
  }
}

async function nothing() {}

/** @param {number | null} moment milliseconds since 1970 */
function iso(moment) {
  return moment === null ? null : new Date(moment).toISOString()
}
