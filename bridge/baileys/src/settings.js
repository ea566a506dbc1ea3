/** Every setting of the sidecar, and the only reader of the environment. */

import { existsSync } from 'node:fs'

const KEY_BYTES = 32
const VERSION = /^\d+\.\d+\.\d+$/
const LOG_LEVELS = ['DEBUG', 'INFO', 'WARNING', 'ERROR']
const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]']
const TEST_ONLY = ['BAILEYS_TEST_URL', 'BAILEYS_MEDIA_TEST_CA', 'FAILPOINT']

/**
 * @typedef {object} Settings
 * @property {string} databaseUrl
 * @property {string} bridgeSecret
 * @property {string | null} eventsUrl
 * @property {string | null} eventsSecret
 * @property {string} host
 * @property {number} port 0 is any free one
 * @property {Buffer} authKey
 * @property {[number, number, number] | null} waVersion
 * @property {string | null} waUrl a fake WhatsApp to connect to, in tests
 * @property {string | null} mediaTestCa the file of the certificate that a fake media host is signed with
 * @property {string | null} failpoint
 * @property {string} logLevel
 * @property {number} checksPerMinute
 * @typedef {Record<string, string | undefined>} Environment
 */

/** A setting is missing or wrong; the message is one line that says what to do. */
export class SettingsError extends Error {}

/**
 * @param {Environment} env
 * @returns {Settings}
 */
export function readSettings(env) {
  refuseTestSettings(env)
  const eventsUrl = env.EVENTS_URL || null
  return {
    databaseUrl: needed(env, 'DATABASE_URL', 'postgresql://user:password@host:port/name'),
    bridgeSecret: needed(env, 'BRIDGE_SECRET', 'the X-Internal-Secret of every request'),
    eventsUrl: eventsUrl && web(eventsUrl),
    eventsSecret: eventsUrl && needed(env, 'EVENTS_SECRET', 'the key of the signature on events, as EVENTS_URL is set'),
    host: env.HOST || '127.0.0.1',
    port: whole(env.PORT ? 'PORT' : 'BAILEYS_PORT', env.PORT || env.BAILEYS_PORT || '8200', 0, 65_535),
    authKey: authKey(needed(env, 'BAILEYS_AUTH_KEY', '32 random bytes in base64, for example from: openssl rand -base64 32')),
    waVersion: env.BAILEYS_WA_VERSION ? version(env.BAILEYS_WA_VERSION) : null,
    waUrl: env.BAILEYS_TEST_URL ? loopback(env.BAILEYS_TEST_URL) : null,
    mediaTestCa: env.BAILEYS_MEDIA_TEST_CA ? file(env.BAILEYS_MEDIA_TEST_CA) : null,
    failpoint: env.FAILPOINT || null,
    logLevel: logLevel(env.LOG_LEVEL || 'INFO'),
    checksPerMinute: whole('BAILEYS_CHECKS_PER_MINUTE', env.BAILEYS_CHECKS_PER_MINUTE || '20', 1, 10_000)
  }
}

/**
 * What leads the bridge away from WhatsApp, or breaks it, must never be set by mistake where people are sent to.
 * @param {Environment} env
 */
function refuseTestSettings(env) {
  const given = TEST_ONLY.filter((name) => env[name])
  if (!given.length) return
  const platform = ['DYNO', 'RAILWAY_ENVIRONMENT'].find((name) => env[name])
  if (platform) throw new SettingsError(`${given[0]} is for tests and is refused where ${platform} is set: remove it`)
  if (env.BAILEYS_TEST_MODE !== '1') throw new SettingsError(`${given[0]} is for tests: remove it, or set BAILEYS_TEST_MODE=1`)
}

/**
 * @param {Environment} env
 * @param {string} name
 * @param {string} words
 */
function needed(env, name, words) {
  const value = env[name]
  if (!value) throw new SettingsError(`${name} is not set: set it to ${words}`)
  return value
}

/**
 * @param {string} name
 * @param {string} value
 * @param {number} least
 * @param {number} most
 */
function whole(name, value, least, most) {
  const number = /^\d{1,6}$/.test(value) ? Number(value) : NaN
  if (!(number >= least && number <= most)) throw new SettingsError(`${name} must be a whole number from ${least} to ${most}`)
  return number
}

/** @param {string} value */
function authKey(value) {
  const key = Buffer.from(value, 'base64')
  if (key.length !== KEY_BYTES || key.toString('base64') !== value)
    throw new SettingsError(`BAILEYS_AUTH_KEY must be ${KEY_BYTES} bytes in base64, for example from: openssl rand -base64 32`)
  return key
}

/**
 * @param {string} value
 * @returns {[number, number, number]}
 */
function version(value) {
  if (!VERSION.test(value)) throw new SettingsError('BAILEYS_WA_VERSION must be three numbers, as in 2.3000.1043857760')
  const [first, second, third] = value.split('.').map(Number)
  return [first, second, third]
}

/** @param {string} value */
function web(value) {
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol))
    throw new SettingsError('EVENTS_URL must be an address that begins with http:// or https://')
  return value
}

/** @param {string} value */
function loopback(value) {
  const url = URL.canParse(value) ? new URL(value) : null
  if (!url || !['ws:', 'wss:'].includes(url.protocol) || !LOOPBACK.includes(url.hostname))
    throw new SettingsError('BAILEYS_TEST_URL must be an address of this machine, as in ws://127.0.0.1:8300/ws/chat')
  return value
}

/** @param {string} value */
function file(value) {
  if (!existsSync(value)) throw new SettingsError('BAILEYS_MEDIA_TEST_CA must be the path of a file that exists')
  return value
}

/** @param {string} value */
function logLevel(value) {
  if (!LOG_LEVELS.includes(value)) throw new SettingsError(`LOG_LEVEL must be one of ${LOG_LEVELS.join(', ')}`)
  return value
}
