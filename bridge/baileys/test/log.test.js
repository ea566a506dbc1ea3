import assert from 'node:assert/strict'
import { test } from 'node:test'

import { log, masked, quietLogger, setLogLevel, wordsOf } from '../src/log.js'

/**
 * What is written to the standard output meanwhile.
 * @param {import('node:test').TestContext} t
 * @param {() => void} work
 */
function written(t, work) {
  const write = t.mock.method(process.stdout, 'write', () => true)
  work()
  write.mock.restore()
  return write.mock.calls.map(({ arguments: [text] }) => String(text)).join('')
}

test('a line has its time, level, tag, words and fields', (t) => {
  const line = written(t, () => log.info('WA_SEND', 'sent', { session: 'a b', key: '17.1', duration_ms: 12, error: null }))
  assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO bridge \[WA_SEND\] sent session="a b" key=17\.1 duration_ms=12 error=null\n$/)
})

test('a line stays one line', (t) => {
  assert.equal(written(t, () => log.warn('BRIDGE', 'odd', { text: 'one\ntwo' })).split('\n').length, 2)
})

test('what is below the level is left out', (t) => {
  assert.equal(written(t, () => log.debug('BRIDGE', 'detail')), '')
})

test('a number keeps its ends', () => {
  assert.equal(masked('972501234567@s.whatsapp.net'), '97250*****67')
  assert.equal(masked('972501234567:12@s.whatsapp.net'), '97250*****67')
  assert.equal(masked('+972501234567'), '+97250*****67')
  assert.equal(masked('6834002@s.whatsapp.net'), '68***02')
})

test('an error is told by name and message, its numbers masked', () => {
  const error = Object.assign(new TypeError('no session for 972501234567.0\nat home'), { key: 'secret' })
  assert.equal(wordsOf(error), 'TypeError: no session for 97250*****67.0')
  assert.equal(wordsOf({ privKey: 'secret' }), 'Error: object')
})

test('what Baileys logs comes through without the objects it holds', (t) => {
  setLogLevel('DEBUG')
  t.after(() => setLogLevel('INFO'))
  const logger = quietLogger('one').child()
  const text = written(t, () => {
    logger.info({ creds: 'secret' }, 'logging in')
    logger.error({ err: new Error('Bad MAC'), key: 'secret' }, 'failed to decrypt 972501234567')
    logger.warn({ node: 'secret' }, 'odd')
    logger.warn('plain')
  })
  assert.doesNotMatch(text, /secret|501234567|logging in/)
  assert.match(text, /failed to decrypt 97250\*{5}67 session=one error="Error: Bad MAC"/)
  assert.equal(text.trim().split('\n').length, 3)
})
