/** One client's connection: its handshake, then nodes in and nodes out, in order. */

import { decodeBinaryNode, encodeBinaryNode } from 'baileys'
import { frame, Frames, Handshake } from './noise.js'

/**
 * @typedef {import('baileys').BinaryNode} Node
 * @typedef {object} Handlers What the server does with a connection.
 * @property {(connection: Connection, payload: import('baileys').proto.ClientPayload) => void} greet
 * @property {(connection: Connection, node: Node) => void | Promise<void>} receive
 * @property {(connection: Connection) => void} ended
 */

export class Connection {
  /** @type {import('./world.js').Device | null} that logged in over it */
  device = null
  /** @type {Buffer} */
  noiseKey = Buffer.alloc(0)
  #socket
  #handlers
  #frames = new Frames()
  #work = Promise.resolve()
  #helloSaid = false
  #isEnded = false
  /** @type {Handshake | null} */
  #handshake = new Handshake()
  /** @type {import('./noise.js').Transport | null} */
  #transport = null

  /**
   * @param {import('ws').WebSocket} socket
   * @param {Handlers} handlers
   */
  constructor(socket, handlers) {
    this.#socket = socket
    this.#handlers = handlers
    socket.on('message', (data) => {
      for (const found of this.#frames.cut(data)) this.#work = this.#work.then(() => this.#take(found))
      this.#work = this.#work.catch((error) => this.#fail(error))
    })
    socket.on('error', () => {})
    socket.on('close', () => handlers.ended(this))
  }

  /** Done with all that has come in so far, also when the client is gone meanwhile. */
  get settled() {
    return this.#work
  }

  /**
   * @param {Node} node
   * @returns {boolean} whether the client is still there
   */
  send(node) {
    if (this.#isEnded || !this.#transport || this.#socket.readyState !== this.#socket.OPEN) return false
    this.#socket.send(frame(this.#transport.encrypt(encodeBinaryNode(node))))
    return true
  }

  close() {
    this.#isEnded = true
    this.#socket.close()
  }

  /** As when the network goes: no word of farewell. */
  cut() {
    this.#isEnded = true
    this.#socket._socket.resetAndDestroy()
  }

  /** @param {Buffer} data */
  async #take(data) {
    if (this.#isEnded) return
    if (this.#transport) return this.#handlers.receive(this, await decodeBinaryNode(this.#transport.decrypt(data)))
    const handshake = /** @type {Handshake} */ (this.#handshake)
    if (!this.#helloSaid) {
      this.#helloSaid = true
      return this.#socket.send(frame(handshake.hello(data)))
    }
    const { noiseKey, payload, transport } = handshake.finish(data)
    this.noiseKey = noiseKey
    this.#transport = transport
    this.#handshake = null
    this.#handlers.greet(this, payload)
  }

  /** @param {unknown} error */
  #fail(error) {
    process.stderr.write(`fake whatsapp: ${error instanceof Error ? error.stack : error}\n`)
    this.cut()
  }
}
