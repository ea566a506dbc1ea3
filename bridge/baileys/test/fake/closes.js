/** How WhatsApp ends a connection, so that a client reports exactly the code that is meant. */

import { element } from './stanzas.js'

/**
 * @typedef {'stream' | 'failure' | 'drop'} Manner
 * @typedef {import('./connection.js').Connection} Connection
 */

/** What stands in a stream error besides its code. @type {Record<number, import('./connection.js').Node[]>} */
const REASONS = {
  401: [element('conflict', { type: 'device_removed' })],
  440: [element('conflict', { type: 'replaced' })]
}

/** Which codes do not come as a stream error, when the test does not say. @type {Record<number, Manner>} */
const MANNERS = { 403: 'failure', 405: 'failure', 428: 'drop' }

/**
 * A dropped connection says no code: Baileys calls it 428, whatever is meant.
 * @param {Connection} connection
 * @param {number} code
 * @param {Manner} [manner]
 */
export function end(connection, code, manner = MANNERS[code] ?? 'stream') {
  if (manner === 'drop') return connection.cut()
  if (manner === 'failure') connection.send(element('failure', { reason: String(code), location: 'fake' }))
  else connection.send(element('stream:error', { code: String(code) }, REASONS[code] ?? []))
  connection.close()
}
