/** All that the fake knows: people, devices that are linked to their phones, and what people could read. */

import { createHash } from 'node:crypto'
import { jidDecode } from 'baileys'
import { end } from './closes.js'
import { Person } from './people.js'

/**
 * @typedef {import('./device.js').Device} Device
 * @typedef {object} Behaviour How one person's phone, and WhatsApp on its behalf, take a message.
 * @property {'ok' | 'none' | 'late' | 'error'} ack
 * @property {number} ack_error
 * @property {number} ack_after_ms
 * @property {'before' | 'after_receive' | null} drop
 * @property {('delivered' | 'read')[]} receipts
 * @property {number} receipt_after_ms
 * @property {boolean} receipt_first
 * @property {number} retry how many times the phone says that it could not read it
 *
 * @typedef {object} Contact A number, whether it is on WhatsApp or not.
 * @property {string} phone
 * @property {string | null} lid
 * @property {boolean} exists
 * @property {number[]} devices
 * @property {Person} person
 * @property {import('./linking.js').KeyPair | null} account by which the phone signs its devices; null: it never did
 * @property {boolean} banned
 * @property {number} lastDevice the number of the device that was linked last
 *
 * @typedef {object} Received
 * @property {string} phone
 * @property {string} message_id
 * @property {string} session_phone
 * @property {string} kind
 * @property {string} text
 * @property {string | null} media_sha256
 * @property {string} at
 * @property {number} times_id_seen
 * @property {boolean} decrypted
 */

/** @type {Behaviour} */
export const USUAL = {
  ack: 'ok',
  ack_error: 463,
  ack_after_ms: 0,
  drop: null,
  receipts: ['delivered', 'read'],
  receipt_after_ms: 20,
  receipt_first: false,
  retry: 0
}

const ABSENT = /99001$/

export class World {
  /** @type {Map<string, Contact>} by phone */
  contacts = new Map()
  /** @type {Map<string, Contact>} by LID */
  #byLid = new Map()
  /** @type {Map<string, Device>} by address */
  devices = new Map()
  /** @type {Map<string, Received>} in order, by phone, session and message id */
  received = new Map()
  /** @type {Map<string, { asked: number, behaviour: Behaviour }>} messages that a phone asked for again, likewise */
  retries = new Map()
  /** @type {Map<string, { code: number, as?: import('./closes.js').Manner }[]>} how coming logins end, by phone */
  refusals = new Map()
  /** @type {Map<string, { behaviour: Behaviour, left: number }>} by session and phone, * for all */
  #behaviours = new Map()
  stats = {
    messages: 0,
    own_copies: 0,
    acks: 0,
    receipts: 0,
    retries: 0,
    asked_again: 0,
    logins: 0,
    other_identities: 0,
    checks: 0,
    undecryptable: 0,
    unanswered: /** @type {Record<string, number>} */ ({})
  }

  /**
   * The person of a phone number; made up when nothing was said of it.
   * @param {string} phone
   */
  contact(phone) {
    return this.contacts.get(phone) ?? this.setContact(phone, {})
  }

  /**
   * Says of a phone number what is to be so; what is not said is as usual.
   * @param {string} phone
   * @param {{ exists?: boolean, lid?: string | null, devices?: number[] }} facts
   * @returns {Contact}
   */
  setContact(phone, { exists = !ABSENT.test(phone), lid = `${lidOf(phone)}@lid`, devices = [0] }) {
    const person = this.contacts.get(phone)?.person ?? new Person({ phone, lid, devices })
    const facts = { phone, lid, exists, devices, person }
    const contact = this.contacts.get(phone) ?? { ...facts, account: null, banned: false, lastDevice: 0 }
    if (contact.lid) this.#byLid.delete(contact.lid)
    Object.assign(contact, facts)
    Object.assign(person, { lid, devices })
    this.contacts.set(phone, contact)
    if (lid) this.#byLid.set(lid, contact)
    return contact
  }

  /**
   * The person at an address, by phone or by LID; null for an address of nobody.
   * @param {string} address
   */
  at(address) {
    const { user, server } = jidDecode(address) ?? { user: '', server: '' }
    if (server === 's.whatsapp.net' && /^\d+$/.test(user)) return this.contact(user)
    return server === 'lid' ? (this.#byLid.get(`${user}@lid`) ?? null) : null
  }

  /**
   * @param {string} phone
   * @returns {Device | undefined} the device that is linked to this phone
   */
  deviceOf(phone) {
    return [...this.devices.values()].find((device) => device.contact.phone === phone)
  }

  /**
   * The phone removes its device.
   * @param {Device} device
   */
  unlink(device) {
    this.devices.delete(device.jid)
    if (device.connection) end(device.connection, 401)
  }

  /**
   * @param {string | null} session
   * @param {string | null} phone
   * @param {Partial<Behaviour>} changes
   * @param {number | null} times
   */
  behave(session, phone, changes, times) {
    const behaviour = { ...USUAL, ...changes }
    this.#behaviours.set(`${session ?? '*'} ${phone ?? '*'}`, { behaviour, left: times ?? Infinity })
  }

  /**
   * The behaviour for the next message: the one that says most precisely whom it is about.
   * @param {string} session
   * @param {string} phone
   */
  nextBehaviour(session, phone) {
    for (const key of [`${session} ${phone}`, `* ${phone}`, `${session} *`, '* *']) {
      const found = this.#behaviours.get(key)
      if (!found) continue
      found.left -= 1
      if (found.left < 1) this.#behaviours.delete(key)
      return found.behaviour
    }
    return USUAL
  }

  /** @param {string} name of a query that nobody taught the fake to answer */
  unanswered(name) {
    this.stats.unanswered[name] = (this.stats.unanswered[name] ?? 0) + 1
  }
}

/** @param {Uint8Array} key */
export const fingerprint = (key) => createHash('sha256').update(key).digest('hex').slice(0, 16)

/** @param {string} phone */
const lidOf = (phone) => `77${[...phone].reverse().join('')}`
