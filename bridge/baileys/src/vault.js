/** What is kept sealed: it opens with our key, and only in the place that it was sealed for. */

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

const CIPHER = 'aes-256-gcm'
const VERSION = 1
const KEY_SIZE = 32 // all in bytes
const IV_SIZE = 12
const TAG_SIZE = 16
const HEAD_SIZE = 1 + IV_SIZE + TAG_SIZE

/** Something sealed does not open: another key, another place, or it was damaged. */
export class VaultError extends Error {
  name = 'VaultError'

  /** @param {string} place */
  constructor(place) {
    super(`cannot open ${place}`)
  }
}

export class Vault {
  #key

  /** @param {Buffer} key */
  constructor(key) {
    if (key.length !== KEY_SIZE) throw new RangeError(`the key of the vault must have ${KEY_SIZE} bytes`)
    this.#key = key
  }

  /**
   * @param {Buffer} plain
   * @param {string} place
   * @returns {Buffer} version, nonce, tag, and what was given, encrypted
   */
  seal(plain, place) {
    const iv = randomBytes(IV_SIZE)
    const cipher = createCipheriv(CIPHER, this.#key, iv, { authTagLength: TAG_SIZE }).setAAD(Buffer.from(place))
    const body = Buffer.concat([cipher.update(plain), cipher.final()])
    return Buffer.concat([Buffer.of(VERSION), iv, cipher.getAuthTag(), body])
  }

  /**
   * @param {Buffer} sealed
   * @param {string} place where it was found
   * @returns {Buffer}
   */
  open(sealed, place) {
    if (sealed.length < HEAD_SIZE || sealed[0] !== VERSION) throw new VaultError(place)
    const iv = sealed.subarray(1, 1 + IV_SIZE)
    const decipher = createDecipheriv(CIPHER, this.#key, iv, { authTagLength: TAG_SIZE })
    decipher.setAAD(Buffer.from(place)).setAuthTag(sealed.subarray(1 + IV_SIZE, HEAD_SIZE))
    const plain = decipher.update(sealed.subarray(HEAD_SIZE))
    try {
      return Buffer.concat([plain, decipher.final()])
    } catch {
      throw new VaultError(place)
    }
  }
}
