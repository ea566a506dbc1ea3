import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'

import { Outbox } from '../src/outbox.js'
import { freshDatabase } from './postgres.js'

const SECRET = 'a secret of the events'
/** @type {import('../src/database.js').Database} */
let database

before(async () => {
  database = await freshDatabase()
})
beforeEach(() => database.query('TRUNCATE baileys.outbox'))
after(() => database.close())

/**
 * @param {() => unknown} condition
 * @param {string} what
 */
async function until(condition, what) {
  const deadline = performance.now() + 15_000
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not in time: ${what}`)
    await pause(10)
  }
}

const waiting = async () => (await database.query('SELECT FROM baileys.outbox')).length

/** A receiver of events; answers are given first, one a post, and then 204. */
class Receiver {
  /** @type {{ body: string, signature: unknown, port: number }[]} */
  posts = []
  /** @type {(number | null)[]} null: no answer at all */
  answers = []
  #server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    this.posts.push({ body, signature: request.headers['x-signature'], port: Number(request.socket.remotePort) })
    const status = this.answers.length ? this.answers.shift() : 204
    if (status) response.writeHead(status).end()
    else request.socket.destroy()
  })

  async listen(port = 0) {
    await once(this.#server.listen(port, '127.0.0.1'), 'listening')
    this.port = /** @type {import('node:net').AddressInfo} */ (this.#server.address()).port
    this.url = `http://127.0.0.1:${this.port}/events`
  }

  get keys() {
    return this.posts.map(({ body }) => JSON.parse(body).data.key)
  }

  async close() {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/**
 * @param {string | null | undefined} url
 * @param {(outbox: Outbox) => Promise<void>} work
 */
async function running(url, work) {
  const outbox = new Outbox(database, url ?? null, SECRET)
  const ended = outbox.run()
  try {
    await work(outbox)
  } finally {
    await outbox.close()
    await ended
  }
}

/** @param {(receiver: Receiver) => Promise<void>} work */
async function withReceiver(work) {
  const receiver = new Receiver()
  await receiver.listen()
  try {
    await work(receiver)
  } finally {
    await receiver.close()
  }
}

test('an event is posted at once, signed, and not again', () =>
  withReceiver(async (receiver) => {
    await running(receiver.url, async (outbox) => {
      const begunAt = performance.now()
      await outbox.put(database, 'one', 'receipt', { key: '1.1' })
      outbox.wake()
      await until(async () => !(await waiting()), 'accepted')
      assert.ok(performance.now() - begunAt < 2000)
      const [{ body, signature }] = receiver.posts
      assert.equal(signature, `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`)
      const { event_id, at, ...rest } = JSON.parse(body)
      assert.ok(event_id && at.endsWith('Z'))
      assert.deepEqual(rest, { session: 'one', type: 'receipt', data: { key: '1.1' } })
    })
    assert.equal(receiver.posts.length, 1)
  }))

test('it is posted again, as the same event, until it is accepted', () =>
  withReceiver(async (receiver) => {
    receiver.answers = [500, 302, null, 401]
    await running(receiver.url, async (outbox) => {
      await outbox.put(database, 'one', 'receipt', { key: '1.1' })
      outbox.wake()
      const begunAt = performance.now()
      await until(async () => !(await waiting()), 'accepted in the end')
      assert.ok(performance.now() - begunAt < 8000, 'the pauses grow from a quarter of a second')
    })
    assert.equal(receiver.posts.length, 5)
    assert.equal(new Set(receiver.posts.map(({ body }) => body)).size, 1)
  }))

test('an event exists only when the transaction of its fact is committed', () =>
  withReceiver(async (receiver) => {
    await running(receiver.url, async (outbox) => {
      const fact = database.transaction(async (client) => {
        await outbox.put(client, 'one', 'receipt', { key: 'undone' })
        throw new Error('the fact is none')
      })
      await assert.rejects(fact)
      await database.transaction((client) => outbox.put(client, 'one', 'receipt', { key: 'done' }))
      outbox.wake()
      await until(async () => !(await waiting()), 'accepted')
    })
    assert.deepEqual(receiver.keys, ['done'])
  }))

test('many go out over few connections, each once, also from two processes', () =>
  withReceiver(async (receiver) => {
    const keys = Array.from({ length: 300 }, (_, number) => String(number))
    const filler = new Outbox(database, String(receiver.url), SECRET)
    for (const key of keys) await filler.put(database, 'one', 'receipt', { key })
    await running(receiver.url, () =>
      running(receiver.url, () => until(async () => !(await waiting()), 'all accepted'))
    )
    assert.deepEqual(receiver.keys.sort(), keys.sort())
    assert.ok(new Set(receiver.posts.map(({ port }) => port)).size <= 16)
  }))

test('what a receiver that is away missed waits for it, and for the next start', async () => {
  const away = new Receiver()
  await away.listen()
  const { port, url } = away
  await away.close()
  await running(url, async (outbox) => {
    await outbox.put(database, 'one', 'receipt', { key: '1.1' })
    outbox.wake()
    await until(async () => (await database.query('SELECT FROM baileys.outbox WHERE tries > 1')).length, 'tried twice')
  })
  const back = new Receiver()
  await back.listen(port)
  try {
    await running(url, () => until(async () => !(await waiting()), 'accepted'))
    assert.deepEqual(back.keys, ['1.1'])
  } finally {
    await back.close()
  }
})

test('what a process that died had in hand is posted by the next', () =>
  withReceiver(async (receiver) => {
    await new Outbox(database, String(receiver.url), SECRET).put(database, 'one', 'receipt', { key: '1.1' })
    await database.query(`UPDATE baileys.outbox SET tries = 1, due_at = clock_timestamp() + interval '0.2 s'`)
    await running(receiver.url, () => until(async () => !(await waiting()), 'taken over when the claim has run out'))
    assert.deepEqual(receiver.keys, ['1.1'])
  }))

test('with nobody to tell, nothing is kept', () =>
  running(null, async (outbox) => {
    await outbox.put(database, 'one', 'receipt', { key: '1.1' })
    assert.equal(await waiting(), 0)
  }))
