/**
 * Receipts: what the phones of people say of our messages.
 *
 * They are read from WhatsApp's own stanzas. Baileys' events come late (it holds them back for up to half a minute after a
 * login), folded into others, and are lost with the connection, although WhatsApp was told that we have them.
 */

import { areJidsSameUser, getBinaryNodeChild, getBinaryNodeChildren } from 'baileys'

import { untilWritten } from './until_written.js'

/**
 * @typedef {'delivered' | 'read'} Status
 * @typedef {{ session: string, messageId: string, status: Status }} Receipt
 */

/** What a receipt's type says of the message; other types are about devices, not about people. */
const STATUS = new Map(/** @type {[string | undefined, Status][]} */ ([
  [undefined, 'delivered'],
  ['read', 'read'],
  ['played', 'read']
]))

/**
 * What a receipt says; our own other devices say nothing that counts.
 * @param {string} session
 * @param {import('baileys').BinaryNode} node
 * @param {{ id?: string, lid?: string } | undefined} me
 * @returns {Receipt[]}
 */
export function receiptsIn(session, node, me) {
  const { id, from, type } = node.attrs
  const status = STATUS.get(type)
  if (!status || areJidsSameUser(from, me?.id) || areJidsSameUser(from, me?.lid)) return []
  const more = getBinaryNodeChildren(getBinaryNodeChild(node, 'list'), 'item').map((item) => item.attrs.id)
  return [id, ...more].map((messageId) => ({ session, messageId, status }))
}

export class Receipts {
  #database
  #ledger
  #outbox
  /** @type {Receipt[]} */
  #waiting = []
  /** @type {Promise<void> | null} */
  #writing = null

  /**
   * @param {object} parts
   * @param {import('./database.js').Database} parts.database
   * @param {import('./ledger.js').Ledger} parts.ledger
   * @param {import('./outbox.js').Outbox} parts.outbox
   */
  constructor({ database, ledger, outbox }) {
    this.#database = database
    this.#ledger = ledger
    this.#outbox = outbox
  }

  /**
   * Write receipts down; those that come meanwhile share the next transaction.
   * @param {Receipt[]} receipts
   */
  take(receipts) {
    this.#waiting.push(...receipts)
    if (this.#waiting.length) this.#writing ??= this.#writeAll()
  }

  /** Return when everything taken is written. */
  async written() {
    await this.#writing
  }

  async #writeAll() {
    while (this.#waiting.length) {
      const batch = this.#waiting.splice(0)
      await untilWritten('receipts', () => this.#write(batch))
    }
    this.#writing = null
  }

  /** @param {Receipt[]} batch */
  async #write(batch) {
    const distinct = new Map(batch.map((receipt) => [JSON.stringify(receipt), receipt]))
    const found = await Promise.all(
      [...distinct.values()].map(async (receipt) => ({
        ...receipt,
        entry: await this.#ledger.byMessageId(receipt.session, receipt.messageId)
      }))
    )
    const ours = found.flatMap(({ entry, ...receipt }) => (entry ? [{ ...receipt, ...entry }] : []))
    if (!ours.length) return
    await this.#database.transaction(async (client) => {
      for (const { session, messageId, key, status } of ours)
        await this.#outbox.put(client, session, 'receipt', { message_id: messageId, key, status, error: null })
    })
    this.#outbox.wake()
    // The person has it: whatever became of WhatsApp's own answer, it was sent.
    await Promise.all(
      ours.filter(({ state }) => state === 'dispatching').map(({ key, messageId }) => this.#ledger.sent(key, sent(key, messageId)))
    )
  }
}

/**
 * @param {string} key
 * @param {string} messageId
 */
function sent(key, messageId) {
  return { status: 200, body: { status: 'sent', key, message_id: messageId, duplicate: false, duration_ms: null } }
}
