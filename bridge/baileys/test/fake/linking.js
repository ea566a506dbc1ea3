/** The cryptography by which a phone links a device to itself: what it signs, and what a pairing code stands for. */

import { createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { aesDecryptCTR, aesDecryptGCM, aesEncryptCTR, Curve, derivePairingCodeKey, proto } from 'baileys'
import { WA_ADV_ACCOUNT_SIG_PREFIX, WA_ADV_DEVICE_SIG_PREFIX } from 'baileys'

/** @typedef {{ public: Uint8Array, private: Uint8Array }} KeyPair */

/** What the client shows as a QR code. @param {string} qr */
export function readQr(qr) {
  const [ref, noiseKey, identityKey, secret] = qr.slice(qr.indexOf('#') + 1).split(',')
  if (!secret) throw new Error('This is not a QR code of WhatsApp.')
  return {
    ref,
    noiseKey: Buffer.from(noiseKey, 'base64'),
    identityKey: Buffer.from(identityKey, 'base64'),
    secret: Buffer.from(secret, 'base64')
  }
}

/**
 * The phone's signature under a new device, proven to it by the secret that only the two know.
 * @param {KeyPair} account the phone's identity
 * @param {Uint8Array} identityKey the device's
 * @param {Uint8Array} secret
 * @param {number} keyIndex
 */
export function signDevice(account, identityKey, secret, keyIndex) {
  const timestamp = Math.floor(Date.now() / 1000)
  const details = proto.ADVDeviceIdentity.encode({ rawId: 1, timestamp, keyIndex }).finish()
  const signed = Buffer.concat([WA_ADV_ACCOUNT_SIG_PREFIX, details, identityKey])
  const identity = proto.ADVSignedDeviceIdentity.encode({
    details,
    accountSignatureKey: account.public,
    accountSignature: Curve.sign(account.private, signed)
  }).finish()
  const hmac = createHmac('sha256', secret).update(identity).digest()
  return { details, sealed: proto.ADVSignedDeviceIdentityHMAC.encode({ details: identity, hmac }).finish() }
}

/**
 * Whether a device signed in turn.
 * @param {Uint8Array} reply
 * @param {Uint8Array} details
 * @param {Uint8Array} identityKey
 * @param {Uint8Array} accountKey
 */
export function deviceSigned(reply, details, identityKey, accountKey) {
  const { deviceSignature } = proto.ADVSignedDeviceIdentity.decode(reply)
  const signed = Buffer.concat([WA_ADV_DEVICE_SIG_PREFIX, details, identityKey, accountKey])
  return Boolean(deviceSignature && Curve.verify(identityKey, signed, deviceSignature))
}

/** The phone's part when somebody types a pairing code into it. */
export class CodePairing {
  #code
  #account
  #ephemeral = Curve.generateKeyPair()
  #theirs = Buffer.alloc(0)

  /**
   * @param {string} code
   * @param {KeyPair} account the phone's identity
   */
  constructor(code, account) {
    this.#code = code
    this.#account = account
  }

  /**
   * Takes the device's wrapped key and gives the phone's.
   * @param {Buffer} wrapped
   */
  async answer(wrapped) {
    const theirKey = await derivePairingCodeKey(this.#code, wrapped.subarray(0, 32))
    this.#theirs = aesDecryptCTR(wrapped.subarray(48, 80), theirKey, wrapped.subarray(32, 48))
    const salt = randomBytes(32)
    const iv = randomBytes(16)
    const key = await derivePairingCodeKey(this.#code, salt)
    return Buffer.concat([salt, iv, aesEncryptCTR(this.#ephemeral.public, key, iv)])
  }

  /**
   * The secret that both know now; throws when the code was not the device's.
   * @param {Buffer} bundle
   * @param {Uint8Array} identityKey the device's
   */
  secret(bundle, identityKey) {
    const shared = Curve.sharedKey(this.#ephemeral.private, this.#theirs)
    const key = hkdfSync('sha256', shared, bundle.subarray(0, 32), 'link_code_pairing_key_bundle_encryption_key', 32)
    const keys = aesDecryptGCM(bundle.subarray(44), Buffer.from(key), bundle.subarray(32, 44), Buffer.alloc(0))
    const both = Curve.sharedKey(this.#account.private, identityKey)
    const known = Buffer.concat([shared, both, keys.subarray(64)])
    return Buffer.from(hkdfSync('sha256', known, Buffer.alloc(0), 'adv_secret', 32))
  }
}
