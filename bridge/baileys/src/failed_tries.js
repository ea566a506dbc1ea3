/**
 * Imported by whatever opens messages: a session of Signal's that could not open a message stays as it was.
 *
 * libsignal tries every session that it has with somebody, and moves each on before it knows whether the message was of
 * that one. When a later one opens it, those that failed are stored as they have become, and what they send from then on
 * nobody can read ("Bad MAC"). It takes no more than an answer that was on its way while we made a new session, which
 * Baileys does whenever it looks up somebody's devices.
 */

import libsignal from 'libsignal'

/**
 * What libsignal does not declare.
 * @typedef {{ pendingPreKey?: unknown, serialize: () => unknown, constructor: { deserialize: (kept: unknown) => Session } }} Session
 * @typedef {{ doDecryptWhisperMessage: (this: Cipher, sealed: Buffer, session: Session) => Promise<Buffer> }} Cipher
 */

const cipher = /** @type {Cipher} */ (/** @type {unknown} */ (libsignal.SessionCipher.prototype))
const open = cipher.doDecryptWhisperMessage

/** @type {Cipher['doDecryptWhisperMessage']} */
async function tryToOpen(sealed, session) {
  const tried = session.constructor.deserialize(session.serialize())
  const plain = await open.call(this, sealed, tried)
  delete session.pendingPreKey // who writes in a session has it: it need not be offered any more
  Object.assign(session, tried)
  return plain
}

cipher.doDecryptWhisperMessage = tryToOpen
