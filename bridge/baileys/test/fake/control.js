/** The control API by which tests play the people and WhatsApp itself: JSON over HTTP, on loopback. */

import { createServer } from 'node:http'
import { end } from './closes.js'
import { writeInbound } from './inbound.js'
import { receiptByHand } from './receipts.js'
import { fingerprint } from './world.js'

/**
 * @typedef {import('./server.js').FakeWhatsApp} FakeWhatsApp
 * @typedef {Record<string, any>} Body what a test sends; a wrong one fails the test that sent it
 */

// The smallest picture that there is, for a test that does not care what it shows.
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64'
)

/** @type {Record<string, (server: FakeWhatsApp, body: Body, query: URLSearchParams) => unknown>} */
const ROUTES = {
  'POST /scan': async ({ registration }, { qr, phone }) => ({ jid: (await registration.scan(qr, phone)).jid }),
  'POST /pair': async ({ registration }, { code, phone }) => ({ jid: (await registration.pair(code, phone)).jid }),
  'POST /people': ({ world }, { phone, behaviour, ...facts }) => {
    world.setContact(phone, facts)
    if (behaviour) world.behave(null, phone, behaviour, null)
  },
  'POST /behaviour': ({ world }, { phone = null, session_phone = null, times = null, ...behaviour }) =>
    world.behave(session_phone, phone, behaviour, times),
  'POST /close': close,
  'POST /receipt': ({ world }, wanted) => receiptByHand(world, /** @type {any} */ (wanted)),
  'POST /inbound': inbound,
  'POST /reset': (server) => server.reset(),
  'GET /received': async (server, _, query) => {
    const { world } = server
    await server.settled()
    const phone = query.get('phone')
    return [...world.received.values()].filter((received) => !phone || received.phone === phone)
  },
  'GET /sessions': ({ world }) =>
    [...world.devices.values()].map(({ contact, jid, connection, logins, identityKey, waiting, unreadable }) => ({
      phone: contact.phone,
      jid,
      connected: Boolean(connection),
      logins,
      identity: fingerprint(identityKey),
      waiting,
      unreadable
    })),
  'GET /stats': ({ world }) => world.stats
}

/**
 * @param {FakeWhatsApp} server
 * @param {Body} body
 */
function close({ world }, { session_phone, code, as, next = false }) {
  if (next) return void world.refusals.set(session_phone, [...(world.refusals.get(session_phone) ?? []), { code, as }])
  const device = world.deviceOf(session_phone)
  if (!device?.connection) throw new Error(`No device of ${session_phone} is connected.`)
  const { connection } = device
  if (code === 401) world.devices.delete(device.jid)
  if (code === 403) device.contact.banned = true
  end(connection, code, as)
}

/**
 * @param {FakeWhatsApp} server
 * @param {Body} body
 */
async function inbound({ world, media }, { session_phone, from, kind = 'text', text = '', data, address, name }) {
  const device = world.deviceOf(session_phone)
  if (!device) throw new Error(`No device of ${session_phone} is linked.`)
  const bytes = data ? Buffer.from(data, 'base64') : PIXEL
  const message = kind === 'text' ? { conversation: text } : await media.offer(kind, bytes, 'image/png', text)
  return { message_id: await writeInbound(device, world.contact(from), message, { address, name }) }
}

/** @param {FakeWhatsApp} server */
export function controlOf(server) {
  const control = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://fake')
    const route = ROUTES[`${request.method} ${url.pathname}`]
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    try {
      if (!route) throw new Error(`The fake has no ${request.method} ${url.pathname}.`)
      const body = chunks.length ? JSON.parse(Buffer.concat(chunks).toString()) : {}
      const answer = (await route(server, body, url.searchParams)) ?? { ok: true }
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer))
    } catch (error) {
      response.writeHead(400, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }))
    }
  })
  control.keepAliveTimeout = 0 // a connection of a test's is never closed just as it asks again
  return control
}
