/** The fake WhatsApp: takes connections, and gives each node to the part that it is for. */

import { createServer } from 'node:http'
import { once } from 'node:events'
import { WebSocketServer } from 'ws'
import { Connection } from './connection.js'
import { logIn } from './login.js'
import { takeMessage } from './messages.js'
import { answer } from './queries.js'
import { Registration } from './registration.js'
import { World } from './world.js'

/**
 * @typedef {import('./connection.js').Node} Node
 * @typedef {import('./media.js').Media} Media
 */

export class FakeWhatsApp {
  world = new World()
  registration = new Registration(this.world)
  /** @type {Set<Connection>} */
  #connections = new Set()
  #http = createServer()

  /** @param {Media} media */
  constructor(media) {
    this.media = media
    const sockets = new WebSocketServer({ server: this.#http, path: '/ws/chat', perMessageDeflate: false })
    sockets.on('connection', (socket) => this.#connections.add(new Connection(socket, this)))
  }

  /**
   * @param {number} port
   * @returns {Promise<string>} its address
   */
  async listen(port) {
    this.#http.listen(port, '127.0.0.1')
    await once(this.#http, 'listening')
    return `ws://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (this.#http.address()).port}/ws/chat`
  }

  async close() {
    this.reset()
    this.#http.close()
    await this.media.close()
  }

  /** Until everything that came in so far has been read. */
  async settled() {
    await Promise.all([...this.#connections].map(({ settled }) => settled))
  }

  /** Forgets everything and everybody. */
  reset() {
    for (const connection of this.#connections) connection.cut()
    this.world = new World()
    this.registration = new Registration(this.world)
  }

  /**
   * @param {Connection} connection
   * @param {import('baileys').proto.ClientPayload} payload
   */
  greet(connection, payload) {
    if (payload.devicePairingData) this.registration.offer(connection, payload)
    else logIn(this.world, connection, payload)
  }

  /**
   * @param {Connection} connection
   * @param {Node} node
   */
  receive(connection, node) {
    const { device } = connection
    if (node.tag === 'iq' && node.attrs.type === 'result') return this.registration.answered(connection, node)
    if (node.tag === 'iq') return answer(this, connection, node)
    if (!device) return
    if (node.tag === 'message') return takeMessage(this.world, connection, node)
    if (node.tag !== 'receipt' || node.attrs.type !== 'retry') return device.acknowledge(node)
    this.world.stats.asked_again += 1
    return device.written.get(node.attrs.id)?.()
  }

  /** @param {Connection} connection */
  ended(connection) {
    connection.settled.finally(() => this.#connections.delete(connection))
    this.registration.forget(connection)
    if (connection.device?.connection === connection) connection.device.sleep()
  }
}
