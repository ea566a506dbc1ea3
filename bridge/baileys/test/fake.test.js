import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { Agent } from 'node:https'
import test, { after, before } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Curve, proto } from 'baileys'
import { Client, until } from './fake/client.js'
import { controlOf } from './fake/control.js'
import { readMedia, startMedia } from './fake/media.js'
import { Person } from './fake/people.js'
import { FakeWhatsApp } from './fake/server.js'

for (const level of /** @type {const} */ (['log', 'info', 'warn', 'error'])) console[level] = () => {} // libsignal's

const { ERROR, DELIVERY_ACK, READ } = proto.WebMessageInfo.Status
const PHONE = '972501234567'

/** @type {FakeWhatsApp} */
let server
/** @type {import('node:http').Server} */
let http
let whatsapp = ''
let control = ''
/** @type {Client} a device of PHONE that most tests use */
let client
let people = 0

before(async () => {
  server = new FakeWhatsApp(await startMedia())
  whatsapp = await server.listen(0)
  http = controlOf(server).listen(0, '127.0.0.1')
  await once(http, 'listening')
  control = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (http.address()).port}`
  client = await linked(PHONE)
})

after(async () => {
  await client.disconnect()
  await server.close()
  http.close()
  http.closeAllConnections()
})

/**
 * @param {string} path
 * @param {object} body
 */
async function post(path, body) {
  const response = await fetch(control + path, { method: 'POST', body: JSON.stringify(body) })
  const answer = await response.json()
  if (!response.ok) throw new Error(answer.error)
  return answer
}

/** @param {string} path */
const get = async (path) => (await fetch(control + path)).json()

/** @param {string} phone */
const received = (phone) => get(`/received?phone=${phone}`)

/** @param {string} phone */
const session = async (phone) => (await get('/sessions')).find((/** @type {any} */ one) => one.phone === phone)

/** The number of a person whom no other test knows. */
const fresh = () => `97252${String(++people).padStart(7, '0')}`

/** @param {string} phone */
const at = (phone) => `${phone}@s.whatsapp.net`

/** @param {string} phone */
async function linked(phone) {
  const linked = new Client(whatsapp, new Agent({ ca: readFileSync(server.media.caFile) }))
  const qr = await until(() => linked.qrs[0], 'a QR code')
  await post('/scan', { qr, phone })
  await until(() => linked.closed.length, 'WhatsApp asks for a restart')
  linked.connect()
  return linked.untilOpen()
}

/** Makes the shared client fit for the next test, whatever the one before did. */
async function ready() {
  if (!client.isOpen) client.connect()
  await client.untilOpen()
  return fresh()
}

/** @param {string} id */
const acked = (id) => until(() => client.acks.find((ack) => ack.id === id), 'the ack')

/**
 * @param {string} id
 * @param {number} status
 */
const told = (id, status) =>
  until(() => client.updates.some((one) => one.id === id && one.status === status), `status ${status}`)

test('a scanned QR code links a device, which is told to restart and then logs in', async () => {
  const phone = fresh()
  const device = await linked(phone)
  assert.deepEqual(device.closed, [515])
  assert.equal(device.creds.me?.id, `${phone}:1@s.whatsapp.net`)
  const before = await session(phone)
  assert.deepEqual([before.jid, before.connected, before.logins], [device.creds.me?.id, true, 1])
  await device.reconnect()
  const { jid, identity } = before
  const again = await session(phone)
  assert.deepEqual([again.jid, again.identity, again.logins], [jid, identity, 2])
  await device.disconnect()
})

test('a device that comes with another identity is refused', async () => {
  const device = await linked(fresh())
  await device.disconnect()
  Object.assign(device.creds, { noiseKey: Curve.generateKeyPair() })
  const before = (await get('/stats')).other_identities
  const closes = device.closed.length
  device.connect()
  assert.equal(await device.nextClose(closes), 401)
  assert.equal((await get('/stats')).other_identities, before + 1)
})

test('a QR code that nobody shows is not scanned', async () => {
  const qr = 'https://wa.me/settings/linked_devices#a,b,c,d,1'
  await assert.rejects(post('/scan', { qr, phone: fresh() }), /No client shows/)
})

test('a pairing code links a device, and a wrong one does not', async () => {
  const phone = fresh()
  const device = new Client(whatsapp)
  await until(() => device.qrs.length, 'a QR code')
  const code = await device.socket.requestPairingCode(phone)
  await assert.rejects(until(() => post('/pair', { code: 'WRONGCDE', phone }), 'an answer'), /not the one/)
  await post('/pair', { code, phone })
  assert.equal(await device.nextClose(0), 515)
  device.connect()
  await device.untilOpen()
  assert.equal(device.creds.me?.id, `${phone}:1@s.whatsapp.net`)
  await device.disconnect()
})

test('a message is acknowledged, read by its person once, and delivered and read are told', async () => {
  const phone = await ready()
  const copies = (await get('/stats')).own_copies
  const id = await client.send(at(phone), { text: 'Hello' })
  assert.equal((await acked(id)).error, undefined)
  await told(id, READ)
  const [{ at: time, ...message }] = await received(phone)
  assert.ok(Math.abs(Date.now() - Date.parse(time)) < 10_000)
  assert.deepEqual(message, {
    phone,
    message_id: id,
    session_phone: PHONE,
    kind: 'text',
    text: 'Hello',
    media_sha256: null,
    times_id_seen: 1,
    decrypted: true
  })
  const stats = await get('/stats')
  assert.deepEqual([stats.own_copies, stats.undecryptable, stats.unanswered], [copies + 1, 0, {}])
})

test('the same id twice is seen twice', async () => {
  const phone = await ready()
  const message = { conversation: 'Once' }
  const messageId = '3EB0TWICE'
  for (let round = 0; round < 2; round += 1) await client.socket.relayMessage(at(phone), message, { messageId })
  await until(async () => (await received(phone))[0]?.times_id_seen === 2, 'it was seen twice')
  assert.equal((await received(phone)).length, 1)
})

test('without an ack the person has it all the same', async () => {
  const phone = await ready()
  await post('/behaviour', { phone, ack: 'none', receipts: ['delivered'] })
  const id = await client.send(at(phone), { text: 'Hello' })
  await told(id, DELIVERY_ACK)
  assert.equal(client.acks.some((ack) => ack.id === id), false)
  assert.equal((await received(phone)).length, 1)
})

test('a late ack comes late', async () => {
  const phone = await ready()
  await post('/behaviour', { phone, ack: 'late', ack_after_ms: 300 })
  const id = await client.send(at(phone), { text: 'Hello' })
  const begin = performance.now()
  await acked(id)
  assert.ok(performance.now() - begin > 250)
})

test('receipts can come before the ack', async () => {
  const phone = await ready()
  await post('/behaviour', { phone, receipt_first: true, ack_after_ms: 100 })
  const id = await client.send(at(phone), { text: 'Hello' })
  await told(id, READ)
  assert.equal(client.acks.some((ack) => ack.id === id), false)
  await acked(id)
})

test('an ack with an error: nobody has the message', async () => {
  const phone = await ready()
  await post('/behaviour', { phone, ack: 'error', ack_error: 463, times: 1 })
  const id = await client.send(at(phone), { text: 'Hello' })
  assert.equal((await acked(id)).error, '463')
  await told(id, ERROR)
  assert.deepEqual(await received(phone), [])
  await acked(await client.send(at(phone), { text: 'Again' }))
  assert.equal((await received(phone)).length, 1)
})

test('a socket cut after the message was received: receipts come after the next login', async () => {
  const phone = await ready()
  await post('/behaviour', { phone, drop: 'after_receive', times: 1 })
  const closes = client.closed.length
  const id = await client.send(at(phone), { text: 'Hello' })
  assert.equal(await client.nextClose(closes), 428)
  await until(() => server.world.stats.receipts && server.world.received.has(`${phone} ${PHONE} ${id}`), 'it was read')
  client.connect()
  await client.untilOpen()
  await told(id, READ)
  assert.equal(client.acks.some((ack) => ack.id === id), false)
})

test('a socket cut before: the message never was', async () => {
  const phone = await ready()
  await post('/behaviour', { phone, session_phone: PHONE, drop: 'before', times: 1 })
  const closes = client.closed.length
  await client.send(at(phone), { text: 'Hello' })
  assert.equal(await client.nextClose(closes), 428)
  assert.deepEqual(await received(phone), [])
})

for (const times of [1, 2])
  test(`a phone that could not read it ${times} times gets it again`, async () => {
    const phone = await ready()
    const { retries } = await get('/stats')
    await post('/behaviour', { phone, retry: times, times: 1 })
    const id = await client.send(at(phone), { text: 'Hello' })
    await told(id, READ)
    const [message] = await received(phone)
    assert.deepEqual([message.text, message.times_id_seen], ['Hello', 1])
    const stats = await get('/stats')
    assert.deepEqual([stats.undecryptable, stats.retries], [0, retries + times])
    await acked(await client.send(at(phone), { text: 'Next' }))
    assert.equal((await received(phone)).length, 2)
  })

test('a message whose ratchet step was lost is asked for again', async () => {
  const phone = await ready()
  await acked(await client.send(at(phone), { text: 'First' }))
  server.world.contact(phone).person = new Person({ phone, lid: null })
  const id = await client.send(at(phone), { text: 'To a new phone' })
  await told(id, READ)
  const stats = await get('/stats')
  assert.equal(stats.undecryptable, 1)
  server.world.stats.undecryptable = 0
})

test('receipts by hand', async () => {
  const phone = await ready()
  await post('/people', { phone, devices: [0, 3] })
  await post('/behaviour', { phone, receipts: [] })
  const id = await client.send(at(phone), { text: 'Hello' })
  await acked(id)
  await until(async () => (await received(phone)).length, 'it was read')
  await post('/receipt', { message_id: id, status: 'delivered', from_device: 3 })
  await told(id, DELIVERY_ACK)
  await post('/receipt', { message_id: id, status: 'failed' })
  await told(id, ERROR)
  await assert.rejects(post('/receipt', { message_id: 'NOBODYS', status: 'read' }), /Nobody received/)
})

test('people write by phone number and by LID, and are one person', async () => {
  const phone = await ready()
  await acked(await client.send(at(phone), { text: 'Hello' }))
  for (const address of ['lid', 'pn', 'lid']) {
    const written = { from: phone, text: `By ${address}`, address, name: 'Dana' }
    const { message_id } = await post('/inbound', { session_phone: PHONE, ...written })
    const message = await until(() => client.inbound.find(({ key }) => key.id === message_id), 'the message')
    assert.deepEqual([message.message?.conversation, message.pushName], [`By ${address}`, 'Dana'])
    assert.equal([message.key.remoteJid, message.key.remoteJidAlt].includes(at(phone)), true)
    assert.equal(message.key.remoteJid?.endsWith('@lid'), address === 'lid')
    await acked(await client.send(/** @type {string} */ (message.key.remoteJid), { text: `You wrote by ${address}` }))
  }
  await until(async () => (await received(phone)).length === 4, 'all answers')
  assert.equal((await get('/stats')).undecryptable, 0)
})

test('what people write while the device is away comes with its next login', async () => {
  const phone = await ready()
  await client.disconnect()
  await until(async () => !(await session(PHONE)).connected, 'it is away')
  const { message_id } = await post('/inbound', { session_phone: PHONE, from: phone, text: 'Are you there?' })
  client.connect()
  await until(() => client.inbound.find(({ key }) => key.id === message_id), 'the message')
  await until(async () => (await session(PHONE)).waiting === 0, 'everything is acknowledged')
  await client.reconnect()
  await post('/inbound', { session_phone: PHONE, from: phone, text: 'Good' })
  await until(() => client.inbound.find(({ message }) => message?.conversation === 'Good'), 'the next message')
  assert.equal(client.inbound.filter(({ key }) => key.id === message_id).length, 1)
})

test('pictures go out and come in', async () => {
  const phone = await ready()
  const image = randomBytes(5000)
  const id = await client.send(at(phone), { image, caption: 'Look', jpegThumbnail: '' })
  await acked(id)
  const [message] = await until(async () => (await received(phone)).length && received(phone), 'it was read')
  assert.deepEqual([message.kind, message.text], ['image', 'Look'])
  assert.equal(message.media_sha256, createHash('sha256').update(image).digest('hex'))
  const data = image.toString('base64')
  const picture = { kind: 'image', text: 'And this', data }
  const { message_id } = await post('/inbound', { session_phone: PHONE, from: phone, ...picture })
  const inbound = await until(() => client.inbound.find(({ key }) => key.id === message_id), 'the picture')
  assert.equal(inbound.message?.imageMessage?.caption, 'And this')
  assert.deepEqual(await readMedia(/** @type {proto.IMessage} */ (inbound.message)), image)
})

test('a number that is not on WhatsApp', async () => {
  const phone = await ready()
  const before = (await get('/stats')).checks
  await post('/people', { phone: '972529999999', exists: false })
  const answers = await client.socket.onWhatsApp(phone, '972520099001', '972529999999')
  assert.deepEqual(answers, [{ jid: at(phone), exists: true }])
  assert.equal((await get('/stats')).checks, before + 3)
})

for (const [code, as] of /** @type {[number, string?][]} */ ([
  [401], [401, 'failure'], [403], [403, 'stream'], [405], [408], [428], [440], [500], [503], [503, 'failure'], [515]
]))
  test(`a connection that is closed with ${code}${as ? ` as ${as}` : ''} says so`, async () => {
    const phone = fresh()
    const device = await linked(phone)
    await post('/close', { session_phone: phone, code, as })
    assert.equal(await device.nextClose(1), code)
    device.connect()
    if (code === 401 || code === 403) assert.equal(await device.nextClose(2), code)
    else await device.untilOpen()
    await device.disconnect()
  })

test('a login can be refused once, and the device is known all the same', async () => {
  const device = await linked(fresh())
  const phone = device.creds.me?.id.split(':')[0]
  await post('/close', { session_phone: phone, code: 401, next: true })
  await device.disconnect()
  const closes = device.closed.length
  device.connect()
  assert.equal(await device.nextClose(closes), 401)
  device.connect()
  await device.untilOpen()
  await device.disconnect()
})

test('a device that logs in twice replaces itself', async () => {
  const device = await linked(fresh())
  const closes = device.closed.length
  device.connect()
  assert.equal(await device.nextClose(closes), 440)
  await device.disconnect()
})

test('a device that logs out is forgotten', async () => {
  const phone = fresh()
  const device = await linked(phone)
  await device.socket.logout()
  await until(async () => !(await session(phone)), 'it is forgotten')
})

test('as a process it says where it is, and ends when it is asked to', async () => {
  const main = fileURLToPath(new URL('./fake/main.js', import.meta.url))
  const child = spawn(process.execPath, [main], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(/** @type {import('node:stream').Readable} */ (child.stdout), 'data')
  const told = JSON.parse(line)
  assert.deepEqual(Object.keys(told), ['whatsapp', 'control', 'ca'])
  assert.ok(existsSync(told.ca))
  const device = new Client(told.whatsapp)
  await until(() => device.qrs.length, 'a QR code')
  assert.equal((await fetch(`${told.control}/stats`)).status, 200)
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [0, null])
  await device.disconnect()
})
