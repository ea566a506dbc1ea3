/** What makes a session one device of WhatsApp's, and this process the one that runs it: its lease, its credentials, its keys. */

import { forgetAuthState, openAuthState } from './auth_state.js'
import { log, wordsOf } from './log.js'
import { SerialQueue } from './queue.js'

/** @typedef {Awaited<ReturnType<typeof openAuthState>>} Auth */

export class Identity {
  #session
  #parts
  #failed
  /** @type {Auth | null} */
  #auth = null
  #saving = new SerialQueue()

  /**
   * @param {string} session
   * @param {Pick<import('./session.js').Parts, 'database' | 'vault' | 'lease'>} parts
   * @param {() => void} failed the keys could not be read or stored: the connection that uses them must end
   */
  constructor(session, { database, vault, lease }, failed) {
    this.#session = session
    this.#parts = { database, vault, lease }
    this.#failed = failed
  }

  /** The account, once a phone has linked the device. */
  get me() {
    return this.#auth?.creds.me
  }

  get isHeld() {
    return this.#parts.lease.held(this.#session)
  }

  /** Take the lease; false while another process has it. */
  take() {
    return this.#parts.lease.take(this.#session)
  }

  /**
   * The credentials and keys for a connection. Throws when they cannot be read: that is never a new identity.
   * @param {() => boolean} isOver whether the connection is: what it still had in hand must not undo what the next one stores
   */
  async open(isOver) {
    await this.saved()
    const auth = (this.#auth ??= await openAuthState({ ...this.#parts, session: this.#session }))
    // Left behind by a pairing code that nobody typed: with it Baileys would log in as a device that does not exist.
    if (!auth.creds.account) delete auth.creds.me
    return { creds: auth.creds, keys: this.#guarded(auth, isOver) }
  }

  /** Store the credentials. A pairing is stored when it is whole: half a one is worth nothing. */
  save() {
    const auth = this.#auth
    if (auth?.creds.account) this.#saving.run(() => auth.saveCreds()).catch((error) => this.#fail(auth, error))
  }

  /** Return when the credentials are stored. */
  async saved() {
    await this.#saving.run(async () => {})
  }

  /** Read everything anew for the next connection. */
  drop() {
    this.#auth = null
  }

  /** The pairing is over: its keys are worth nothing to anyone but a thief. */
  async forget() {
    try {
      if (!(await this.take())) return
      await (this.#auth?.forget() ?? forgetAuthState({ ...this.#parts, session: this.#session }))
    } catch (error) {
      log.error('BRIDGE', 'the keys of a pairing that is over could not be deleted', {
        session: this.#session,
        error: wordsOf(error)
      })
    }
  }

  /** Let another process have the session. */
  async release() {
    this.drop()
    await this.saved()
    await this.#parts.lease.release(this.#session)
  }

  /**
   * The keys, whose failure ends the connection: Baileys would carry on without them.
   * @param {Auth} auth
   * @param {() => boolean} isOver
   * @returns {import('baileys').SignalKeyStore}
   */
  #guarded(auth, isOver) {
    /**
     * @template T
     * @param {() => T | Promise<T>} work
     */
    const guard = async (work) => {
      try {
        return await work()
      } catch (error) {
        this.#fail(auth, error)
        throw error
      }
    }
    return {
      get: (type, ids) => guard(() => auth.keys.get(type, ids)),
      set: async (data) => {
        if (isOver()) throw new Error('the connection is over: its keys are not stored any more')
        await guard(() => auth.keys.set(data))
      }
    }
  }

  /**
   * @param {Auth} auth
   * @param {unknown} error
   */
  #fail(auth, error) {
    if (this.#auth !== auth) return
    this.drop()
    log.error('BRIDGE', 'the keys of a session failed, and it connects anew', { session: this.#session, error: wordsOf(error) })
    this.#failed()
  }
}
