/** The words of the bridge contract: its errors, its times, its addresses, and one attempt as it comes in. */

import { createHash } from 'node:crypto'

/**
 * @typedef {{ status: number, body: Record<string, unknown> }} Answer
 * @typedef {{ data: Buffer, mimetype: string, filename: string | null }} Media
 * @typedef {object} Attempt One POST of a message.
 * @property {string} key by which it is known
 * @property {string} session
 * @property {string} to a WhatsApp address
 * @property {string} kind
 * @property {string} text the caption, for media
 * @property {Media | null} media
 * @property {number} deadlineS seconds
 * @property {Buffer} fingerprint equal for two bodies that give the person the same
 * @property {ErrorCode | null} fault why it could never be sent
 * @typedef {keyof typeof PROBLEMS} ErrorCode
 */

export const TEXT_LIMIT = 65_536 // characters, as WhatsApp itself
export const MEDIA_LIMIT = 16 * 1024 * 1024 // bytes
const DEADLINE_LIMIT_S = 600
const KINDS = ['text', 'image', 'video', 'audio', 'document']
const NAME = /^[^/\p{Cc}\p{Cs}]{1,200}$/u
const ADDRESS = /^[1-9]\d{6,14}@s\.whatsapp\.net$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** What each error means: HTTP status, whether anything may have gone out, whether trying again can help, words. */
export const PROBLEMS = /** @type {const} */ ({
  // the device
  not_connected: [503, 'not_sent', true, 'The session is not connected.'],
  qr_required: [503, 'not_sent', true, 'The session waits for its QR code to be scanned.'],
  restricted: [503, 'not_sent', true, 'WhatsApp restricts this account for now.'],
  logged_out: [503, 'not_sent', true, 'The session was logged out on the phone.'],
  banned: [503, 'not_sent', true, 'WhatsApp banned this account.'],
  // the message
  not_on_whatsapp: [422, 'not_sent', false, 'This number is not on WhatsApp.'],
  invalid_recipient: [422, 'not_sent', false, 'This is not the address of a person.'],
  unsupported_media: [422, 'not_sent', false, 'WhatsApp does not take this kind of media.'],
  too_large: [413, 'not_sent', false, 'The message is larger than WhatsApp takes.'],
  // the moment
  throttled: [429, 'not_sent', true, 'Too many messages: wait.'],
  send_timeout: [504, 'unknown', false, 'No answer in time; it may have gone out.'],
  provider_error: [502, 'not_sent', true, 'WhatsApp refused the message without a reason.'],
  internal: [500, 'not_sent', true, 'The bridge failed before handing the message over.'],
  // the request
  no_session: [404, 'not_sent', false, 'There is no such session: start it first.'],
  bad_request: [400, 'not_sent', false, 'The request is not as the contract says.']
})

/** The five that concern the device: they use up no key. */
export const DEVICE_PROBLEMS = new Set(['not_connected', 'qr_required', 'restricted', 'logged_out', 'banned'])

/** A body that is not as the contract says; the message says where. */
export class BadRequestError extends Error {}

/** A message that is known not to have gone out, and why. */
export class NotSentError extends Error {
  /**
   * @param {ErrorCode} code
   * @param {{ words?: string, retry_after_s?: number }} [more]
   */
  constructor(code, more = {}) {
    super(more.words ?? PROBLEMS[code][3])
    this.code = code
    this.more = more
  }
}

/**
 * The answer for an error of a send, as the contract writes it.
 * @param {ErrorCode} code
 * @param {{ words?: string, retry_after_s?: number }} [more]
 * @returns {Answer}
 */
export function refuse(code, { words, ...more } = {}) {
  const [status, outcome, retryable, usual] = PROBLEMS[code]
  return { status, body: { error: code, outcome, retryable, message: words ?? usual, ...more } }
}

/**
 * Whether it can be the name of a session, or a key.
 * @param {unknown} text
 * @returns {text is string}
 */
export function isName(text) {
  return typeof text === 'string' && NAME.test(text)
}

/**
 * A number's digits, or null when it is not one with its country code.
 * @param {unknown} number
 */
export function digits(number) {
  const found = typeof number === 'string' ? number.replace(/^\+/, '') : ''
  return ADDRESS.test(`${found}@s.whatsapp.net`) ? found : null
}

/**
 * One attempt from a JSON body. Throws BadRequestError with the field that is wrong.
 * @param {string} session
 * @param {Record<string, unknown>} body
 * @returns {Attempt}
 */
export function readAttempt(session, body) {
  const { key, to, kind, text = null, deadline_s = 30 } = body
  const media = /** @type {Record<string, unknown> | null} */ (body.media ?? null)
  if (!isName(key)) throw new BadRequestError('key: 1 to 200 characters, without a slash')
  if (typeof to !== 'string') throw new BadRequestError('to: an address as text')
  if (typeof kind !== 'string') throw new BadRequestError(`kind: one of ${KINDS.join(', ')}`)
  if ((text !== null && typeof text !== 'string') || (kind === 'text' && !text))
    throw new BadRequestError('text: must not be empty')
  if (media !== null && (typeof media !== 'object' || Array.isArray(media))) throw new BadRequestError('media: an object')
  if (typeof deadline_s !== 'number' || !(deadline_s > 0)) throw new BadRequestError('deadline_s: seconds, above 0')
  const found = kind === 'text' ? null : readMedia(kind, media ?? {})
  return {
    key,
    session,
    to,
    kind,
    text: text ?? '',
    media: typeof found === 'string' ? null : found,
    deadlineS: Math.min(deadline_s, DEADLINE_LIMIT_S),
    fingerprint: fingerprint([session, to, kind, text ?? '', media?.data, media?.mimetype, media?.filename]),
    fault: addressFault(to, kind, text ?? '') ?? (typeof found === 'string' ? found : null)
  }
}

/** @param {unknown[]} parts of what the person gets; the deadline is none of them */
function fingerprint(parts) {
  return createHash('sha256').update(JSON.stringify(parts)).digest()
}

/**
 * @param {string} to
 * @param {string} kind
 * @param {string} text
 * @returns {ErrorCode | null}
 */
function addressFault(to, kind, text) {
  if (!ADDRESS.test(to)) return 'invalid_recipient'
  if (!KINDS.includes(kind)) return 'unsupported_media'
  return text.length > TEXT_LIMIT ? 'too_large' : null
}

/**
 * @param {string} kind
 * @param {Record<string, unknown>} media
 * @returns {Media | ErrorCode}
 */
function readMedia(kind, { data, mimetype, filename }) {
  if (typeof data !== 'string' || typeof mimetype !== 'string' || !data) return 'unsupported_media'
  if (kind !== 'document' && !mimetype.startsWith(`${kind}/`)) return 'unsupported_media'
  if ((data.length * 3) / 4 > MEDIA_LIMIT) return 'too_large'
  if (!BASE64.test(data)) return 'unsupported_media'
  return { data: Buffer.from(data, 'base64'), mimetype, filename: typeof filename === 'string' ? filename : null }
}
