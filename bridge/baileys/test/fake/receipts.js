/** What people's phones say of a message to the device that sent it. */

import { jidDecode, jidEncode } from 'baileys'
import { element, now } from './stanzas.js'

/**
 * @typedef {import('./device.js').Device} Device
 * @typedef {import('./world.js').Contact} Contact
 * @typedef {import('./world.js').World} World
 */

/**
 * @param {World} world
 * @param {Device} device
 * @param {string} id
 * @param {string} from
 * @param {('delivered' | 'read')[]} statuses
 */
export function deliverReceipts(world, device, id, from, statuses) {
  for (const status of statuses) {
    world.stats.receipts += 1
    device.deliver(element('receipt', { id, from, t: now(), ...(status === 'read' && { type: 'read' }) }))
  }
}

/**
 * A phone could not read a message: it asks for it again and, from the second time on, brings new keys.
 * @param {World} world
 * @param {Device} device
 * @param {Contact} contact
 * @param {string} id
 * @param {string} from
 * @param {number} count
 */
export function deliverRetry(world, device, contact, id, from, count) {
  world.stats.retries += 1
  const bundle = contact.person.bundle(jidDecode(from)?.device ?? 0)
  const registration = bundle.filter(({ tag }) => tag === 'registration')
  const keys = element('keys', {}, bundle.filter(({ tag }) => tag !== 'registration'))
  const retry = element('retry', { count: String(count), id, t: now(), v: '1' })
  const content = [retry, ...registration, ...(count > 1 ? [keys] : [])]
  device.deliver(element('receipt', { id, from, type: 'retry', t: now() }, content))
}

/**
 * A receipt as a test wants it.
 * @param {World} world
 * @param {{ message_id: string, status: 'delivered' | 'read' | 'failed', from_device?: number }} wanted
 */
export function receiptByHand(world, { message_id: id, status, from_device = 0 }) {
  const received = [...world.received.values()].find((entry) => entry.message_id === id)
  const device = received && world.deviceOf(received.session_phone)
  if (!device) throw new Error(`Nobody received a message ${id}.`)
  const from = jidEncode(received.phone, 's.whatsapp.net', from_device)
  const failure = element('ack', { class: 'message', id, from, t: now(), error: '500' })
  if (status === 'failed') device.connection?.send(failure) // nobody acknowledges an ack, so it is not kept
  else deliverReceipts(world, device, id, from, [status])
}
