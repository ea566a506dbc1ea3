/** What the end of a connection means, by WhatsApp's code for it: what the session is now, and when it connects again. */

const SECOND = 1000
const MINUTE = 60 * SECOND
const LONGEST_PAUSE = MINUTE
const QR_SHOWN_FOR = 5 * MINUTE
const BAD_SESSION_TRIES = 5
const CONFIRM_AFTER = SECOND
const SLOW = 15 * MINUTE

/**
 * @typedef {object} Facts What is known of a session whose connection has ended.
 * @property {boolean} paired
 * @property {boolean} restarted it has not been open since WhatsApp asked it to restart
 * @property {boolean} confirmed it has already connected once more to see whether a log-out was meant
 * @property {number} tries how often it has connected in vain
 * @property {number} badSessions how many connections in a row have ended with 500
 * @property {number} qrShownFor milliseconds since the first QR code
 * @property {number | null} bannedFor milliseconds, when WhatsApp says so
 * @property {number} random from 0 to 1
 *
 * @typedef {object} Fate
 * @property {'starting' | 'closed' | 'logged_out' | 'banned'} state
 * @property {string | null} error
 * @property {number | null} reconnectIn milliseconds; null: it rests until somebody starts it
 * @property {boolean} forget the pairing is over on WhatsApp's side as well
 * @property {boolean} [restart] WhatsApp asked for it: nothing is wrong
 * @property {boolean} [confirm] the next connection tells whether a log-out was meant
 * @property {number} [restrictedFor] milliseconds
 */

/**
 * @param {number} code
 * @param {Facts} facts
 * @returns {Fate}
 */
export function afterClose(code, facts) {
  const { paired, random } = facts
  switch (code) {
    case 515:
      return { ...again(facts.restarted ? backoff(facts.tries, random) : 0, null), restart: true }
    case 401:
      if (!paired) return unpaired(facts)
      // Right after a restart WhatsApp may not know the new device yet.
      if (facts.restarted && !facts.confirmed) return { ...again(CONFIRM_AFTER, null), confirm: true }
      return over('logged_out')
    case 403: // the account is locked
    case 406: // the account is banned
      return over('banned')
    case 402:
      return temporarilyBanned(facts.bannedFor ?? SLOW)
    case 440:
      return rest('replaced')
    case 411:
      return rest('multi_device_missing')
    case 405:
    case 409:
      return { ...again(SLOW * (0.5 + random), 'WhatsApp refuses this version: set BAILEYS_WA_VERSION to a newer one'), state: 'closed' }
    case 500:
      // Also what an unknown error of the network is called, so it proves nothing against the pairing: that is never thrown
      // away for it. It takes a person to log the session out and pair it anew.
      if (paired && facts.badSessions >= BAD_SESSION_TRIES)
        return { ...again(SLOW * (0.5 + random), 'bad_session'), state: 'closed' }
  }
  return paired ? again(backoff(facts.tries, random), 'not_connected') : unpaired(facts)
}

/**
 * Full jitter: a fleet that lost its connections together does not come back together.
 * @param {number} tries in vain so far
 * @param {number} random from 0 to 1
 * @returns {number} milliseconds
 */
export function backoff(tries, random) {
  return Math.round(random * Math.min(LONGEST_PAUSE, SECOND * 2 ** Math.min(tries, 10)))
}

/**
 * Codes are shown for a while only: somebody must be there to scan one.
 * @param {Facts} facts
 */
function unpaired({ qrShownFor, tries, random }) {
  return qrShownFor < QR_SHOWN_FOR ? again(backoff(tries, random), null) : rest('qr_expired')
}

/**
 * @param {number} reconnectIn
 * @param {string | null} error
 * @returns {Fate}
 */
function again(reconnectIn, error) {
  return { state: 'starting', error, reconnectIn, forget: false }
}

/**
 * @param {string} error
 * @returns {Fate}
 */
function rest(error) {
  return { state: 'closed', error, reconnectIn: null, forget: false }
}

/**
 * @param {'logged_out' | 'banned'} state
 * @returns {Fate}
 */
function over(state) {
  return { state, error: state, reconnectIn: null, forget: true }
}

/**
 * @param {number} restrictedFor
 * @returns {Fate}
 */
function temporarilyBanned(restrictedFor) {
  return { ...again(restrictedFor, 'restricted'), state: 'closed', restrictedFor }
}
