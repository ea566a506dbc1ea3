/** WhatsApp knows a person by a phone number and by a number of its own (LID): both are one person. */

import { isHostedLidUser, isHostedPnUser, isLidUser, isPnUser, jidDecode } from 'baileys'

/**
 * The phone number in an address, or null when it bears none.
 * @param {string | null | undefined} address
 */
export function phoneIn(address) {
  const phone = address && (isPnUser(address) || isHostedPnUser(address)) ? jidDecode(address)?.user : null
  return phone ? `+${phone}` : null
}

/**
 * Whether an address is that of a person: no group, channel or list.
 * @param {string | null | undefined} address
 */
export function isPerson(address) {
  return Boolean(phoneIn(address) || (address && (isLidUser(address) || isHostedLidUser(address))))
}

/**
 * The phone number of the person with whom a message was exchanged; null when WhatsApp keeps it to itself.
 * @param {Pick<import('baileys').WASocket, 'signalRepository'>} socket
 * @param {import('baileys').WAMessageKey} key
 */
export async function phoneOf({ signalRepository }, { remoteJid, remoteJidAlt }) {
  const told = phoneIn(remoteJid) ?? phoneIn(remoteJidAlt)
  if (told || !remoteJid) return told
  return phoneIn(await signalRepository.lidMapping.getPNForLID(remoteJid))
}
