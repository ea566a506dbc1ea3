/** A device that is linked to a phone: what WhatsApp keeps of it, and the stanzas that wait for it. */

import { getBinaryNodeChildren } from 'baileys'
import { element } from './stanzas.js'

/** @typedef {import('./connection.js').Node} Node */

export class Device {
  /** @type {import('./connection.js').Connection | null} */
  connection = null
  logins = 0
  /** @type {Node[]} what it uploaded of itself: registration, type, identity, signed prekey */
  keys = []
  /** its one-time prekeys that are left; who writes to it for the first time takes one out */
  preKeys = { tag: 'list', attrs: {}, content: /** @type {Node[]} */ ([]) }
  hasHistory = false
  /** @type {string[]} copies that it sent and nobody could read: whose, and of which message */
  unreadable = []
  /** @type {Map<string, () => Promise<void>>} by message id: encrypts it anew, for a device that could not read it */
  written = new Map()
  #awake = false
  /** @type {Map<string, Node>} stanzas that it has not acknowledged, in order */
  #waiting = new Map()

  /**
   * @param {import('./world.js').Contact} contact whose phone it is linked to
   * @param {number} number
   * @param {{ noiseKey: Buffer, identityKey: Uint8Array }} keys by which it is known
   */
  constructor(contact, number, { noiseKey, identityKey }) {
    this.contact = contact
    this.number = number
    this.noiseKey = noiseKey
    this.identityKey = identityKey
    this.jid = `${contact.phone}:${number}@s.whatsapp.net`
    this.lid = contact.lid && contact.lid.replace('@', `:${number}@`)
  }

  /** How many stanzas it has not acknowledged. */
  get waiting() {
    return this.#waiting.size
  }

  /**
   * A stanza that is kept until the device acknowledges it, be that after its next login.
   * @param {Node} stanza
   */
  deliver(stanza) {
    this.#waiting.set(keyOf(stanza.tag, stanza.attrs), stanza)
    if (this.#awake) this.connection?.send(stanza)
  }

  /**
   * An acknowledgement of the device: an ack, or the receipt by which it acknowledges a message.
   * @param {Node} node
   */
  acknowledge({ tag, attrs, content }) {
    if (tag === 'ack' && !attrs.error) this.#waiting.delete(keyOf(attrs.class, attrs))
    if (tag !== 'receipt') return
    this.#waiting.delete(keyOf('message', attrs))
    const more = Array.isArray(content) ? getBinaryNodeChildren(content[0], 'item') : []
    for (const item of more) this.#waiting.delete(keyOf('message', item.attrs))
  }

  /** From now on it hears what happens; first what it missed. */
  wake() {
    if (this.#awake) return
    this.#awake = true
    for (const { tag, attrs, content } of this.#waiting.values())
      this.connection?.send({ tag, attrs: { ...attrs, offline: '1' }, content })
    const count = String(this.#waiting.size)
    this.connection?.send(element('ib', {}, [element('offline', { count })]))
  }

  /** What a person needs to write to it. */
  get bundle() {
    return [...this.keys, this.preKeys]
  }

  sleep() {
    this.#awake = false
    this.connection = null
  }
}

/**
 * @param {string} tag
 * @param {Record<string, string>} attrs
 */
const keyOf = (tag, { id, type = '' }) => (tag === 'message' ? `message ${id}` : `${tag} ${id} ${type}`)
