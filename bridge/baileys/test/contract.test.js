import assert from 'node:assert/strict'
import { test } from 'node:test'

import { BadRequestError, MEDIA_LIMIT, digits, isName, readAttempt } from '../src/contract.js'
import { messageId } from '../src/message_id.js'

const BODY = { key: '1.1', to: '972501234567@s.whatsapp.net', kind: 'text', text: 'Hello', media: null, deadline_s: 30 }
const PICTURE = { data: Buffer.from('picture').toString('base64'), mimetype: 'image/png', filename: 'a.png' }

/** @param {Record<string, unknown>} change */
function attempt(change) {
  return readAttempt('one', { ...BODY, ...change })
}

test('an attempt is read', () => {
  const { key, session, to, kind, text, media, deadlineS, fault } = attempt({})
  const { media: _, deadline_s, ...told } = BODY
  assert.deepEqual({ key, to, kind, text }, told)
  assert.deepEqual([session, media, deadlineS, fault], ['one', null, deadline_s, null])
})

for (const [field, wrong] of /** @type {[string, unknown][]} */ ([
  ...['', 7, 'a/b', 'k'.repeat(201), 'nul\0', 'half \ud800'].map((key) => ['key', key]),
  ['to', null],
  ['kind', null],
  ['text', ''],
  ['text', 5],
  ['media', 'aGVsbG8='],
  ['media', []],
  ...[0, -1, 'soon', true, NaN].map((deadline) => ['deadline_s', deadline])
]))
  test(`${field} ${JSON.stringify(wrong)?.slice(0, 20)} is refused by its name`, () => {
    assert.throws(
      () => attempt({ [field]: wrong }),
      (error) => error instanceof BadRequestError && error.message.startsWith(field)
    )
  })

for (const [fault, change] of /** @type {[string, Record<string, unknown>][]} */ ([
  ...['120363000000000000@g.us', 'status@broadcast', '972501234567', '0501234567@s.whatsapp.net', ''].map((to) => [
    'invalid_recipient',
    { to }
  ]),
  ['unsupported_media', { kind: 'sticker' }],
  ['unsupported_media', { kind: 'image', media: null }],
  ['unsupported_media', { kind: 'image', media: { ...PICTURE, mimetype: 'text/html' } }],
  ['unsupported_media', { kind: 'image', media: { ...PICTURE, data: 'no base64!' } }],
  ['unsupported_media', { kind: 'image', media: { ...PICTURE, data: '' } }],
  ['too_large', { text: 'x'.repeat(65_537) }],
  ['too_large', { kind: 'image', media: { ...PICTURE, data: 'AAAA'.repeat(MEDIA_LIMIT / 3 + 1) } }]
]))
  test(`a message that could never be sent: ${fault} ${JSON.stringify(change).slice(0, 60)}`, () => {
    assert.equal(attempt(change).fault, fault)
  })

test('media are read into bytes', () => {
  const { media, fault } = attempt({ kind: 'image', media: PICTURE })
  assert.equal(fault, null)
  assert.deepEqual(media, { data: Buffer.from('picture'), mimetype: 'image/png', filename: 'a.png' })
})

test('two bodies have one fingerprint when they give the person the same', () => {
  const { fingerprint } = attempt({ kind: 'image', media: PICTURE })
  const again = { data: PICTURE.data, filename: 'a.png', mimetype: 'image/png' }
  assert.deepEqual(attempt({ kind: 'image', media: again, deadline_s: 1 }).fingerprint, fingerprint)
  for (const change of [{ text: 'other' }, { kind: 'document' }, { to: '97250@s.whatsapp.net' }, { media: null }])
    assert.notDeepEqual(attempt({ kind: 'image', media: PICTURE, ...change }).fingerprint, fingerprint)
  assert.notDeepEqual(readAttempt('two', { ...BODY, kind: 'image', media: PICTURE }).fingerprint, fingerprint)
})

test('numbers and names', () => {
  assert.deepEqual(['+972501234567', '972501234567', '0501234567', '12', null].map(digits), [
    '972501234567',
    '972501234567',
    null,
    null,
    null
  ])
  assert.deepEqual([isName('a device'), isName('😀'.repeat(200)), isName(''), isName(undefined)], [true, true, false, false])
})

test("a message's id comes from its session and key, and looks like WhatsApp's", () => {
  assert.match(messageId('one', '1.1'), /^3EB0[0-9A-F]{18}$/)
  assert.equal(messageId('one', '1.1'), messageId('one', '1.1'))
  assert.equal(new Set([messageId('one', '1.1'), messageId('one', '1.2'), messageId('on', 'e1.1'), messageId('one1', '.1')]).size, 4)
})
