/** What WhatsApp has told or asked us but once: it must reach the database, or be found there, however long that takes. */

import { setTimeout as pause } from 'node:timers/promises'

import { log, wordsOf } from './log.js'
import { VaultError } from './vault.js'

const AGAIN_AFTER = 1000 // milliseconds
const BAD_DATA = /^22/ // Postgres' class of what no patience helps

/**
 * @param {import('./log.js').Tag} tag
 * @param {string} what
 * @param {() => Promise<unknown>} work may be repeated
 */
export async function untilDone(tag, what, work) {
  for (;;) {
    try {
      await work()
      return
    } catch (error) {
      const hopeless = isHopeless(error)
      log.error(tag, `${what}: it failed, and ${hopeless ? 'always will' : 'is tried again'}`, { error: wordsOf(error) })
      if (hopeless) return
      await pause(AGAIN_AFTER)
    }
  }
}

/** @param {unknown} error */
function isHopeless(error) {
  return error instanceof VaultError || BAD_DATA.test(String(/** @type {{ code?: unknown }} */ (Object(error)).code ?? ''))
}
