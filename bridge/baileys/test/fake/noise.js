/** The server's side of WhatsApp's Noise handshake (XX, X25519, AES-GCM, SHA-256) and of the frames that follow. */

import { createHash, hkdfSync } from 'node:crypto'
import { aesDecryptGCM, aesEncryptGCM, Curve, NOISE_MODE, NOISE_WA_HEADER, proto } from 'baileys'

/** @typedef {{ encrypt(plain: Uint8Array): Buffer, decrypt(sealed: Uint8Array): Buffer }} Transport */

const EMPTY = Buffer.alloc(0)

// WhatsApp's public certificates. A client checks that they are signed by WhatsApp, not that they name our key.
const CERTIFICATES = Buffer.from(
  'CncKMwjjAhADGiCRKg7Kg1iu4CSulwLBaxX51Tefw6VXGgZqcr5OEbXIRiDQ04bOBijQjZ/TBhJA34Bj82jAHhLpCWBNVBlGnFDieamd8+13' +
    '8S57uMt9ke9mrn5r4+VepwBPKEgHjob6bR70rlCmWDkxZv+CfVjIAxJ2CjIIAxAAGiAcUamsMDmUxsjQuS6hh4pTNHZZnMWZ++o1mX2aqQzO' +
    'YiCAka6+Bij/3rfcBhJAJw8pRkhTn+1IcOJQVN1OlZg6uikYnCumyO7acFVVX3U3QPXsGSq2TCbCbWrebSC593Su43EgprIDlfU8ZgWFBw==',
  'base64'
)

/** One key and its counter, from which each nonce is made. */
class Cipher {
  #key
  #nonce = Buffer.alloc(12)
  #count = 0

  /** @param {Uint8Array} key */
  constructor(key) {
    this.#key = key
  }

  /** @param {Uint8Array} plain */
  encrypt(plain, /** @type {Uint8Array} */ hash = EMPTY) {
    return aesEncryptGCM(plain, this.#key, this.#nextNonce(), hash)
  }

  /** @param {Uint8Array} sealed */
  decrypt(sealed, /** @type {Uint8Array} */ hash = EMPTY) {
    return aesDecryptGCM(sealed, this.#key, this.#nextNonce(), hash)
  }

  #nextNonce() {
    this.#nonce.writeUInt32BE(this.#count++, 8)
    return this.#nonce
  }
}

export class Handshake {
  /** @type {Buffer} */
  #hash = Buffer.from(NOISE_MODE)
  /** @type {Buffer} */
  #salt = this.#hash
  #cipher = new Cipher(this.#hash)
  #ephemeral = Curve.generateKeyPair()

  /**
   * The answer to a client's first frame.
   * @param {Uint8Array} frame
   */
  hello(frame) {
    const theirs = /** @type {Uint8Array} */ (proto.HandshakeMessage.decode(frame).clientHello?.ephemeral)
    const identity = Curve.generateKeyPair()
    this.#authenticate(NOISE_WA_HEADER)
    this.#authenticate(theirs)
    this.#authenticate(this.#ephemeral.public)
    this.#mix(Curve.sharedKey(this.#ephemeral.private, theirs))
    const sealedKey = this.#encrypt(identity.public)
    this.#mix(Curve.sharedKey(identity.private, theirs))
    const serverHello = { ephemeral: this.#ephemeral.public, static: sealedKey, payload: this.#encrypt(CERTIFICATES) }
    return proto.HandshakeMessage.encode({ serverHello }).finish()
  }

  /**
   * What a client says of itself in its second frame, and the ciphers for all that follows.
   * @param {Uint8Array} frame
   * @returns {{ noiseKey: Buffer, payload: proto.ClientPayload, transport: Transport }}
   */
  finish(frame) {
    const { static: sealedKey, payload } = /** @type {{ static: Uint8Array, payload: Uint8Array }} */ (
      proto.HandshakeMessage.decode(frame).clientFinish
    )
    const noiseKey = this.#decrypt(sealedKey)
    this.#mix(Curve.sharedKey(this.#ephemeral.private, noiseKey))
    const said = proto.ClientPayload.decode(this.#decrypt(payload))
    const [fromClient, toClient] = this.#derive(EMPTY).map((key) => new Cipher(key))
    const transport = {
      encrypt: (/** @type {Uint8Array} */ plain) => toClient.encrypt(plain),
      decrypt: (/** @type {Uint8Array} */ sealed) => fromClient.decrypt(sealed)
    }
    return { noiseKey, payload: said, transport }
  }

  /** @param {Uint8Array} plain */
  #encrypt(plain) {
    const sealed = this.#cipher.encrypt(plain, this.#hash)
    this.#authenticate(sealed)
    return sealed
  }

  /** @param {Uint8Array} sealed */
  #decrypt(sealed) {
    const plain = this.#cipher.decrypt(sealed, this.#hash)
    this.#authenticate(sealed)
    return plain
  }

  /** @param {Uint8Array} data */
  #authenticate(data) {
    this.#hash = createHash('sha256').update(this.#hash).update(data).digest()
  }

  /** @param {Uint8Array} secret */
  #mix(secret) {
    const [salt, key] = this.#derive(secret)
    this.#salt = salt
    this.#cipher = new Cipher(key)
  }

  /** @param {Uint8Array} secret */
  #derive(secret) {
    const both = Buffer.from(hkdfSync('sha256', secret, this.#salt, EMPTY, 64))
    return [both.subarray(0, 32), both.subarray(32)]
  }
}

/** @param {Uint8Array} data */
export function frame(data) {
  const framed = Buffer.allocUnsafe(3 + data.length)
  framed.writeUIntBE(data.length, 0, 3)
  framed.set(data, 3)
  return framed
}

/** Cuts what a client sends into frames, after the words by which it begins (and, when it has it, its route). */
export class Frames {
  /** @type {Buffer} */
  #rest = EMPTY
  #begun = false

  /**
   * @param {Buffer} data
   */
  cut(data) {
    this.#rest = this.#rest.length ? Buffer.concat([this.#rest, data]) : data
    if (!this.#begun) {
      const route = this.#rest.toString('latin1', 0, 2) === 'ED' ? 7 + this.#rest.readUIntBE(4, 3) : 0
      this.#rest = this.#rest.subarray(route + NOISE_WA_HEADER.length)
      this.#begun = true
    }
    const found = []
    while (this.#rest.length >= 3) {
      const end = 3 + this.#rest.readUIntBE(0, 3)
      if (this.#rest.length < end) break
      found.push(this.#rest.subarray(3, end))
      this.#rest = this.#rest.subarray(end)
    }
    return found
  }
}
