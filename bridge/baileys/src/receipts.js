/**
 * Receipts: what the phones of people say of our messages.
 *
 * They are read from WhatsApp's own stanzas, and written down before Baileys acknowledges them: of a send in doubt a receipt
 * may be the only word that ever comes. Baileys' own events come late (it holds them back for up to half a minute after a
 * login), folded into others, and are lost with the connection.
 */

import { areJidsSameUser, getBinaryNodeChild, getBinaryNodeChildren } from 'baileys'

import { SerialQueue } from './queue.js'
import { untilDone } from './until_done.js'

/**
 * @typedef {'delivered' | 'read'} Status
 * @typedef {{ session: string, messageId: string, status: Status }} Receipt
 */

/** What a message of ours may be called: people's phones choose what a receipt names. */
const AN_ID = /^[\x21-\x7e]{1,128}$/

const AT_A_TIME = 200 // receipts in a transaction

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
  return [id, ...more].filter((one) => AN_ID.test(one)).map((messageId) => ({ session, messageId, status }))
}

export class Receipts {
  #database
  #ledger
  #outbox
  /** @type {Receipt[]} */
  #waiting = []
  #writing = new SerialQueue()

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
   * @returns {Promise<void>} when they are written
   */
  take(receipts) {
    this.#waiting.push(...receipts)
    return this.#writing.run(() => this.#writeWaiting())
  }

  /** Return when everything taken is written. */
  written() {
    return this.take([])
  }

  async #writeWaiting() {
    const all = this.#waiting.splice(0)
    for (let begin = 0; begin < all.length; begin += AT_A_TIME)
      await untilDone('EVENTS', 'receipts', () => this.#write(all.slice(begin, begin + AT_A_TIME)))
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
    // The person has it: whatever became of WhatsApp's own answer, it was sent.
    await Promise.all(
      ours.filter(({ state }) => state === 'dispatching').map(({ key, messageId }) => this.#ledger.sent(key, sent(key, messageId)))
    )
    await this.#database.transaction(async (client) => {
      for (const { session, messageId, key, status } of ours)
        await this.#outbox.put(client, session, 'receipt', { message_id: messageId, key, status, error: null })
    })
    this.#outbox.wake()
  }
}

/**
 * @param {string} key
 * @param {string} messageId
 */
function sent(key, messageId) {
  return { status: 200, body: { status: 'sent', key, message_id: messageId, duplicate: false, duration_ms: null } }
}
