/** The bridge over HTTP: who may come in, and JSON both ways. Which path is which is in routes.js. */

import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'

import { BadRequestError, NotSentError, refuse } from './contract.js'
import { log } from './log.js'

/**
 * @typedef {import('./contract.js').Answer} Answer
 * @typedef {(method: string, path: string[], readBody: () => Promise<Record<string, unknown>>) => Promise<Answer>} Route
 */

const BODY_LIMIT = 32 * 1024 * 1024 // bytes
const IDLE_CONNECTION_MS = 3_600_000 // a connection that we close while a request comes in leaves its send in doubt
const HEALTH_WAIT_MS = 2_000
const UNAUTHORIZED = { status: 401, body: { error: 'unauthorized' } }
const HEALTHY = { status: 200, body: { status: 'ok' } }
const UNHEALTHY = { status: 503, body: { status: 'the database does not answer' } }
// Without an outcome, so that nobody concludes one: a send that went wrong is answered by its sender.
const BROKEN = { status: 500, body: { error: 'internal', message: 'The bridge failed; its log says why.' } }

/**
 * A server that is not listening yet.
 * @param {{ secret: string, database: import('./database.js').Database, route: Route }} parts
 */
export function makeServer({ secret, database, route }) {
  const expected = sha256(Buffer.from(secret))

  /** @param {import('node:http').IncomingMessage} request */
  async function answer(request) {
    const [path] = (request.url ?? '/').split('?', 1)
    if (/^\/+healthz\/*$/.test(path)) return (await isHealthy(database)) ? HEALTHY : UNHEALTHY
    const given = request.headers['x-internal-secret'] ?? ''
    if (!timingSafeEqual(sha256(Buffer.from(String(given), 'latin1')), expected)) return UNAUTHORIZED
    return route(request.method ?? '', partsOf(path), () => readJson(request))
  }

  const server = createServer(async (request, response) => {
    const { status, body } = await answer(request).catch(answerOf)
    const text = Buffer.from(JSON.stringify(body))
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': text.length })
    response.end(text)
  })
  server.keepAliveTimeout = IDLE_CONNECTION_MS
  return server
}

/**
 * @param {unknown} error
 * @returns {Answer}
 */
function answerOf(error) {
  if (error instanceof BadRequestError) return refuse('bad_request', { words: error.message })
  if (error instanceof NotSentError) return refuse(error.code, error.more)
  log.error('BRIDGE', 'a request failed', { error: error instanceof Error ? error.name : typeof error })
  return BROKEN
}

/** @param {import('./database.js').Database} database */
async function isHealthy(database) {
  const asked = database.query('SELECT 1').then(
    () => true,
    () => false
  )
  /** @type {NodeJS.Timeout | undefined} */
  let timer
  const tooLong = new Promise((resolve) => {
    timer = setTimeout(resolve, HEALTH_WAIT_MS, false)
  })
  return Promise.race([asked, tooLong]).finally(() => clearTimeout(timer))
}

/** @param {string} path */
function partsOf(path) {
  try {
    return path.replace(/^\/+|\/+$/g, '').split('/').map(decodeURIComponent)
  } catch {
    throw new BadRequestError('the path is not readable')
  }
}

/**
 * The request's JSON object. What is too long is read to its end and thrown away: a client that is still writing when we
 * hang up would not see the answer.
 * @param {import('node:http').IncomingMessage} request
 * @returns {Promise<Record<string, unknown>>}
 */
async function readJson(request) {
  const chunks = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size <= BODY_LIMIT) chunks.push(chunk)
  }
  if (size > BODY_LIMIT) throw new BadRequestError(`the body is larger than ${BODY_LIMIT} bytes`)
  const value = size ? parse(Buffer.concat(chunks)) : {}
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new BadRequestError('the body is not a JSON object')
  return value
}

/** @param {Buffer} bytes */
function parse(bytes) {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new BadRequestError('the body is not JSON')
  }
}

/** @param {Buffer} bytes */
function sha256(bytes) {
  return createHash('sha256').update(bytes).digest()
}
