/** What an error says about a message: whether it can have left, and what the client is told. */

import { DisconnectReason } from 'baileys'

import { NotSentError } from './contract.js'
import { LeaseLostError } from './lease.js'

const CLOSED = [DisconnectReason.connectionClosed, DisconnectReason.loggedOut]

/**
 * Whether a hand-over that failed did so before a byte was written: the socket was closed, or nobody could be encrypted for.
 * @param {any} error
 */
export function nothingLeft(error) {
  return CLOSED.includes(statusOf(error)) || error?.message === 'All encryptions failed'
}

/**
 * What an error before the hand-over means for the client.
 * @param {unknown} error
 * @returns {NotSentError}
 */
export function problemOf(error) {
  if (error instanceof NotSentError) return error
  if (error instanceof LeaseLostError || CLOSED.includes(statusOf(error))) return new NotSentError('not_connected')
  return new NotSentError(statusOf(error) ? 'provider_error' : 'internal')
}

/**
 * The status of an error of Baileys' own making.
 * @param {any} error
 * @returns {number}
 */
function statusOf(error) {
  return error?.isBoom ? error.output.statusCode : 0
}
