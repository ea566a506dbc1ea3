/** Baileys as it is, with its keys in memory: the partner of the fake's own tests. */

import { setTimeout as pause } from 'node:timers/promises'
import makeWASocket, { BufferJSON, initAuthCreds } from 'baileys'

// Baileys leaves timers of up to a minute behind when a connection ends; they must not keep a test's process alive.
const timer = globalThis.setTimeout
globalThis.setTimeout = /** @type {any} */ (
  (/** @type {Parameters<typeof timer>} */ ...given) => timer(...given).unref()
)

const nothing = () => {}
const levels = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing }
const logger = { level: 'silent', child: () => logger, ...levels }

/**
 * Waits for a condition, and gives what it gave.
 * @template T
 * @param {() => T | Promise<T>} condition
 * @param {string} what
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(condition, what, withinMs = 15_000) {
  for (const end = Date.now() + withinMs; Date.now() < end; await pause(10)) {
    const found = await condition()
    if (found) return found
  }
  throw new Error(`In ${withinMs} ms not seen: ${what}`)
}

export class Client {
  /** @type {number[]} the codes with which its connections were closed */
  closed = []
  /** @type {string[]} */
  qrs = []
  /** @type {Record<string, string>[]} attributes of the acks of messages */
  acks = []
  /** @type {{ id: string, status: number }[]} what became of its messages, as Baileys tells it */
  updates = []
  /** @type {import('baileys').WAMessage[]} what people wrote */
  inbound = []
  isConnected = false
  isOpen = false
  creds = initAuthCreds()
  /** @type {Map<string, string>} */
  #kept = new Map()
  /** @type {Map<string, import('baileys').proto.IMessage>} */
  #sent = new Map()
  #address
  #agent

  /**
   * @param {string} address of the fake WhatsApp
   * @param {import('https').Agent} [agent] that trusts its media servers
   */
  constructor(address, agent) {
    this.#address = address
    this.#agent = agent
    this.socket = this.connect()
  }

  connect() {
    const socket = makeWASocket({
      auth: { creds: this.creds, keys: this.#keys() },
      logger,
      waWebSocketUrl: this.#address,
      fetchAgent: this.#agent,
      emitOwnEvents: false,
      getMessage: async ({ id }) => this.#sent.get(id ?? '')
    })
    this.socket = socket
    socket.ev.on('creds.update', (update) => Object.assign(this.creds, update))
    socket.ev.on('connection.update', ({ qr, connection, lastDisconnect }) => {
      if (qr) this.qrs.push(qr)
      if (connection) this.isConnected = connection !== 'close'
      if (connection) this.isOpen = connection === 'open'
      if (connection === 'close') this.closed.push(/** @type {any} */ (lastDisconnect?.error)?.output?.statusCode)
    })
    socket.ev.on('messages.update', (updates) => {
      for (const { key, update } of updates) this.updates.push({ id: key.id ?? '', status: update.status ?? -1 })
    })
    socket.ev.on('messages.upsert', ({ messages }) => {
      for (const message of messages) {
        if (!message.key.fromMe) this.inbound.push(message)
        else if (message.status) this.updates.push({ id: message.key.id ?? '', status: Number(message.status) })
      }
    })
    socket.ws.on('CB:ack,class:message', ({ attrs }) => this.acks.push(attrs))
    return socket
  }

  /** Until its connection is closed once more; the code. */
  async nextClose(before = this.closed.length) {
    await until(() => this.closed.length > before, 'the connection is closed')
    return /** @type {number} */ (this.closed.at(-1))
  }

  async untilOpen() {
    await until(() => this.isOpen, 'the connection is open')
    return this
  }

  async disconnect() {
    if (this.isConnected) await this.socket.end(undefined)
  }

  /** The next connection begins from what was stored. */
  async reconnect() {
    await this.disconnect()
    this.connect()
    await this.untilOpen()
  }

  /**
   * @param {string} to
   * @param {import('baileys').AnyMessageContent} content
   * @returns {Promise<string>} the message's id
   */
  async send(to, content) {
    const sent = await this.socket.sendMessage(to, content)
    const { id } = /** @type {import('baileys').WAMessageKey} */ (sent?.key)
    this.#sent.set(id ?? '', /** @type {import('baileys').proto.IMessage} */ (sent?.message))
    return id ?? ''
  }

  /** @returns {import('baileys').SignalKeyStore} */
  #keys() {
    return {
      get: async (type, ids) => {
        const kept = (/** @type {string} */ id) => this.#kept.get(`${type} ${id}`) ?? 'null'
        return Object.fromEntries(ids.map((id) => [id, JSON.parse(kept(id), BufferJSON.reviver)]))
      },
      set: async (data) => {
        for (const [type, values] of Object.entries(data))
          for (const [id, value] of Object.entries(values))
            if (value) this.#kept.set(`${type} ${id}`, JSON.stringify(value, BufferJSON.replacer))
            else this.#kept.delete(`${type} ${id}`)
      }
    }
  }
}
