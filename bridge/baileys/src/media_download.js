/** Media that people send us: fetched from WhatsApp's own hosts only, up to a size, and opened with the message's key. */

import { createDecipheriv, createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { get } from 'node:https'

import { getMediaKeys } from 'baileys'

const USUAL_HOST = 'https://mmg.whatsapp.net'
const WHATSAPP = /(^|\.)whatsapp\.net$/
const LOOPBACK = '127.0.0.1'
const TIME_LIMIT = 20_000 // milliseconds
const MAC_BYTES = 10
const BLOCK_BYTES = 16

/** @typedef {Pick<import('baileys').proto.Message.IImageMessage, 'url' | 'directPath' | 'mediaKey' | 'fileSha256'>} Sealed */

/**
 * The bytes of an image. Throws when they are more than the limit, or not those that were sent.
 * @param {Sealed} image
 * @param {number} limit bytes
 * @param {string | null} testCa the certificate of a fake media host on this machine
 */
export async function downloadImage({ url, directPath, mediaKey, fileSha256 }, limit, testCa) {
  const { iv, cipherKey } = await getMediaKeys(mediaKey, 'image')
  const sealed = await fetchBytes(mediaAddress(url, directPath, testCa !== null), limit + BLOCK_BYTES + MAC_BYTES, testCa)
  const cipher = createDecipheriv('aes-256-cbc', /** @type {Buffer} */ (cipherKey), iv)
  const plain = Buffer.concat([cipher.update(sealed.subarray(0, -MAC_BYTES)), cipher.final()])
  if (!createHash('sha256').update(plain).digest().equals(fileSha256 ?? Buffer.alloc(0)))
    throw new Error('the media are not those that were sent')
  return plain
}

/**
 * Where media are. The sender writes the address, so it is not to lead anywhere else.
 * @param {string | null | undefined} url
 * @param {string | null | undefined} directPath
 * @param {boolean} fromFake
 */
export function mediaAddress(url, directPath, fromFake) {
  const address = new URL(directPath || url || '', url ? new URL(url).origin : USUAL_HOST)
  const isKnown = WHATSAPP.test(address.hostname) || (fromFake && address.hostname === LOOPBACK)
  if (address.protocol !== 'https:' || !isKnown) throw new Error('the media are not at WhatsApp')
  return address
}

/**
 * @param {URL} address
 * @param {number} limit bytes
 * @param {string | null} testCa
 * @returns {Promise<Buffer>}
 */
function fetchBytes(address, limit, testCa) {
  const options = { signal: AbortSignal.timeout(TIME_LIMIT), ...(testCa && { ca: readFileSync(testCa) }) }
  return new Promise((resolve, reject) => {
    const request = get(address, options, async (response) => {
      try {
        if (response.statusCode !== 200) throw new Error(`the media host answered ${response.statusCode}`)
        const chunks = []
        let size = 0
        for await (const chunk of response) {
          size += chunk.length
          if (size > limit) throw new Error(`the media are larger than ${limit} bytes`)
          chunks.push(chunk)
        }
        resolve(Buffer.concat(chunks))
      } catch (error) {
        reject(error)
      } finally {
        request.destroy()
      }
    })
    request.on('error', reject)
  })
}
