/** A process with a lease, for the tests: it takes the session "one", tells what befalls it, and writes when it is asked. */

import { openAuthState } from '../src/auth_state.js'
import { openDatabase } from '../src/database.js'
import { Lease } from '../src/lease.js'
import { Vault } from '../src/vault.js'

const [url, lengthMs, renewMs] = process.argv.slice(2)
const session = 'one'
const database = await openDatabase(url)
const lease = new Lease({ lengthMs: Number(lengthMs), renewMs: Number(renewMs) })
lease.onLost((name) => tell({ lost: name }))
await lease.open(database)
const taken = await lease.take(session)
const auth = taken ? await openAuthState({ database, vault: new Vault(Buffer.alloc(32, 7)), lease, session }) : null
tell({ taken })

process.on('message', async () => {
  const held = lease.held(session)
  try {
    await auth?.keys.set({ session: { 'a.0': Buffer.from('written') } })
    tell({ held, wrote: true })
  } catch (error) {
    tell({ held, wrote: false, error: error instanceof Error ? error.name : null })
  }
})

/** @param {Record<string, unknown>} what */
function tell(what) {
  process.send?.(what)
}
