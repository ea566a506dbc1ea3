/** What a session says of itself, by how it stands. */

/**
 * @typedef {'closed' | 'starting' | 'qr' | 'scanned' | 'open' | 'logged_out' | 'banned'} State
 * @typedef {'not_connected' | 'qr_required' | 'restricted' | 'logged_out' | 'banned'} Problem
 * @typedef {object} Standing Times are milliseconds since 1970.
 * @property {State} state
 * @property {boolean} paired
 * @property {string | null} phone
 * @property {string | null} lastError
 * @property {number | null} restrictedUntil
 * @property {number | null} openedAt null while there is no open connection
 * @property {number | null} lastMessageAt
 * @property {boolean} isOurs this process has the session, and is to keep it
 */

/**
 * The error code of a send now, or null when it can send.
 * @param {Standing} standing
 * @returns {Problem | null}
 */
export function problemNow({ state, paired, restrictedUntil, isOurs }) {
  if (state === 'logged_out' || state === 'banned') return state
  if (restrictedUntil) return 'restricted'
  if (state === 'open') return isOurs ? null : 'not_connected'
  return paired || state === 'closed' || state === 'starting' ? 'not_connected' : 'qr_required'
}

/**
 * The status of the contract.
 * @param {Standing} standing
 */
export function statusNow(standing) {
  const { state, paired, phone, lastError, restrictedUntil, openedAt, lastMessageAt } = standing
  return {
    connected: state === 'open',
    can_send: problemNow(standing) === null,
    session_age: openedAt ? Math.floor((Date.now() - openedAt) / 1000) : 0,
    last_message_ts: iso(lastMessageAt),
    qr_required: !paired && state !== 'starting' && state !== 'scanned',
    phone,
    state,
    last_error: lastError,
    restricted_until: iso(restrictedUntil)
  }
}

/** @param {number | null} moment */
function iso(moment) {
  return moment === null ? null : new Date(moment).toISOString()
}
