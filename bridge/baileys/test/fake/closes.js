/** How WhatsApp ends a connection, so that a client reports exactly the code that is meant. */

/**
 * @typedef {'stream' | 'failure' | 'drop'} Manner
 * @typedef {import('./connection.js').Connection} Connection
 */

/** What stands in a stream error besides its code. @type {Record<number, { tag: string, attrs: Record<string, string> }>} */
const REASONS = {
  401: { tag: 'conflict', attrs: { type: 'device_removed' } },
  440: { tag: 'conflict', attrs: { type: 'replaced' } }
}

/** Which codes come as what, when the test does not say. @type {Record<number, Manner>} */
const MANNERS = { 403: 'failure', 405: 'failure', 408: 'drop', 428: 'drop' }

/**
 * @param {Connection} connection
 * @param {number} code
 * @param {Manner} [manner]
 */
export function end(connection, code, manner = MANNERS[code] ?? 'stream') {
  if (manner === 'drop') return code === 408 ? connection.cut() : connection.close()
  if (manner === 'failure') connection.send({ tag: 'failure', attrs: { reason: String(code), location: 'fake' } })
  else connection.send({ tag: 'stream:error', attrs: { code: String(code) }, content: REASONS[code] ? [REASONS[code]] : [] })
  connection.close()
}
