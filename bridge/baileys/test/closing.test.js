import assert from 'node:assert/strict'
import { test } from 'node:test'

import { afterClose, backoff } from '../src/closing.js'

const MINUTE = 60_000

/** @type {import('../src/closing.js').Facts} */
const PAIRED = {
  paired: true,
  restarted: false,
  confirmed: false,
  tries: 0,
  badSessions: 0,
  qrShownFor: 0,
  bannedFor: null,
  random: 0.5
}
const UNPAIRED = { ...PAIRED, paired: false }

test('a restart that WhatsApp asks for is made at once and is no trouble', () => {
  assert.deepEqual(afterClose(515, PAIRED), { state: 'starting', error: null, reconnectIn: 0, forget: false, restart: true })
})

test('one restart after the other is slowed down', () => {
  assert.ok(Number(afterClose(515, { ...PAIRED, restarted: true, tries: 3 }).reconnectIn) > 1000)
})

test('a log-out ends the pairing', () => {
  assert.deepEqual(afterClose(401, PAIRED), { state: 'logged_out', error: 'logged_out', reconnectIn: null, forget: true })
})

test('a log-out right after a restart is confirmed once before it is believed', () => {
  const first = afterClose(401, { ...PAIRED, restarted: true })
  assert.equal(first.confirm, true)
  assert.equal(first.forget, false)
  assert.notEqual(first.reconnectIn, null)
  assert.equal(afterClose(401, { ...PAIRED, restarted: true, confirmed: true }).state, 'logged_out')
})

test('a log-out of a device that was never paired costs nothing: a new QR code is shown', () => {
  const fate = afterClose(401, UNPAIRED)
  assert.equal(fate.forget, false)
  assert.notEqual(fate.reconnectIn, null)
})

for (const code of [403, 406]) {
  test(`${code} is a ban, and no one connects again`, () => {
    assert.deepEqual(afterClose(code, PAIRED), { state: 'banned', error: 'banned', reconnectIn: null, forget: true })
  })
}

test('a ban for a time is waited for', () => {
  const fate = afterClose(402, { ...PAIRED, bannedFor: 90_000 })
  assert.deepEqual([fate.state, fate.error, fate.reconnectIn, fate.restrictedFor], ['closed', 'restricted', 90_000, 90_000])
})

test('a session that another computer has taken over does not fight for it', () => {
  assert.deepEqual(afterClose(440, PAIRED), { state: 'closed', error: 'replaced', reconnectIn: null, forget: false })
})

test('an account without linked devices rests', () => {
  assert.equal(afterClose(411, PAIRED).reconnectIn, null)
})

for (const code of [405, 409]) {
  test(`${code}: the version is refused, which names the setting and is tried slowly`, () => {
    const fate = afterClose(code, PAIRED)
    assert.equal(fate.state, 'closed')
    assert.match(fate.error ?? '', /BAILEYS_WA_VERSION/)
    assert.ok(Number(fate.reconnectIn) >= 5 * MINUTE)
  })
}

for (const code of [408, 428, 503, 500, 0, 599]) {
  test(`${code || 'no code'} passes: it connects again, for ever`, () => {
    const fate = afterClose(code, { ...PAIRED, tries: 1000, badSessions: 1 })
    assert.deepEqual([fate.state, fate.error, fate.forget], ['starting', 'not_connected', false])
    assert.ok(Number(fate.reconnectIn) <= MINUTE)
  })
}

test('a session that WhatsApp calls bad again and again keeps its pairing, and is tried slowly', () => {
  const fate = afterClose(500, { ...PAIRED, badSessions: 5 })
  assert.deepEqual([fate.state, fate.error, fate.forget], ['closed', 'bad_session', false])
  assert.ok(Number(fate.reconnectIn) > MINUTE)
})

test('QR codes are shown anew for five minutes, then the session rests', () => {
  const fate = afterClose(408, { ...UNPAIRED, qrShownFor: 4 * MINUTE })
  assert.equal(fate.state, 'starting')
  assert.notEqual(fate.reconnectIn, null)
  assert.deepEqual(afterClose(408, { ...UNPAIRED, qrShownFor: 5 * MINUTE }), {
    state: 'closed',
    error: 'qr_expired',
    reconnectIn: null,
    forget: false
  })
})

test('pauses grow to a minute, and every one is drawn from the whole of it', () => {
  assert.equal(backoff(0, 1), 1000)
  assert.equal(backoff(3, 1), 8000)
  assert.equal(backoff(50, 1), MINUTE)
  assert.equal(backoff(50, 0.25), 15_000)
  assert.equal(backoff(50, 0), 0)
})
