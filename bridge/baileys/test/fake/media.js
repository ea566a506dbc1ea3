/** WhatsApp's media servers: they take uploads and give them back, over TLS, without knowing what is in them. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { selfSigned } from './der.js'
import { open, seal, sha256 } from './sealed_media.js'

/**
 * @import { proto } from 'baileys'
 * @import { MediaKind } from './sealed_media.js'
 * @typedef {import('node:http').IncomingMessage} Request
 * @typedef {import('node:http').ServerResponse} Response
 */

const KINDS = /** @type {const} */ (['image', 'video', 'audio', 'document'])
const { key, certificate } = selfSigned()
const UPLOAD = /^(\/mms\/(?:image|video|audio|document))\/([\w-]{43})$/

export class Media {
  auth = 'fake'
  host = ''
  caFile = ''
  #server = createServer({ key, cert: certificate })
  /** @type {Map<string, Buffer>} by direct path, oldest first */
  #files = new Map()
  #size = 0
  #limit

  /** @param {number} limit bytes in all; the oldest are forgotten */
  constructor(limit) {
    this.#limit = limit
    this.#server.on('request', (request, response) => {
      this.#answer(request, response).catch((error) => response.destroy(error))
    })
  }

  async listen() {
    await new Promise((resolve) => this.#server.listen(0, '127.0.0.1', () => resolve(null)))
    const { port } = /** @type {import('node:net').AddressInfo} */ (this.#server.address())
    this.host = `127.0.0.1:${port}`
    this.caFile = join(await mkdtemp(join(tmpdir(), 'fake-whatsapp-')), 'ca.pem')
    await writeFile(this.caFile, certificate)
  }

  /** @param {string} directPath */
  get(directPath) {
    return this.#files.get(directPath) ?? null
  }

  /**
   * The message of a person who sends media.
   * @param {MediaKind} kind
   * @param {Uint8Array} bytes
   * @param {string} mimetype
   * @param {string} [caption]
   * @returns {Promise<proto.IMessage>}
   */
  async offer(kind, bytes, mimetype, caption) {
    const { sealed, facts } = await seal(kind, bytes)
    return { [`${kind}Message`]: { ...facts, ...this.#keep(`/mms/${kind}`, sealed), mimetype, caption } }
  }

  /**
   * @param {string} folder
   * @param {Buffer} sealed
   */
  #keep(folder, sealed) {
    const directPath = `${folder}/${sha256(sealed).toString('base64url')}`
    this.#size += sealed.length - (this.#files.get(directPath)?.length ?? 0)
    this.#files.set(directPath, sealed)
    for (const [path, { length }] of this.#files) {
      if (this.#size <= this.#limit) break
      this.#files.delete(path)
      this.#size -= length
    }
    return { url: `https://${this.host}${directPath}`, directPath }
  }

  /**
   * @param {Request} request
   * @param {Response} response
   */
  async #answer(request, response) {
    const { pathname, searchParams } = new URL(request.url ?? '/', `https://${this.host}`)
    if (request.method === 'POST') {
      const { status, body } = this.#upload(pathname, searchParams, await buffer(request))
      response.writeHead(status).end(JSON.stringify(body))
    } else {
      const found = this.#files.get(pathname)
      response.writeHead(found ? 200 : 404).end(found)
    }
  }

  /**
   * @param {string} path
   * @param {URLSearchParams} given
   * @param {Buffer} sealed
   */
  #upload(path, given, sealed) {
    const [, folder, promised] = path.match(UPLOAD) ?? []
    if (given.get('auth') !== this.auth) return { status: 401, body: {} }
    if (!folder || promised !== given.get('token') || promised !== sha256(sealed).toString('base64url'))
      return { status: 400, body: {} }
    const { url, directPath } = this.#keep(folder, sealed)
    return { status: 200, body: { url, direct_path: directPath } }
  }

  async close() {
    this.#server.close() // not waited for: one that has only just connected would hold it up
    this.#server.closeAllConnections()
    await rm(join(this.caFile, '..'), { recursive: true })
  }
}

export async function startMedia({ limit = 256 * 1024 * 1024 } = {}) {
  const media = new Media(limit)
  await media.listen()
  return media
}

/**
 * What a phone shows of a message with media: its bytes, downloaded and checked.
 * @param {proto.IMessage} message
 */
export async function readMedia(message) {
  const kind = KINDS.find((kind) => message[`${kind}Message`])
  const facts = kind && message[`${kind}Message`]
  if (!kind || !facts?.url) throw new Error('a message without media')
  return open(kind, facts, await download(facts.url))
}

/** @param {string} url */
async function download(url) {
  /** @type {Request} */
  const response = await new Promise((resolve, reject) => {
    get(url, { ca: certificate, agent: false }, resolve).on('error', reject)
  })
  if (response.statusCode !== 200) throw new Error(`the media server answers ${response.statusCode}`)
  return buffer(response)
}
