import assert from 'node:assert/strict'
import { test } from 'node:test'

import { contentIn, eventId, Inbound } from '../src/inbound.js'
import { mediaAddress } from '../src/media_download.js'

test('what a person has typed or chosen is text', () => {
  const stop = { kind: 'text', text: 'STOP' }
  assert.deepEqual(contentIn({ conversation: 'STOP' }), stop)
  assert.deepEqual(contentIn({ extendedTextMessage: { text: 'STOP' } }), stop)
  assert.deepEqual(contentIn({ ephemeralMessage: { message: { conversation: 'STOP' } } }), stop)
  assert.deepEqual(contentIn({ buttonsResponseMessage: { selectedDisplayText: 'STOP' } }), stop)
  assert.deepEqual(contentIn({ listResponseMessage: { title: 'STOP' } }), stop)
})

test('other kinds come with their caption', () => {
  const image = { caption: 'here' }
  assert.deepEqual(contentIn({ imageMessage: image }), { kind: 'image', text: 'here', image })
  assert.deepEqual(contentIn({ videoMessage: { caption: 'there' } }), { kind: 'video', text: 'there' })
  assert.deepEqual(contentIn({ documentMessage: { fileName: 'a.pdf' } }), { kind: 'document', text: 'a.pdf' })
  assert.deepEqual(contentIn({ audioMessage: {} }), { kind: 'audio', text: null })
  assert.deepEqual(contentIn({ reactionMessage: { text: '👍' } }), { kind: 'reaction', text: '👍' })
})

test('what is no message of a person is nothing', () => {
  for (const message of [null, undefined, {}, { protocolMessage: { type: 0 } }, { senderKeyDistributionMessage: {} }])
    assert.equal(contentIn(message), null)
})

test('media are fetched from WhatsApp and from nowhere else', () => {
  assert.equal(mediaAddress(null, '/v/t62/a.enc?ccb=1', false).href, 'https://mmg.whatsapp.net/v/t62/a.enc?ccb=1')
  assert.equal(mediaAddress('https://media-fra3-1.cdn.whatsapp.net/x', '/y', false).hostname, 'media-fra3-1.cdn.whatsapp.net')
  const bad = [
    ['https://example.com/x', '/y'],
    ['http://mmg.whatsapp.net/x', null],
    ['https://mmg.whatsapp.net.example.com/x', null],
    ['https://127.0.0.1/x', null],
    [null, '@example.com/x'],
    [null, '//example.com/x'],
    [null, 'https://example.com/x'],
    [null, 'http://169.254.169.254/']
  ]
  for (const [url, path] of bad) {
    const address = () => mediaAddress(url, path, false).hostname
    if (path === '@example.com/x') assert.equal(address(), 'mmg.whatsapp.net')
    else assert.throws(address, /not at WhatsApp/, `${url} ${path}`)
  }
  assert.equal(mediaAddress('https://127.0.0.1:8443/x', '/y', true).port, '8443')
})

test('a message is one event however often it comes', () => {
  const once = eventId('sales', '3EB01', '+972501234567')
  assert.equal(eventId('sales', '3EB01', '+972501234567'), once)
  for (const other of [
    eventId('other', '3EB01', '+972501234567'),
    eventId('sales', '3EB02', '+972501234567'),
    eventId('sales', '3EB01', '+972507654321')
  ])
    assert.notEqual(other, once)
})

test('a message that comes again is not acknowledged before its first writing is over', async (t) => {
  t.mock.method(process.stdout, 'write', () => true)
  let isThere = false
  /** @type {unknown[]} */
  const put = []
  const outbox = {
    put: async (/** @type {unknown[]} */ ...event) => {
      if (!isThere) throw new Error('the database is away')
      put.push(event)
    },
    wake() {}
  }
  const inbound = new Inbound(/** @type {any} */ ({ database: null, outbox, settings: { mediaTestCa: null } }))
  const message = /** @type {any} */ ({ key: { id: 'A', remoteJid: '972500000001@s.whatsapp.net' }, message: { conversation: 'STOP' } })
  const take = () => inbound.take('one', /** @type {any} */ ({}), [message])
  let over = 0
  const both = [take(), take()].map((taken) => taken.then(() => (over += 1)))
  await new Promise(setImmediate)
  assert.equal(over, 0)
  isThere = true
  await Promise.all(both)
  assert.equal(put.length, 1)
})
