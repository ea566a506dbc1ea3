/** One device of a person as Signal knows it: its keys, and a session with each device that it has talked to. */

import { encodeBigEndian, getBinaryNodeChild, getBinaryNodeChildBuffer, getBinaryNodeChildUInt, KEY_BUNDLE_TYPE,
  xmppPreKey, xmppSignedPreKey } from 'baileys'
import { ProtocolAddress, SessionBuilder, SessionCipher, SessionRecord } from 'libsignal'
// @ts-expect-error libsignal describes only its front
import { PreKeyWhisperMessage } from 'libsignal/src/protobufs.js'
import { calculateSignature, generateKeyPair, generateRegistrationId } from 'whatsapp-rust-bridge'
import '../../src/failed_tries.js' // a real phone's tries do no harm either

/**
 * @import { BinaryNode } from 'baileys'
 * @typedef {{ pubKey: Buffer, privKey: Buffer }} Pair public keys bear their type byte
 * @typedef {{ type: 'pkmsg' | 'msg', ciphertext: Buffer }} Sealed
 */

/** The message cannot be read: a lost session, a message read before, bytes that were changed. */
export class UnreadableError extends Error {
  /** libsignal's words, of each session that was tried */
  get reason() {
    const errors = this.cause instanceof AggregateError ? this.cause.errors : [this.cause]
    return errors.map(String).join(', ')
  }
}

/** It is libsignal's own storage. Sessions are kept by the other side's identity key, not by its address. */
export class Ratchets {
  #identity = newPair()
  #signed = newPair()
  #registrationId = generateRegistrationId()
  #lastOneTimeId = 0
  /** @type {Map<number, Pair>} handed out and not used yet */
  #oneTime = new Map()
  /** @type {Map<string, string>} as JSON: small, and an attempt that fails leaves no trace */
  #sessions = new Map()
  /** @type {Map<string, string>} address → identity; a phone address and a LID may lead to the same */
  #peers = new Map()

  /**
   * What WhatsApp tells of this device to one who wants to write to it, with a fresh one-time key.
   * @returns {BinaryNode[]}
   */
  bundle() {
    const oneTime = newPair()
    this.#oneTime.set(++this.#lastOneTimeId, oneTime)
    return [
      { tag: 'registration', attrs: {}, content: encodeBigEndian(this.#registrationId) },
      { tag: 'type', attrs: {}, content: KEY_BUNDLE_TYPE },
      { tag: 'identity', attrs: {}, content: withoutType(this.#identity) },
      xmppSignedPreKey({
        keyId: 1,
        keyPair: { public: withoutType(this.#signed), private: this.#signed.privKey },
        // libsignal's own takes forty times as long, which a campaign to new people would feel.
        signature: calculateSignature(this.#identity.privKey, this.#signed.pubKey)
      }),
      xmppPreKey({ public: withoutType(oneTime), private: oneTime.privKey }, this.#lastOneTimeId)
    ]
  }

  /**
   * @param {string} from
   * @param {string} type
   * @param {Uint8Array} ciphertext
   */
  async open(from, type, ciphertext) {
    const sealed = Buffer.from(ciphertext)
    try {
      return await (type === 'pkmsg' ? this.#openFirst(from, sealed) : this.#openLater(from, sealed))
    } catch (error) {
      throw new UnreadableError(`${type} from ${from}`, { cause: error })
    }
  }

  /**
   * @param {string} from
   * @param {Buffer} sealed
   */
  async #openFirst(from, sealed) {
    const peer = nameOf(PreKeyWhisperMessage.decode(sealed.subarray(1)).identityKey)
    const plain = await this.#cipher(peer).decryptPreKeyWhisperMessage(sealed)
    this.#peers.set(from, peer)
    return plain
  }

  /**
   * @param {string} from
   * @param {Buffer} sealed
   */
  async #openLater(from, sealed) {
    const known = this.#peers.get(from)
    const failures = []
    for (const peer of known ? [known] : new Set(this.#peers.values())) {
      try {
        const plain = await this.#cipher(peer).decryptWhisperMessage(sealed)
        this.#peers.set(from, peer)
        return plain
      } catch (error) {
        failures.push(error)
      }
    }
    throw new AggregateError(failures, 'no session opens it')
  }

  /**
   * @param {string} to
   * @param {BinaryNode[]} bundle as the other side uploaded it; a first message takes a one-time key out of it
   * @param {Uint8Array} plain
   * @returns {Promise<Sealed>}
   */
  async seal(to, bundle, plain) {
    const node = { tag: 'user', attrs: {}, content: bundle }
    const identity = withType(getBinaryNodeChildBuffer(node, 'identity'))
    const peer = nameOf(identity)
    const address = new ProtocolAddress(peer, 0)
    if (!(await this.loadSession(address.toString()))?.haveOpenSession()) {
      await new SessionBuilder(this, address).initOutgoing({
        registrationId: getBinaryNodeChildUInt(node, 'registration', 4) ?? 0,
        identityKey: identity,
        signedPreKey: preKeyOf(getBinaryNodeChild(node, 'skey')),
        preKey: preKeyOf(takeOneTimeKey(node))
      })
    }
    const { type, body } = await this.#cipher(peer).encrypt(Buffer.from(plain))
    this.#peers.set(to, peer)
    return { type: type === 3 ? 'pkmsg' : 'msg', ciphertext: Buffer.from(body, 'binary') }
  }

  /** @param {string} peer */
  #cipher(peer) {
    return new SessionCipher(this, new ProtocolAddress(peer, 0))
  }

  /** @param {string} id */
  async loadSession(id) {
    const kept = this.#sessions.get(id)
    return kept ? SessionRecord.deserialize(JSON.parse(kept)) : null
  }

  /**
   * @param {string} id
   * @param {SessionRecord} record
   */
  async storeSession(id, record) {
    this.#sessions.set(id, JSON.stringify(record.serialize()))
  }

  isTrustedIdentity() {
    return true
  }

  /** @param {number | string} id */
  async loadPreKey(id) {
    return this.#oneTime.get(Number(id))
  }

  /** @param {number} id */
  removePreKey(id) {
    this.#oneTime.delete(id)
  }

  loadSignedPreKey() {
    return this.#signed
  }

  getOurRegistrationId() {
    return this.#registrationId
  }

  getOurIdentity() {
    return this.#identity
  }
}

/** @returns {Pair} */
function newPair() {
  const { pubKey, privKey } = generateKeyPair()
  return { pubKey: Buffer.from(pubKey), privKey: Buffer.from(privKey) }
}

/** @param {Pair} pair */
const withoutType = (pair) => pair.pubKey.subarray(1)

/** @param {Uint8Array | undefined} key */
const withType = (key) => Buffer.concat([KEY_BUNDLE_TYPE, key ?? Buffer.alloc(0)])

/** @param {Uint8Array} identity */
const nameOf = (identity) => Buffer.from(identity).toString('base64url')

/** @param {BinaryNode | undefined} node */
function preKeyOf(node) {
  if (!node) throw new Error('a key is missing in the bundle')
  return {
    keyId: getBinaryNodeChildUInt(node, 'id', 3) ?? 0,
    publicKey: withType(getBinaryNodeChildBuffer(node, 'value')),
    signature: getBinaryNodeChildBuffer(node, 'signature') ?? Buffer.alloc(64)
  }
}

/**
 * Each one-time key is given to one writer only.
 * @param {BinaryNode} node
 */
function takeOneTimeKey(node) {
  const list = getBinaryNodeChild(node, 'list')?.content
  return Array.isArray(list) ? list.shift() : getBinaryNodeChild(node, 'key')
}
