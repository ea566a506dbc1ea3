/** What people, and the own phone, write to a linked device. */

import { randomBytes } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import { proto } from 'baileys'
import { element, now } from './stanzas.js'

/**
 * @typedef {import('./device.js').Device} Device
 * @typedef {import('./world.js').Contact} Contact
 */

/**
 * @param {Device} device
 * @param {Contact} contact who writes
 * @param {import('baileys').proto.IMessage} message
 * @param {Record<string, string>} attrs
 * @returns {Promise<string>} the message's id
 */
async function write(device, contact, message, attrs) {
  const { bundle, jid } = device
  const id = randomBytes(16).toString('hex').toUpperCase()
  const deliver = async () => {
    const { type, ciphertext } = await contact.person.writeTo({ device: 0, bundle, message, jid })
    const enc = element('enc', { v: '2', type }, ciphertext)
    device.deliver(element('message', { id, t: now(), type: 'text', ...attrs }, [enc]))
  }
  device.written.set(id, deliver)
  await deliver()
  return id
}

/**
 * @param {Device} device
 * @param {Contact} contact
 * @param {import('baileys').proto.IMessage} message
 * @param {{ address?: 'pn' | 'lid', name?: string }} how the person is named to the device
 */
export function writeInbound(device, contact, message, { address = 'pn', name = '' }) {
  const phone = `${contact.phone}@s.whatsapp.net`
  const { lid } = contact
  const byPhone = { from: phone, ...(lid && { sender_lid: lid }) }
  const who = address === 'lid' && lid ? { from: lid, sender_pn: phone } : byPhone
  return write(device, contact, message, { ...who, notify: name, ...(message.imageMessage && { type: 'media' }) })
}

/**
 * The phone sends its history to a device that was just linked: there is none, but the device waits for it.
 * @param {Device} device
 */
export function writeHistory(device) {
  const syncType = proto.HistorySync.HistorySyncType.INITIAL_BOOTSTRAP
  const history = deflateSync(proto.HistorySync.encode({ syncType, conversations: [] }).finish())
  const message = {
    protocolMessage: {
      type: proto.Message.ProtocolMessage.Type.HISTORY_SYNC_NOTIFICATION,
      historySyncNotification: { syncType, chunkOrder: 1, progress: 100, initialHistBootstrapInlinePayload: history }
    }
  }
  return write(device, device.contact, message, { from: `${device.contact.phone}@s.whatsapp.net`, category: 'peer' })
}
