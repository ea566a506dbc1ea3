/**
 * Messages from people, as soon as they can be read.
 *
 * Baileys tells WhatsApp that we have a message before it passes it on, up to half a minute before after a login; who dies in
 * between has lost it, and it may have been somebody's STOP. So they are taken where Baileys decrypts them, and it waits.
 */

import { decodeMessageNode, getBinaryNodeChildren, jidNormalizedUser, proto, unpadRandomMax16 } from 'baileys'

import { log, wordsOf } from './log.js'

/** @typedef {import('baileys').BinaryNode} Node */

export class FirstHand {
  #session
  #me
  #take
  /** @type {WeakMap<Uint8Array, Node>} the stanza in which something encrypted came */
  #stanzas = new WeakMap()

  /**
   * @param {string} session
   * @param {() => import('baileys').Contact | undefined} me
   * @param {(message: import('baileys').WAMessage) => Promise<void>} take
   */
  constructor(session, me, take) {
    this.#session = session
    this.#me = me
    this.#take = take
  }

  /** @param {Pick<import('baileys').WASocket, 'ws'>} socket */
  hear({ ws }) {
    ws.prependListener('CB:message', (/** @type {Node} */ node) => {
      for (const { content } of getBinaryNodeChildren(node, 'enc')) if (content instanceof Uint8Array) this.#stanzas.set(content, node)
    })
  }

  /**
   * Take what was decrypted, if it came in a message. The step of its ratchet is not to be stored before this is over:
   * WhatsApp may bring the message again, but a step that was used opens nothing any more.
   * @param {Uint8Array} sealed
   * @param {Uint8Array} plain
   */
  async decrypted(sealed, plain) {
    const stanza = this.#stanzas.get(sealed)
    if (!stanza) return
    try {
      const me = this.#me()
      const { fullMessage } = decodeMessageNode(stanza, me?.id ?? '', me?.lid ?? '')
      const message = proto.Message.decode(unpadRandomMax16(plain))
      const key = { ...fullMessage.key, remoteJid: jidNormalizedUser(fullMessage.key.remoteJid ?? undefined) } // as Baileys passes it on
      await this.#take({ ...fullMessage, key, message })
    } catch (error) {
      // Baileys passes it on as well.
      log.warn('EVENTS', 'a message could not be read at first hand', { session: this.#session, error: wordsOf(error) })
    }
  }
}
