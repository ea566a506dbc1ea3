/** The sidecar: read the settings, open the database, take up the sessions, serve until SIGTERM. */

import './quiet.js'

import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'

import { openDatabase } from './database.js'
import { arm } from './failpoints.js'
import { makeServer } from './http.js'
import { Inbound } from './inbound.js'
import { Lease } from './lease.js'
import { Ledger } from './ledger.js'
import { log, setLogLevel, wordsOf } from './log.js'
import { migrate } from './migrate.js'
import { Numbers } from './numbers.js'
import { Outbox } from './outbox.js'
import { Receipts } from './receipts.js'
import { makeRoutes } from './routes.js'
import { Sender } from './sending.js'
import { SessionRows } from './session_rows.js'
import { Sessions } from './sessions.js'
import { readSettings, SettingsError } from './settings.js'
import { Vault } from './vault.js'

const CONNECTIONS = 10
// All in milliseconds.
const DATABASE_LIMIT = 30_000
const DATABASE_AGAIN = 1_000
const LAST_MOMENT = 24_000 // from SIGTERM on: platforms kill after 30 s
const FORGET_EVERY = 3_600_000

// Else V8 lets garbage grow to four times of what is in use, on a machine that other programs share.
setFlagsFromString('--heap-growing-percent=50')

/** @param {import('./settings.js').Settings} settings */
async function serve(settings) {
  const database = await openDatabase(settings.databaseUrl, { max: CONNECTIONS })
  const lease = new Lease()
  await onceItIsUp(() => migrate(database))
  await lease.open(database)
  const vault = new Vault(settings.authKey)
  const ledger = new Ledger(database, vault)
  const outbox = new Outbox(database, settings.eventsUrl, settings.eventsSecret)
  const receipts = new Receipts({ database, ledger, outbox })
  const inbound = new Inbound({ database, outbox, settings })
  const rows = new SessionRows(database, outbox, lease.holder)
  const sessions = new Sessions({ database, vault, lease, ledger, rows, receipts, inbound, settings })
  const numbers = new Numbers(database, settings.checksPerMinute)
  const sender = new Sender({ ledger, numbers, outbox })
  const route = makeRoutes({ sessions, sender, ledger, numbers })
  const server = makeServer({ secret: settings.bridgeSecret, database, route })

  const posting = outbox.run()
  await sessions.load()
  const forgetting = setInterval(() => void forgetOld(ledger), FORGET_EVERY)
  server.listen(settings.port, settings.host)
  await once(server, 'listening')
  const { address, port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  process.stdout.write(`[BRIDGE] baileys on http://${address.includes(':') ? `[${address}]` : address}:${port}\n`)

  await signalled()
  setTimeout(() => process.exit(1), LAST_MOMENT).unref()
  log.info('BRIDGE', 'the process ends: what is under way is finished first')
  clearInterval(forgetting)
  sessions.stopSending()
  await sender.stop()
  await sessions.close()
  server.close()
  server.closeAllConnections()
  await receipts.written()
  await inbound.written()
  await outbox.close()
  await posting
  await lease.close()
  await database.close()
}

/**
 * Postgres may start at the same time as this process.
 * @param {() => Promise<void>} work
 */
async function onceItIsUp(work) {
  const until = performance.now() + DATABASE_LIMIT
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (performance.now() > until) throw error
      log.warn('BRIDGE', 'Postgres cannot be used yet', { error: wordsOf(error) })
      await pause(DATABASE_AGAIN)
    }
  }
}

/** @param {Ledger} ledger */
async function forgetOld(ledger) {
  try {
    await ledger.forgetOld()
  } catch (error) {
    log.warn('BRIDGE', 'old keys could not be forgotten, and will be in an hour', { error: wordsOf(error) })
  }
}

/** A second signal changes nothing. */
function signalled() {
  return new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT']) process.on(name, resolve)
  })
}

try {
  const settings = readSettings(process.env)
  setLogLevel(settings.logLevel)
  arm(settings.failpoint)
  await serve(settings)
  process.exit(0)
} catch (error) {
  const isOurs = error instanceof SettingsError
  process.stderr.write(`fanfare: ${isOurs ? error.message : wordsOf(error)}\n`)
  process.exit(isOurs ? 2 : 1)
}
