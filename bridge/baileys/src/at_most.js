/** Wait for something, but not longer than that; whether it came, or failed, makes no difference. */

import { setTimeout as pause } from 'node:timers/promises'

/**
 * @param {number} ms
 * @param {Promise<unknown>} something
 */
export async function atMost(ms, something) {
  await Promise.race([something.catch(() => {}), pause(ms, null, { ref: false })])
}
