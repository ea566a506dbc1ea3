/**
 * Baileys alone, with its keys in memory: what the sidecar is measured against (benchmarks/baileys.py).
 *
 *   node test/bare.js WHATSAPP CONTROL PHONE PEOPLE ROUNDS SENDS
 *
 * Links one device, writes to each person once, and prints for each round how many sends a second it did, from one ack to
 * the next.
 */

import makeWASocket, { DisconnectReason, initAuthCreds } from 'baileys'

const [whatsapp, control, phone, ...counts] = process.argv.slice(2)
const [people, rounds, sends] = counts.map(Number)
const print = process.stdout.write.bind(process.stdout)
for (const name of /** @type {const} */ (['log', 'info', 'warn', 'error'])) console[name] = () => {} // libsignal's
const nothing = () => {}
const logger = { level: 'silent', child: () => logger, trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing }

/** @type {Map<string, any>} */
const kept = new Map()
const creds = initAuthCreds()

/** @type {import('baileys').SignalKeyStore} */
const keys = {
  get: async (type, ids) => Object.fromEntries(ids.map((id) => [id, kept.get(`${type} ${id}`)])),
  set: async (data) => {
    for (const [type, values] of Object.entries(data))
      for (const [id, value] of Object.entries(values)) kept.set(`${type} ${id}`, value ?? undefined)
  }
}

/**
 * A socket that is logged in; links the device first, if need be.
 * @returns {Promise<ReturnType<typeof makeWASocket>>}
 */
function connected() {
  return new Promise((resolve, reject) => {
    const socket = makeWASocket({ auth: { creds, keys }, logger, waWebSocketUrl: whatsapp, markOnlineOnConnect: false })
    socket.ev.on('creds.update', (update) => Object.assign(creds, update))
    socket.ev.on('connection.update', ({ qr, connection, lastDisconnect }) => {
      if (qr) fetch(`${control}/scan`, { method: 'POST', body: JSON.stringify({ qr, phone }) }).catch(reject)
      if (connection === 'open') resolve(socket)
      if (connection !== 'close') return
      const code = /** @type {any} */ (lastDisconnect?.error)?.output?.statusCode
      if (code === DisconnectReason.restartRequired) resolve(connected())
      else reject(new Error(`closed with ${code}`))
    })
  })
}

const socket = await connected()
const addresses = Array.from({ length: people }, (_, number) => `97252${String(number).padStart(7, '0')}@s.whatsapp.net`)

/**
 * @param {string} address
 * @param {string} text
 */
async function send(address, text) {
  const acked = new Promise((resolve) => socket.ws.once('CB:ack,class:message', resolve))
  await socket.sendMessage(address, { text })
  await acked
}

for (const address of addresses) await send(address, 'first')
for (let round = 0; round < rounds; round += 1) {
  const begin = performance.now()
  for (let number = 0; number < sends; number += 1) await send(addresses[number % people], `Hello ${round} ${number}`)
  print(`${((1000 * sends) / (performance.now() - begin)).toFixed(1)}\n`)
}
process.exit(0)
