/** WhatsApp's id of a message: derived from the session and the key, so that a receipt finds its attempt after any crash. */

import { createHash } from 'node:crypto'

/**
 * In the form of WhatsApp Web's own ids.
 * @param {string} session
 * @param {string} key
 */
export function messageId(session, key) {
  const hash = createHash('sha256').update(JSON.stringify([session, key])).digest('hex')
  return `3EB0${hash.slice(0, 18).toUpperCase()}`
}
