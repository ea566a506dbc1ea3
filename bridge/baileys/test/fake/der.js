/** As much DER as a certificate of one's own needs: node:crypto signs bytes, but writes no certificates. */

import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

const DAY = 24 * 60 * 60 * 1000
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2'
const COMMON_NAME = '2.5.4.3'
const BASIC_CONSTRAINTS = '2.5.29.19'
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17'

/**
 * One element: its tag, its length, its content.
 * @param {number} tag
 * @param {...Uint8Array} parts
 */
function element(tag, ...parts) {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(content.length)]), content])
}

/** @param {number} length */
function lengthBytes(length) {
  if (length < 0x80) return [length]
  if (length < 0x100) return [0x81, length]
  return [0x82, length >> 8, length & 0xff]
}

/** @param {...Uint8Array} parts */
const sequence = (...parts) => element(0x30, ...parts)
/** @param {Uint8Array} bytes */
const bits = (bytes) => element(0x03, Buffer.from([0]), bytes)
/** @param {Uint8Array} bytes */
const octets = (bytes) => element(0x04, bytes)
/** @param {Date} moment */
const time = (moment) => element(0x17, Buffer.from(moment.toISOString().slice(2, 19).replace(/[-:T]/g, '') + 'Z'))

/** @param {string} dotted */
function identifier(dotted) {
  const [first, second, ...rest] = dotted.split('.').map(Number)
  return element(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

/** @param {number} number */
function base128(number) {
  const bytes = [number & 0x7f]
  for (let left = number >> 7; left > 0; left >>= 7) bytes.unshift(0x80 | (left & 0x7f))
  return bytes
}

/**
 * @param {string} id
 * @param {Uint8Array} value
 */
const extension = (id, value) => sequence(identifier(id), octets(value))

/**
 * A key and a certificate that answers for itself: whoever trusts it as an authority may talk to localhost.
 * @returns {{ key: string, certificate: string }} both as PEM
 */
export function selfSigned() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const algorithm = sequence(identifier(ECDSA_WITH_SHA256))
  const name = sequence(element(0x31, sequence(identifier(COMMON_NAME), element(0x0c, Buffer.from('fake WhatsApp media')))))
  const localhost = sequence(element(0x82, Buffer.from('localhost')), element(0x87, Buffer.from([127, 0, 0, 1])))
  const authority = sequence(element(0x01, Buffer.from([0xff])))
  const body = sequence(
    element(0xa0, element(0x02, Buffer.from([2]))), // the third version
    element(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])), // a serial number above 0
    algorithm,
    name,
    sequence(time(new Date(Date.now() - DAY)), time(new Date(Date.now() + 365 * DAY))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    element(0xa3, sequence(extension(SUBJECT_ALTERNATIVE_NAME, localhost), extension(BASIC_CONSTRAINTS, authority)))
  )
  const certificate = sequence(body, algorithm, bits(sign('sha256', body, privateKey)))
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), certificate: pem(certificate) }
}

/** @param {Buffer} certificate */
function pem(certificate) {
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}
