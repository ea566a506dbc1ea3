/** A person with a phone: it reads what linked devices send to it, and writes to them. */

import { encodeWAMessage, proto, unpadRandomMax16 } from 'baileys'
import { Ratchets, UnreadableError } from './ratchets.js'

export { UnreadableError }

/** @import { BinaryNode } from 'baileys' */

export class Person {
  /** @type {Map<number, Ratchets>} made when somebody first asks for them: most people of a campaign are never met */
  #ratchets = new Map()

  /** @param {{ phone: string, lid: string | null, devices?: number[] }} facts */
  constructor({ phone, lid, devices = [0] }) {
    this.phone = phone
    this.lid = lid
    this.devices = devices
  }

  /**
   * The content of this device's <user> in the answer to `encrypt get key`, be it asked for by phone or by LID.
   * @param {number} device
   */
  bundle(device) {
    return this.#device(device).bundle()
  }

  /**
   * What the device shows of an <enc>; a copy of what a linked device sent shows as that message.
   * @param {{ device: number, from: string, type: string, ciphertext: Uint8Array }} received
   * @returns {Promise<proto.IMessage>}
   */
  async read({ device, from, type, ciphertext }) {
    const plain = await this.#device(device).open(from, type, ciphertext)
    const message = proto.Message.decode(unpadRandomMax16(plain))
    return message.deviceSentMessage?.message ?? message
  }

  /**
   * The <enc> of a message to a linked device, whose keys are as it uploaded them with `encrypt set`.
   * @param {{ device: number, bundle: BinaryNode[], message: proto.IMessage, jid: string }} written
   */
  async writeTo({ device, bundle, message, jid }) {
    return this.#device(device).seal(jid, bundle, encodeWAMessage(message))
  }

  /** @param {number} device */
  #device(device) {
    if (!this.devices.includes(device)) throw new Error(`${this.phone} has no device ${device}`)
    const made = this.#ratchets.get(device) ?? new Ratchets()
    this.#ratchets.set(device, made)
    return made
  }
}
