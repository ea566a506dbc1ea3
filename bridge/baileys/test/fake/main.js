/** The fake WhatsApp as a process of its own: it outlives the sidecar, and so knows what people really got. */

import { once } from 'node:events'
import { controlOf } from './control.js'
import { startMedia } from './media.js'
import { FakeWhatsApp } from './server.js'

// libsignal prints keys and sessions to the console; our one line goes past it.
for (const level of /** @type {const} */ (['log', 'info', 'warn', 'error'])) console[level] = () => {}

const { FAKE_PORT = '0', FAKE_CONTROL_PORT = '0' } = process.env

const media = await startMedia()
const server = new FakeWhatsApp(media)
const whatsapp = await server.listen(Number(FAKE_PORT))
const http = controlOf(server).listen(Number(FAKE_CONTROL_PORT), '127.0.0.1')
await once(http, 'listening')
const control = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (http.address()).port}`
process.stdout.write(`${JSON.stringify({ whatsapp, control, ca: media.caFile })}\n`)

process.once('SIGTERM', async () => {
  http.close()
  http.closeAllConnections()
  await server.close()
  process.exit(0)
})
