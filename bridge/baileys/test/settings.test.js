import assert from 'node:assert/strict'
import { test } from 'node:test'

import { readSettings, SettingsError } from '../src/settings.js'

const AUTH_KEY = Buffer.alloc(32, 7).toString('base64')
const GOOD = { DATABASE_URL: 'postgresql://fanfare@127.0.0.1/fanfare', BRIDGE_SECRET: 'a secret', BAILEYS_AUTH_KEY: AUTH_KEY }
const TESTS = { ...GOOD, BAILEYS_TEST_MODE: '1' }

/**
 * @param {import('../src/settings.js').Environment} env
 * @param {RegExp} words
 */
function refused(env, words) {
  assert.throws(() => readSettings(env), (error) => error instanceof SettingsError && words.test(error.message))
}

test('what is needed is enough', () => {
  const settings = readSettings(GOOD)
  assert.deepEqual(
    { ...settings, authKey: settings.authKey.toString('base64') },
    {
      databaseUrl: GOOD.DATABASE_URL,
      bridgeSecret: 'a secret',
      eventsUrl: null,
      eventsSecret: null,
      host: '127.0.0.1',
      port: 8200,
      authKey: AUTH_KEY,
      waVersion: null,
      waUrl: null,
      mediaTestCa: null,
      failpoint: null,
      logLevel: 'INFO',
      checksPerMinute: 20
    }
  )
})

for (const name of ['DATABASE_URL', 'BRIDGE_SECRET', 'BAILEYS_AUTH_KEY']) {
  test(`without ${name} it does not start, and says so`, () => {
    refused({ ...GOOD, [name]: undefined }, new RegExp(`^${name} is not set`))
    refused({ ...GOOD, [name]: '' }, new RegExp(`^${name} is not set`))
  })
}

test('events are signed, or there are none', () => {
  refused({ ...GOOD, EVENTS_URL: 'http://127.0.0.1:8000/events/bridge' }, /^EVENTS_SECRET is not set/)
  refused({ ...GOOD, EVENTS_URL: 'file:///etc/passwd', EVENTS_SECRET: 'x' }, /^EVENTS_URL/)
})

test('the port of a platform goes before ours', () => {
  assert.equal(readSettings({ ...GOOD, PORT: '5000', BAILEYS_PORT: '6000' }).port, 5000)
  assert.equal(readSettings({ ...GOOD, BAILEYS_PORT: '0' }).port, 0)
  refused({ ...GOOD, BAILEYS_PORT: '70000' }, /^BAILEYS_PORT/)
  refused({ ...GOOD, PORT: '80a' }, /^PORT/)
})

for (const key of ['short', Buffer.alloc(16).toString('base64'), `${AUTH_KEY} `]) {
  test(`a key that is not 32 bytes in base64 is refused: ${JSON.stringify(key)}`, () => {
    refused({ ...GOOD, BAILEYS_AUTH_KEY: key }, /^BAILEYS_AUTH_KEY must be 32 bytes/)
  })
}

test('the version of WhatsApp is three numbers', () => {
  assert.deepEqual(readSettings({ ...GOOD, BAILEYS_WA_VERSION: '2.3000.1043857760' }).waVersion, [2, 3000, 1043857760])
  refused({ ...GOOD, BAILEYS_WA_VERSION: '2.3000' }, /^BAILEYS_WA_VERSION/)
})

test('another WhatsApp is for tests: it must be on this machine, and nowhere near a platform', () => {
  const url = 'ws://127.0.0.1:8300/ws/chat'
  assert.equal(readSettings({ ...TESTS, BAILEYS_TEST_URL: url }).waUrl, url)
  refused({ ...GOOD, BAILEYS_TEST_URL: url }, /BAILEYS_TEST_MODE/)
  refused({ ...TESTS, BAILEYS_TEST_URL: 'ws://10.0.0.1/ws/chat' }, /address of this machine/)
  refused({ ...TESTS, BAILEYS_TEST_URL: 'ws://127.0.0.1.example.com/' }, /address of this machine/)
  refused({ ...TESTS, BAILEYS_TEST_URL: 'http://127.0.0.1/' }, /address of this machine/)
  for (const platform of ['DYNO', 'RAILWAY_ENVIRONMENT'])
    refused({ ...TESTS, BAILEYS_TEST_URL: url, [platform]: 'x' }, new RegExp(`refused where ${platform}`))
})

for (const name of ['BAILEYS_MEDIA_TEST_CA', 'FAILPOINT']) {
  test(`${name} is for tests, too`, () => {
    refused({ ...GOOD, [name]: import.meta.filename }, /BAILEYS_TEST_MODE/)
    refused({ ...TESTS, [name]: import.meta.filename, DYNO: 'x' }, /refused where DYNO/)
    assert.ok(readSettings({ ...TESTS, [name]: import.meta.filename }))
  })
}

test('numbers and words out of range are refused', () => {
  refused({ ...GOOD, BAILEYS_CHECKS_PER_MINUTE: '0' }, /^BAILEYS_CHECKS_PER_MINUTE/)
  refused({ ...GOOD, LOG_LEVEL: 'loud' }, /^LOG_LEVEL/)
})
