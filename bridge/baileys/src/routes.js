/** The paths of the bridge contract. */

import { BadRequestError, digits, isName, readAttempt, refuse } from './contract.js'

/** @typedef {import('./contract.js').Answer} Answer */

const NOT_FOUND = { status: 404, body: { error: 'not_found' } }
const SENDING = { status: 409, body: { error: 'sending' } }
const NO_QR = { status: 404, body: { error: 'no_qr' } }

/**
 * @param {object} parts
 * @param {import('./sessions.js').Sessions} parts.sessions
 * @param {import('./sending.js').Sender} parts.sender
 * @param {import('./ledger.js').Ledger} parts.ledger
 * @param {import('./numbers.js').Numbers} parts.numbers
 * @returns {import('./http.js').Route}
 */
export function makeRoutes({ sessions, sender, ledger, numbers }) {
  return async (method, path, readBody) => {
    const [, name, action, key] = path
    switch (pattern(method, path)) {
      case 'GET whatsapp':
        return ok({ provider: 'baileys', sessions: sessions.all().map((one) => ({ session: one.name, ...one.status() })) })
      case 'POST whatsapp/*/messages':
        return postMessage(readName(name), await readBody())
      case 'GET whatsapp/*/messages/*':
        return lookUp(readName(key))
      case 'POST whatsapp/*/messages/*/close':
        return ok(ledger.body(await ledger.close(readName(name), readName(key))))
      case 'POST whatsapp/*/start':
        return ok((await sessions.start(readName(name))).status())
    }
    if (path[0] !== 'whatsapp' || path.length !== 3) return NOT_FOUND
    const session = sessions.get(name)
    return session ? ofSession(session, `${method} ${action}`, readBody) : refuse('no_session')
  }

  /**
   * @param {string} name
   * @param {Record<string, unknown>} body
   */
  function postMessage(name, body) {
    const attempt = readAttempt(name, body)
    const session = sessions.get(name)
    return session ? sender.send(session, attempt) : refuse('no_session')
  }

  /**
   * The key alone decides: whether the session still exists says nothing about what was sent.
   * @param {string} key
   */
  async function lookUp(key) {
    const entry = await ledger.find(key)
    if (entry) return ok(ledger.body(entry))
    return { status: 404, body: { error: 'absent', ledger_since: await ledger.since() } }
  }

  /**
   * @param {import('./session.js').Session} session
   * @param {string} request
   * @param {() => Promise<Record<string, unknown>>} readBody
   * @returns {Promise<Answer>}
   */
  async function ofSession(session, request, readBody) {
    switch (request) {
      case 'GET status':
        return ok(session.status())
      case 'GET sending-status':
        return ok(session.busy.status())
      case 'GET qr':
        return session.qr ? ok(session.qr) : NO_QR
      case 'POST numbers':
        return checkNumbers(session, await readBody())
      case 'POST pairing-code':
        return pair(session, await readBody())
      case 'POST restart':
        return change(session, () => sessions.restart(session.name))
      case 'POST disconnect':
        return change(session, () => sessions.disconnect(session.name))
      case 'POST logout':
        return change(session, () => sessions.logout(session.name))
    }
    return NOT_FOUND
  }

  /**
   * Nothing interrupts a send.
   * @param {import('./session.js').Session} session
   * @param {() => Promise<unknown>} made
   */
  async function change(session, made) {
    if (session.busy.active) return SENDING
    await made()
    return ok(session.status())
  }

  /**
   * The code that the owner types into the phone instead of scanning.
   * @param {import('./session.js').Session} session
   * @param {Record<string, unknown>} body
   */
  async function pair(session, { phone }) {
    const number = digits(phone)
    if (!number) throw new BadRequestError('phone: a number with its country code')
    return session.qr ? ok({ code: await sessions.pairingCode(session.name, number) }) : NO_QR
  }

  /**
   * @param {import('./session.js').Session} session
   * @param {Record<string, unknown>} body
   */
  async function checkNumbers(session, { numbers: asked }) {
    if (!Array.isArray(asked) || !asked.every((number) => typeof number === 'string'))
      throw new BadRequestError('numbers: a list of texts')
    const problem = session.problem()
    return problem ? refuse(problem) : ok({ results: await numbers.check(session, asked) })
  }
}

/**
 * The method and the path with a star for every name in it.
 * @param {string} method
 * @param {string[]} path
 */
function pattern(method, path) {
  return `${method} ${path.map((part, place) => (place === 1 || place === 3 ? '*' : part)).join('/')}`
}

/** @param {string} name */
function readName(name) {
  if (!isName(name)) throw new BadRequestError('the path: names of 1 to 200 characters')
  return name
}

/**
 * @param {Record<string, unknown>} body
 * @returns {Answer}
 */
function ok(body) {
  return { status: 200, body }
}
