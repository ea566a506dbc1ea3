import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { after, before, test } from 'node:test'

import { NotSentError } from '../src/contract.js'
import { makeServer } from '../src/http.js'
import { openDatabase } from '../src/database.js'
import { freshDatabase } from './postgres.js'

const SECRET = 'a secret: שלום'
/** @type {import('../src/database.js').Database} */
let database
/** @type {import('node:http').Server} */
let server

/** @type {import('../src/http.js').Route} */
async function route(method, path, readBody) {
  if (path[0] === 'breaks') throw new Error("+972501234567 is none of the client's business")
  if (path[0] === 'refuses') throw new NotSentError('throttled', { retry_after_s: 3 })
  return { status: 200, body: { method, path, body: await readBody() } }
}

/** @param {import('../src/database.js').Database} with_ */
async function listening(with_) {
  const made = makeServer({ secret: SECRET, database: with_, route })
  await once(made.listen(0, '127.0.0.1'), 'listening')
  return made
}

before(async () => {
  database = await freshDatabase()
  server = await listening(database)
})
after(async () => {
  server.closeAllConnections()
  server.close()
  await database.close()
})

/**
 * @param {string} path
 * @param {{ method?: string, body?: Buffer | string, secret?: Buffer | null, of?: import('node:http').Server }} [asked]
 * @returns {Promise<{ status: number | undefined, body: any }>}
 */
async function ask(path, { method = 'POST', body = '', secret = Buffer.from(SECRET), of = server } = {}) {
  const { port } = /** @type {import('node:net').AddressInfo} */ (of.address())
  const headers = secret ? { 'x-internal-secret': secret.toString('latin1') } : {}
  const sent = request({ port, path, method, headers })
  sent.end(Buffer.from(body)) // a text would be written with the headers, in its encoding
  const [response] = await once(sent, 'response')
  const chunks = []
  for await (const chunk of response) chunks.push(chunk)
  return { status: response.statusCode, body: JSON.parse(Buffer.concat(chunks).toString()) }
}

test('who does not have the secret does not come in', async () => {
  for (const secret of [null, '', 'a secret', `${SECRET}x`])
    assert.equal((await ask('/any', { secret: secret === null ? null : Buffer.from(secret) })).status, 401)
})

test('a request reaches its route, decoded', async () => {
  const { status, body } = await ask('/whatsapp/a%20b/messages/?x=1', { body: '{"text":"שלום"}' })
  assert.equal(status, 200)
  assert.deepEqual(body, { method: 'POST', path: ['whatsapp', 'a b', 'messages'], body: { text: 'שלום' } })
})

test('a body is a JSON object or nothing', async () => {
  assert.deepEqual((await ask('/any')).body.body, {})
  for (const body of ['{', '[]', '"text"', 'null', Buffer.from([0xff, 0xfe]), Buffer.from([...Buffer.from('{"a":"'), 0xff, 0x22, 0x7d])]) {
    const answer = await ask('/any', { body })
    assert.deepEqual([answer.status, answer.body.error, answer.body.outcome], [400, 'bad_request', 'not_sent'])
  }
})

test('a body that is too large is refused, in words', async () => {
  const answer = await ask('/any', { body: Buffer.alloc(32 * 1024 * 1024 + 1, ' ') })
  assert.equal(answer.status, 400)
  assert.match(answer.body.message, /larger than/)
})

test('a path that cannot be read', async () => {
  assert.equal((await ask('/whatsapp/%ff')).status, 400)
})

test('what breaks says neither why nor that nothing was sent', async () => {
  const { status, body } = await ask('/breaks')
  assert.equal(status, 500)
  assert.deepEqual(Object.keys(body), ['error', 'message'])
  assert.doesNotMatch(JSON.stringify(body), /9725/)
})

test('an error of the contract is answered as the contract says', async () => {
  const { status, body } = await ask('/refuses')
  assert.deepEqual([status, body.error, body.retry_after_s], [429, 'throttled', 3])
})

test('it is healthy when Postgres answers, and says so to anybody', async () => {
  assert.deepEqual(await ask('/healthz', { method: 'GET', secret: null }), { status: 200, body: { status: 'ok' } })
  const away = await openDatabase('postgresql://nobody@127.0.0.1:9/nothing', { max: 1 })
  const other = await listening(away)
  assert.equal((await ask('/healthz', { method: 'GET', secret: null, of: other })).status, 503)
  other.closeAllConnections()
  other.close()
  await away.close()
})
