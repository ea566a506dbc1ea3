/** Named places at which a test makes the process die or freeze. Off unless FAILPOINT is set: place:action[:pattern], ... */

import { SettingsError } from './settings.js'

const ACTIONS = ['kill', 'stop']

/** @typedef {{ place: string, action: string, pattern: RegExp }} Failpoint */

/** @type {Failpoint[]} */
let armed = []

/**
 * Set the failpoints of this process.
 * @param {string | null} text
 */
export function arm(text) {
  armed = text ? text.split(',').map(parse) : []
}

/**
 * @param {string} text
 * @returns {Failpoint}
 */
function parse(text) {
  const [place, action, ...pattern] = text.trim().split(':')
  if (!place || !ACTIONS.includes(action))
    throw new SettingsError(`FAILPOINT must be place:action, where the action is one of ${ACTIONS.join(', ')}`)
  return { place, action, pattern: glob(pattern.join(':') || '*') }
}

/**
 * The process is at this place, busy with this send key.
 * @param {string} place
 * @param {string} key
 */
export function hit(place, key) {
  const found = armed.find((failpoint) => failpoint.place === place && failpoint.pattern.test(key))
  if (!found) return
  if (found.action === 'kill') process.kill(process.pid, 'SIGKILL')
  // Once: who was woken goes on.
  armed = armed.filter((failpoint) => failpoint !== found)
  process.kill(process.pid, 'SIGSTOP')
}

/** @param {string} pattern */
function glob(pattern) {
  const literal = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${literal.replaceAll('*', '.*').replaceAll('?', '.')}$`)
}
