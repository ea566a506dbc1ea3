/** One line for each thing that happened. Never a secret, a key, a message's text or a whole phone number. */

const LEVELS = ['DEBUG', 'INFO', 'WARNING', 'ERROR']
const NUMBERS = /\d{7,}/g

let lowest = LEVELS.indexOf('INFO')

/**
 * @typedef {'BRIDGE' | 'WA_SEND' | 'EVENTS'} Tag
 * @typedef {Record<string, string | number | boolean | null>} Fields
 */

/**
 * Leave out what is below this level.
 * @param {string} level one of DEBUG, INFO, WARNING, ERROR
 */
export function setLogLevel(level) {
  lowest = LEVELS.indexOf(level)
}

/** @param {string} level */
function at(level) {
  /**
   * @param {Tag} tag
   * @param {string} words
   * @param {Fields} [fields]
   */
  return (tag, words, fields = {}) => {
    if (LEVELS.indexOf(level) < lowest) return
    const told = Object.entries(fields).map(([name, value]) => ` ${name}=${shown(value)}`)
    process.stdout.write(`${new Date().toISOString()} ${level} bridge [${tag}] ${words}${told.join('')}\n`)
  }
}

export const log = { debug: at('DEBUG'), info: at('INFO'), warn: at('WARNING'), error: at('ERROR') }

/** @param {Fields[string]} value */
function shown(value) {
  const text = String(value)
  return /[\s="]/.test(text) ? JSON.stringify(text) : text
}

/**
 * An address or number with its middle hidden.
 * @param {string} addressOrNumber
 */
export function masked(addressOrNumber) {
  const number = addressOrNumber.replace(/[:@].*$/, '')
  const hidden = number.length < 9 ? /(?<=\d{2})\d+(?=\d{2}$)/ : /(?<=\d{5})\d+(?=\d{2}$)/
  return number.replace(hidden, (middle) => '*'.repeat(middle.length))
}

/**
 * What went wrong, by name and message only: an error of Baileys or of the database bears what it was busy with.
 * @param {unknown} error
 */
export function wordsOf(error) {
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: typeof error }
  return `${name}: ${message.split('\n')[0]}`.replace(NUMBERS, masked)
}

/**
 * What Baileys gets as its logger: pino's methods. The objects that it is given hold nodes, keys and numbers. Its errors are
 * warnings here, as it gets over nearly all of them; its warnings are of use only to who looks for something.
 * @param {string} session
 */
export function quietLogger(session) {
  /** @param {unknown[]} _ */
  const nothing = (..._) => {}
  /** @param {'debug' | 'warn'} level */
  const pass = (level) => {
    /**
     * @param {unknown} subject
     * @param {string} [words]
     */
    return (subject, words) => {
      const told = typeof subject === 'string' ? subject : (words ?? 'Baileys says nothing more')
      const { err, error } = /** @type {{ err?: unknown, error?: unknown }} */ (Object(subject))
      const cause = err ?? error
      log[level]('BRIDGE', told.replace(NUMBERS, masked), {
        session,
        ...(cause instanceof Error && { error: wordsOf(cause) })
      })
    }
  }
  const logger = {
    level: 'warn',
    child: () => logger,
    trace: nothing,
    debug: nothing,
    info: nothing,
    warn: pass('debug'),
    error: pass('warn')
  }
  return logger
}
