/** Wait for what will be so, and not longer. */

import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'

/**
 * @template T
 * @param {string} what
 * @param {() => T | Promise<T>} condition
 * @param {number} [limit] milliseconds
 * @returns {Promise<NonNullable<T>>} what the condition gave in the end
 */
export async function until(what, condition, limit = 10_000) {
  const end = performance.now() + limit
  for (;;) {
    const found = await condition()
    if (found) return /** @type {NonNullable<T>} */ (found)
    assert.ok(performance.now() < end, `not in time: ${what}`)
    await pause(20)
  }
}
