/** Media as it lies on WhatsApp's servers: sealed by a key that only the message tells. */

import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto'
import { getMediaKeys } from 'baileys'

/** @typedef {'image' | 'video' | 'audio' | 'document'} MediaKind */

const MAC_LENGTH = 10

/** @param {Uint8Array} bytes */
export const sha256 = (bytes) => createHash('sha256').update(bytes).digest()

/**
 * @param {MediaKind} kind
 * @param {Uint8Array} bytes
 */
export async function seal(kind, bytes) {
  const mediaKey = randomBytes(32)
  const { iv, cipherKey, macKey = Buffer.alloc(0) } = await getMediaKeys(mediaKey, kind)
  const cipher = createCipheriv('aes-256-cbc', cipherKey, iv)
  const hidden = Buffer.concat([cipher.update(bytes), cipher.final()])
  const sealed = Buffer.concat([hidden, macOf(macKey, iv, hidden)])
  const facts = { mediaKey, fileSha256: sha256(bytes), fileEncSha256: sha256(sealed), fileLength: bytes.length }
  return { sealed, facts }
}

/**
 * The bytes, when all that a phone checks is right; Baileys' own download checks nothing.
 * @param {MediaKind} kind
 * @param {{ mediaKey?: Uint8Array | null, fileSha256?: Uint8Array | null, fileEncSha256?: Uint8Array | null }} facts
 * @param {Buffer} sealed
 */
export async function open(kind, facts, sealed) {
  const { iv, cipherKey, macKey = Buffer.alloc(0) } = await getMediaKeys(facts.mediaKey, kind)
  const hidden = sealed.subarray(0, -MAC_LENGTH)
  if (!sha256(sealed).equals(facts.fileEncSha256 ?? Buffer.alloc(0))) throw new Error('other bytes than were uploaded')
  if (!macOf(macKey, iv, hidden).equals(sealed.subarray(-MAC_LENGTH))) throw new Error('sealed by another key')
  const decipher = createDecipheriv('aes-256-cbc', cipherKey, iv)
  const bytes = Buffer.concat([decipher.update(hidden), decipher.final()])
  if (!sha256(bytes).equals(facts.fileSha256 ?? Buffer.alloc(0))) throw new Error('other content than was announced')
  return bytes
}

/**
 * @param {Uint8Array} key
 * @param {Uint8Array} iv
 * @param {Uint8Array} hidden
 */
function macOf(key, iv, hidden) {
  return createHmac('sha256', key).update(iv).update(hidden).digest().subarray(0, MAC_LENGTH)
}
