/** Messages that people send us. */

import { createHash } from 'node:crypto'

import { extractMessageContent } from 'baileys'

import { isPerson, phoneOf } from './addresses.js'
import { log, wordsOf } from './log.js'
import { downloadImage } from './media_download.js'
import { untilDone } from './until_done.js'

const IMAGE_LIMIT = 1024 * 1024 // bytes
const PICTURE_LIMIT = 25_000 // milliseconds; a little more than a download may take
const REMEMBERED = 1_000 // messages

/**
 * @typedef {import('baileys').proto.IMessage} Message
 * @typedef {import('baileys').WAMessage} WAMessage
 * @typedef {import('baileys').proto.Message.IImageMessage} Image
 * @typedef {{ kind: string, text: string | null, image?: Image }} Content
 */

/**
 * What a person has written, or null for what is no message of a person's: revocations, keys, settings.
 * @param {Message | null | undefined} message
 * @returns {Content | null}
 */
export function contentIn(message) {
  const content = extractMessageContent(message)
  if (!content) return null
  const { imageMessage, videoMessage, documentMessage, locationMessage, reactionMessage } = content
  const text = textIn(content)
  if (text) return { kind: 'text', text }
  if (imageMessage) return { kind: 'image', text: imageMessage.caption ?? null, image: imageMessage }
  if (videoMessage ?? content.ptvMessage) return { kind: 'video', text: videoMessage?.caption ?? null }
  if (content.audioMessage) return { kind: 'audio', text: null }
  if (documentMessage) return { kind: 'document', text: documentMessage.caption ?? documentMessage.fileName ?? null }
  if (content.stickerMessage) return { kind: 'sticker', text: null }
  if (locationMessage ?? content.liveLocationMessage) return { kind: 'location', text: locationMessage?.name ?? null }
  if (content.contactMessage ?? content.contactsArrayMessage)
    return { kind: 'contact', text: content.contactMessage?.displayName ?? null }
  if (reactionMessage) return { kind: 'reaction', text: reactionMessage.text ?? null }
  return null
}

/**
 * What was typed, or chosen from what was offered: an opt-out may come by a button.
 * @param {Message} content
 */
function textIn(content) {
  return (
    content.conversation ||
    content.extendedTextMessage?.text ||
    content.buttonsResponseMessage?.selectedDisplayText ||
    content.templateButtonReplyMessage?.selectedDisplayText ||
    content.listResponseMessage?.title ||
    content.interactiveResponseMessage?.body?.text ||
    null
  )
}

/**
 * WhatsApp may bring a message twice, and so may a process that takes over from another: it is one event.
 * @param {string} session
 * @param {string} messageId chosen by the sender's phone, so it says nothing without its sender
 * @param {unknown} from
 */
export function eventId(session, messageId, from) {
  return createHash('sha256').update(JSON.stringify([session, messageId, from])).digest('hex').slice(0, 32)
}

export class Inbound {
  #database
  #outbox
  #mediaTestCa
  /** @type {Map<string, Promise<void>>} messages that were taken of late, the earliest first, and when each is written */
  #taken = new Map()
  /** @type {Set<Promise<void>>} */
  #completing = new Set()

  /**
   * @param {object} parts
   * @param {import('./database.js').Database} parts.database
   * @param {import('./outbox.js').Outbox} parts.outbox
   * @param {import('./settings.js').Settings} parts.settings
   */
  constructor({ database, outbox, settings }) {
    this.#database = database
    this.#outbox = outbox
    this.#mediaTestCa = settings.mediaTestCa
  }

  /**
   * Write down what people have sent us, also while we were away.
   * @param {string} session
   * @param {Pick<import('./socket.js').Socket, 'signalRepository'>} socket
   * @param {WAMessage[]} messages
   * @returns {Promise<void>} when they are written; a picture, which takes its time, comes to its message later
   */
  async take(session, socket, messages) {
    await Promise.all(messages.map((message) => this.#take(session, socket, message)))
  }

  /** Return when everything taken is written. */
  async written() {
    await Promise.all([...this.#taken.values(), ...this.#completing])
  }

  /**
   * @param {string} session
   * @param {Pick<import('./socket.js').Socket, 'signalRepository'>} socket
   * @param {WAMessage} message
   */
  async #take(session, socket, message) {
    const { key } = message
    const content = key.fromMe || !isPerson(key.remoteJid) ? null : contentIn(message.message)
    if (!content || !key.id) return
    const name = `${session} ${key.remoteJid} ${key.id}`
    const written = this.#taken.get(name) ?? this.#write(session, socket, message, content)
    this.#taken.set(name, written)
    const [earliest] = this.#taken.keys()
    if (this.#taken.size > REMEMBERED) this.#taken.delete(earliest)
    await written
  }

  /**
   * Written with its text alone; a picture comes to it later.
   * @param {string} session
   * @param {Pick<import('./socket.js').Socket, 'signalRepository'>} socket
   * @param {WAMessage} message
   * @param {Content} content
   */
  async #write(session, socket, { key, pushName, messageTimestamp }, { kind, text, image }) {
    const phone = await this.#phone(session, socket, key)
    const data = { message_id: key.id, from: phone ?? key.remoteJid, name: pushName ?? null, kind, text, media: null }
    const at = new Date(Number(messageTimestamp) * 1000 || Date.now())
    const id = eventId(session, String(key.id), data.from)
    const withinMs = image ? PICTURE_LIMIT : 0
    await untilDone('EVENTS', 'a message from a person', async () => {
      const complete = await this.#outbox.put(this.#database, session, 'inbound', data, { at, id, withinMs })
      if (image) this.#complete(async () => complete({ ...data, media: await this.#image(session, image) }))
    })
    this.#outbox.wake()
  }

  /** @param {() => Promise<unknown>} work */
  #complete(work) {
    const completing = untilDone('EVENTS', 'a picture from a person', work)
      .then(() => this.#outbox.wake())
      .finally(() => this.#completing.delete(completing))
    this.#completing.add(completing)
  }

  /**
   * @param {string} session
   * @param {Pick<import('./socket.js').Socket, 'signalRepository'>} socket
   * @param {import('baileys').WAMessageKey} key
   */
  async #phone(session, socket, key) {
    try {
      return await phoneOf(socket, key)
    } catch (error) {
      log.warn('EVENTS', 'the number of a person could not be found out', { session, error: wordsOf(error) })
      return null
    }
  }

  /**
   * The message counts also without its picture.
   * @param {string} session
   * @param {Image} image
   */
  async #image(session, image) {
    try {
      const bytes = await downloadImage(image, IMAGE_LIMIT, this.#mediaTestCa)
      return { data: bytes.toString('base64'), mimetype: image.mimetype ?? 'image/jpeg' }
    } catch (error) {
      log.warn('EVENTS', 'a picture is left out', { session, error: wordsOf(error) })
      return null
    }
  }
}
