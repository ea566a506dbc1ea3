/**
 * Loaded before anything else: libsignal prints private keys to the console in normal use, and what is thrown where
 * nobody catches it would be printed with all that it holds.
 */

import { log, wordsOf } from './log.js'

// Nothing shows a stack: it may hold anything. Baileys makes an error for each wait, in case that it is too long.
Error.stackTraceLimit = 0

for (const name of /** @type {(keyof Console)[]} */ (Object.keys(console))) {
  if (typeof console[name] === 'function') Object.assign(console, { [name]: () => {} })
}

process.on('unhandledRejection', (reason) => log.error('BRIDGE', 'a rejection that nobody handled', { error: wordsOf(reason) }))

process.on('uncaughtException', (error) => {
  log.error('BRIDGE', 'an error that nobody caught: the process ends', { error: wordsOf(error) })
  process.exit(1)
})
