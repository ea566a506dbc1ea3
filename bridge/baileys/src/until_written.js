/** What WhatsApp was told that we have must reach the database, however long that takes. */

import { setTimeout as pause } from 'node:timers/promises'

import { log, wordsOf } from './log.js'

const AGAIN_AFTER = 1000 // milliseconds

/**
 * @param {string} what
 * @param {() => Promise<unknown>} write may be repeated
 */
export async function untilWritten(what, write) {
  for (;;) {
    try {
      await write()
      return
    } catch (error) {
      log.error('EVENTS', `${what} could not be written, and will be tried again`, { error: wordsOf(error) })
      await pause(AGAIN_AFTER)
    }
  }
}
