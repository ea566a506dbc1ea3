/**
 * What must be true before a message is handed over: WhatsApp names a device of the person, and we can encrypt for it.
 *
 * Baileys leaves out, in silence, whom it knows no device of or has no Signal session with, and the server acks what then
 * went to our own phone only. It also would ask for both within a transaction over the ratchets of the whole session.
 */

import { jidDecode, jidNormalizedUser } from 'baileys'

import { NotSentError } from './contract.js'

/** @typedef {Pick<import('baileys').WASocket, 'user' | 'getUSyncDevices' | 'assertSessions' | 'signalRepository'>} Socket */

/** @type {WeakMap<Socket, string>} our own other devices, to which a copy goes each time, as they were last asked about */
const ownAsked = new WeakMap()

/**
 * Throws NotSentError when the person's phone could not be reached by the message.
 * @param {Socket} socket
 * @param {string} to the phone address: Baileys keeps a person's Signal session under their LID once it knows that, and finds
 *   it by either address, so that there is one session for each device of a person however we or they write to us
 */
export async function prepare(socket, to) {
  const me = socket.user
  if (!me) throw new NotSentError('not_connected')
  const devices = await socket.getUSyncDevices([jidNormalizedUser(me.id), to], true, false)
  const readers = devices.filter(({ jid }) => jid !== me.id && jid !== me.lid)
  const theirs = readers.filter(({ user }) => user === jidDecode(to)?.user)
  if (!theirs.length) throw unreachable('WhatsApp names no device of this person.')
  const own = readers.filter((one) => !theirs.includes(one)).map(({ jid }) => jid).join()
  const asked = ownAsked.get(socket) === own ? theirs : readers
  const missing = await withoutSession(socket, asked.map(({ jid }) => jid))
  if (missing.length) await socket.assertSessions(missing)
  ownAsked.set(socket, own)
  if (!missing.length) return
  const phone = theirs.find(({ device }) => !device) ?? theirs[0]
  if ((await withoutSession(socket, [phone.jid])).length) throw unreachable("WhatsApp gives no keys of this person's phone.")
}

/**
 * @param {Socket} socket
 * @param {string[]} jids
 */
async function withoutSession({ signalRepository }, jids) {
  const found = await Promise.all(jids.map((jid) => signalRepository.validateSession(jid)))
  return jids.filter((_, place) => !found[place].exists)
}

/** @param {string} words */
function unreachable(words) {
  return new NotSentError('provider_error', { words })
}
