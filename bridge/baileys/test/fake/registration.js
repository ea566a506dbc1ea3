/** A client without an account becomes a device of a phone: by its QR code, or by a code typed into the phone. */

import { randomBytes, randomUUID } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { Curve, getBinaryNodeChild, getBinaryNodeChildBuffer, S_WHATSAPP_NET } from 'baileys'
import { end } from './closes.js'
import { Device } from './device.js'
import { CodePairing, deviceSigned, readQr, signDevice } from './linking.js'
import { element, now } from './stanzas.js'

/**
 * @typedef {import('./connection.js').Connection} Connection
 * @typedef {import('./connection.js').Node} Node
 * @typedef {import('./world.js').World} World
 *
 * @typedef {object} Applicant A client that waits to be linked.
 * @property {Connection} connection
 * @property {Uint8Array} identityKey
 * @property {string[]} refs
 * @property {{ phone: string, wrapped: Buffer } | null} asked for a pairing code
 * @property {CodePairing | null} pairing
 * @property {EventEmitter} steps 'finished' when the pairing code gave a secret, 'signed' when the client has signed
 */

const REFS = 6

export class Registration {
  /** @type {Map<Connection, Applicant>} */
  #applicants = new Map()
  #world

  /** @param {World} world */
  constructor(world) {
    this.#world = world
  }

  /**
   * @param {Connection} connection
   * @param {import('baileys').proto.ClientPayload} payload
   */
  offer(connection, payload) {
    const identityKey = /** @type {Uint8Array} */ (payload.devicePairingData?.eIdent)
    const refs = Array.from({ length: REFS }, () => `2@${randomBytes(24).toString('base64')}`)
    const steps = new EventEmitter().on('error', () => {})
    this.#applicants.set(connection, { connection, identityKey, refs, asked: null, pairing: null, steps })
    const nodes = refs.map((ref) => element('ref', {}, Buffer.from(ref)))
    connection.send(question(element('pair-device', {}, nodes)))
  }

  /** @param {Connection} connection */
  forget(connection) {
    this.#applicants.get(connection)?.steps.emit('error', new Error('The client is gone.'))
    this.#applicants.delete(connection)
  }

  /**
   * The phone scans what a client shows.
   * @param {string} qr
   * @param {string} phone
   */
  async scan(qr, phone) {
    const { ref, noiseKey, identityKey, secret } = readQr(qr)
    const applicant = [...this.#applicants.values()].find(({ refs }) => refs.includes(ref))
    if (!applicant) throw new Error('No client shows this QR code.')
    if (!applicant.connection.noiseKey.equals(noiseKey) || !identityKey.equals(applicant.identityKey))
      throw new Error('The keys of this QR code are not those of the client that shows it.')
    return this.#link(applicant, phone, secret)
  }

  /**
   * Somebody types a pairing code into the phone.
   * @param {string} code
   * @param {string} phone
   */
  async pair(code, phone) {
    const applicant = [...this.#applicants.values()].find(({ asked }) => asked?.phone === phone)
    if (!applicant?.asked) throw new Error('No client asked for a pairing code for this phone.')
    const account = accountOf(this.#world.contact(phone))
    const pairing = new CodePairing(code, account)
    applicant.pairing = pairing
    const wrapped = await pairing.answer(applicant.asked.wrapped)
    const finished = once(applicant.steps, 'finished')
    const hello = element('link_code_companion_reg', { stage: 'primary_hello' }, [
      element('link_code_pairing_ref', {}, Buffer.from(applicant.refs[0])),
      element('primary_identity_pub', {}, account.public),
      element('link_code_pairing_wrapped_primary_ephemeral_pub', {}, wrapped)
    ])
    const attrs = { from: S_WHATSAPP_NET, type: 'link_code_companion_reg', id: randomUUID(), t: now() }
    applicant.connection.send(element('notification', attrs, [hello]))
    const [secret] = await finished
    return this.#link(applicant, phone, secret)
  }

  /**
   * The client's two steps of pairing by code.
   * @param {Connection} connection
   * @param {Node} query
   * @returns {Node[]}
   */
  companion(connection, query) {
    const step = /** @type {Node} */ (getBinaryNodeChild(query, 'link_code_companion_reg'))
    const applicant = this.#applicants.get(connection)
    if (!applicant) return []
    if (step.attrs.stage === 'companion_hello') {
      const wrapped = Buffer.from(bytes(step, 'link_code_pairing_wrapped_companion_ephemeral_pub'))
      applicant.asked = { phone: step.attrs.jid.split('@')[0], wrapped }
      const ref = element('link_code_pairing_ref', {}, Buffer.from(applicant.refs[0]))
      return [element('link_code_companion_reg', { stage: 'companion_hello' }, [ref])]
    }
    try {
      const bundle = Buffer.from(bytes(step, 'link_code_pairing_wrapped_key_bundle'))
      const identityKey = bytes(step, 'companion_identity_public')
      applicant.steps.emit('finished', /** @type {CodePairing} */ (applicant.pairing).secret(bundle, identityKey))
    } catch {
      applicant.steps.emit('error', new Error('The pairing code is not the one that the client shows.'))
    }
    return []
  }

  /**
   * The client's answer to a question of ours.
   * @param {Connection} connection
   * @param {Node} reply
   */
  answered(connection, reply) {
    if (getBinaryNodeChild(reply, 'pair-device-sign')) this.#applicants.get(connection)?.steps.emit('signed', reply)
  }

  /**
   * @param {Applicant} applicant
   * @param {string} phone
   * @param {Buffer} secret
   */
  async #link(applicant, phone, secret) {
    const contact = this.#world.contact(phone)
    const number = contact.lastDevice + 1
    const { connection, identityKey } = applicant
    const device = new Device(contact, number, { noiseKey: connection.noiseKey, identityKey })
    const { details, sealed } = signDevice(accountOf(contact), identityKey, secret, number)
    const signed = once(applicant.steps, 'signed')
    const success = element('pair-success', {}, [
      element('device-identity', {}, sealed),
      element('device', { jid: device.jid, ...(device.lid && { lid: device.lid }) }),
      element('platform', { name: 'iphone' })
    ])
    connection.send(question(success))
    const [answer] = await signed
    const reply = getBinaryNodeChild(answer, 'pair-device-sign')
    if (!deviceSigned(bytes(reply, 'device-identity'), details, identityKey, accountOf(contact).public))
      throw new Error('The device did not sign as it should.')
    const before = this.#world.deviceOf(phone)
    if (before) this.#world.unlink(before)
    contact.lastDevice = number
    this.#world.devices.set(device.jid, device)
    end(connection, 515)
    return device
  }
}

/**
 * @param {Node | undefined} node
 * @param {string} child
 */
const bytes = (node, child) => /** @type {Uint8Array} */ (getBinaryNodeChildBuffer(node, child))

/** @param {import('./world.js').Contact} contact */
const accountOf = (contact) => (contact.account ??= Curve.generateKeyPair())

/** @param {Node} child */
const question = (child) =>
  element('iq', { from: S_WHATSAPP_NET, type: 'set', id: randomUUID(), xmlns: 'md' }, [child])
