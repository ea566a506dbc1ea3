/**
 * The server's acks of one session's messages: only an ack says that WhatsApp has a message.
 *
 * An ack may come before the send that it belongs to has returned, after everyone has given up, or never.
 */

/**
 * @typedef {{ ok: true } | { ok: false, error: string }} Ack
 * @typedef {Ack | { lost: true } | { late: true }} Outcome lost: the connection ended first; late: the time was over
 * @typedef {Pick<import('baileys').WASocket, 'ws' | 'registerSocketEndHandler'>} Socket
 */

export class Acks {
  /** @type {Map<string, { socket: Socket | null, settle: (outcome: Outcome) => void }>} */
  #expected = new Map()
  /** @type {Map<string, Socket | null>} messages whose ack may still come, though nobody waits */
  #overdue = new Map()
  /** @type {Socket | null} */
  #socket = null
  /** @type {(messageId: string, ack: Ack, isFirst: boolean) => void} */
  #late = () => undefined

  /**
   * Hear the acks of a new connection.
   * @param {Socket} socket
   */
  watch(socket) {
    this.#socket = socket
    socket.ws.on('CB:ack,class:message', ({ attrs }) => {
      this.#arrived(attrs.id, attrs.error ? { ok: false, error: String(attrs.error) } : { ok: true })
    })
    socket.registerSocketEndHandler(() => {
      for (const expected of [...this.#expected.values()]) if (expected.socket === socket) expected.settle({ lost: true })
      for (const [messageId, at] of this.#overdue) if (at === socket) this.#overdue.delete(messageId)
    })
  }

  /**
   * Wait for the ack of a message that is about to be handed over.
   * @param {string} messageId
   * @param {number} withinMs
   * @returns {Promise<Outcome>}
   */
  expect(messageId, withinMs) {
    const socket = this.#socket
    return new Promise((resolve) => {
      /** @param {Outcome} outcome */
      const settle = (outcome) => {
        clearTimeout(timer)
        this.#expected.delete(messageId)
        resolve(outcome)
      }
      const timer = setTimeout(() => {
        this.#overdue.set(messageId, socket)
        settle({ late: true })
      }, withinMs)
      this.#expected.set(messageId, { socket, settle })
    })
  }

  /**
   * Nothing was handed over after all: no ack will come.
   * @param {string} messageId
   */
  dismiss(messageId) {
    this.#expected.get(messageId)?.settle({ lost: true })
  }

  /**
   * Who is told of acks that nobody waits for: the first of a message, when its time is over; or one more, as Baileys sends
   * a message again under the same id when a person's phone could not read it.
   * @param {(messageId: string, ack: Ack, isFirst: boolean) => void} listener
   */
  late(listener) {
    this.#late = listener
  }

  /**
   * @param {string} messageId
   * @param {Ack} ack
   */
  #arrived(messageId, ack) {
    const expected = this.#expected.get(messageId)
    if (expected) expected.settle(ack)
    else this.#late(messageId, ack, this.#overdue.delete(messageId))
  }
}
