/** A message that a linked device sends: read by the people whom it is for, acknowledged, and confirmed by receipts. */

import { createHash } from 'node:crypto'
import { getBinaryNodeChild, getBinaryNodeChildren, jidDecode, normalizeMessageContent } from 'baileys'
import { readMedia } from './media.js'
import { UnreadableError } from './people.js'
import { deliverReceipts, deliverRetry } from './receipts.js'
import { element, now } from './stanzas.js'

/**
 * @typedef {import('./connection.js').Connection} Connection
 * @typedef {import('./connection.js').Node} Node
 * @typedef {import('./device.js').Device} Device
 * @typedef {import('./world.js').Behaviour} Behaviour
 * @typedef {import('./world.js').Contact} Contact
 * @typedef {import('./world.js').World} World
 */

const KINDS = /** @type {const} */ (['image', 'video', 'audio', 'document'])
const LATE_MS = 1000
const MOST_RETRIES = 5

/**
 * @param {World} world
 * @param {Connection} connection
 * @param {Node} node
 */
export async function takeMessage(world, connection, node) {
  const device = /** @type {Device} */ (connection.device)
  const { id, to } = node.attrs
  const addressee = world.at(to)
  const retry = addressee ? world.retries.get(keyOf(addressee, device, id)) : undefined
  const behaviour = retry?.behaviour ?? world.nextBehaviour(device.contact.phone, addressee?.phone ?? to)
  if (behaviour.drop === 'before') return connection.cut()
  world.stats.messages += 1
  if (behaviour.ack === 'error') return acknowledge(world, connection, node, String(behaviour.ack_error))
  const ack = {
    afterMs: behaviour.ack_after_ms || (behaviour.ack === 'late' ? LATE_MS : 0),
    act: () => acknowledge(world, connection, node)
  }
  const receipts = {
    afterMs: behaviour.receipt_after_ms,
    act: () => isRead && deliverReceipts(world, device, id, to, behaviour.receipts)
  }
  const hasAck = !behaviour.drop && behaviour.ack !== 'none'
  const steps = !hasAck ? [receipts] : behaviour.receipt_first ? [receipts, ack] : [ack, receipts]
  // As WhatsApp itself: the server has the message, whatever the phone makes of it later.
  if (steps[0] === ack && !ack.afterMs) steps.shift()?.act()
  const isRead = await handOver(world, device, node, behaviour, retry?.asked ?? 0)
  if (behaviour.drop) connection.cut()
  inTurn(steps)
}

/** @param {{ afterMs: number, act: () => void }[]} steps */
function inTurn([step, ...rest]) {
  if (!step) return
  setTimeout(() => {
    step.act()
    inTurn(rest)
  }, step.afterMs).unref()
}

/**
 * @param {World} world
 * @param {Connection} connection
 * @param {Node} message
 * @param {string} [error]
 */
function acknowledge(world, connection, { attrs: { id, to } }, error) {
  const ack = element('ack', { class: 'message', id, from: to, t: now(), ...(error && { error }) })
  if (connection.send(ack)) world.stats.acks += 1
}

/**
 * Gives each phone its copy. Whether the addressee could read it.
 * @param {World} world
 * @param {Device} device
 * @param {Node} node
 * @param {Behaviour} behaviour
 * @param {number} asked how often the addressee's phone asked for it already
 */
async function handOver(world, device, node, behaviour, asked) {
  let isRead = false
  for (const { jid, enc } of copiesOf(node)) {
    const contact = world.at(jid)
    const number = jidDecode(jid)?.device ?? 0
    if (!contact?.exists || !contact.devices.includes(number)) continue
    const isOwn = contact === device.contact
    const key = keyOf(contact, device, node.attrs.id)
    const again = () => {
      if (isOwn || asked >= MOST_RETRIES) return
      world.retries.set(key, { asked: asked + 1, behaviour })
      deliverRetry(world, device, contact, node.attrs.id, jid, asked + 1)
    }
    if (!isOwn && asked < behaviour.retry) {
      again()
      continue
    }
    try {
      const message = await contact.person.read({
        device: number,
        from: device.jid,
        type: enc.attrs.type,
        ciphertext: /** @type {Uint8Array} */ (enc.content)
      })
      if (isOwn) world.stats.own_copies += 1
      else if (!isRead) await remember(world, contact, device, node.attrs.id, message)
      isRead ||= !isOwn
      world.retries.delete(key)
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error
      world.stats.undecryptable += 1
      device.unreadable.push(`${isOwn ? 'own' : 'of'} ${jid} ${enc.attrs.type} ${node.attrs.id}: ${error.reason}`)
      again()
    }
  }
  return isRead
}

/**
 * The encrypted copies in a message, each with the device that it is for.
 * @param {Node} node
 */
function copiesOf(node) {
  const direct = getBinaryNodeChild(node, 'enc')
  if (direct) return [{ jid: node.attrs.to, enc: direct }]
  return getBinaryNodeChildren(getBinaryNodeChild(node, 'participants'), 'to').map((to) => ({
    jid: to.attrs.jid,
    enc: /** @type {Node} */ (getBinaryNodeChild(to, 'enc'))
  }))
}

/**
 * @param {World} world
 * @param {Contact} contact
 * @param {Device} device
 * @param {string} id
 * @param {import('baileys').proto.IMessage} message
 */
async function remember(world, contact, device, id, message) {
  const key = keyOf(contact, device, id)
  const seen = world.received.get(key)
  if (seen) {
    seen.times_id_seen += 1
    return
  }
  world.received.set(key, {
    phone: contact.phone,
    message_id: id,
    session_phone: device.contact.phone,
    ...(await contentOf(message)),
    at: new Date().toISOString(),
    times_id_seen: 1,
    decrypted: true
  })
}

/** @param {import('baileys').proto.IMessage} message */
async function contentOf(message) {
  const content = normalizeMessageContent(message) ?? {}
  const kind = KINDS.find((kind) => content[`${kind}Message`])
  const text = content.conversation || content.extendedTextMessage?.text || ''
  if (!kind) return { kind: 'text', text, media_sha256: null }
  const shown = /** @type {import('baileys').proto.Message.IDocumentMessage} */ (content[`${kind}Message`])
  const bytes = await readMedia(content).catch(() => null) // the phone shows the message without its picture
  return { kind, text: shown.caption ?? '', media_sha256: bytes && createHash('sha256').update(bytes).digest('hex') }
}

/**
 * @param {Contact} contact
 * @param {Device} device
 * @param {string} id
 */
const keyOf = (contact, device, id) => `${contact.phone} ${device.contact.phone} ${id}`
