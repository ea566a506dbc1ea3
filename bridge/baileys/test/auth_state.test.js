import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'

import { addTransactionCapability, initAuthCreds, proto } from 'baileys'
import { makeLibSignalRepository } from 'baileys/lib/Signal/libsignal.js'
import { encodeSignedDeviceIdentity } from 'baileys/lib/Utils/validate-connection.js'

import { forgetAuthState, openAuthState } from '../src/auth_state.js'
import { openDatabase } from '../src/database.js'
import { Lease, LeaseLostError } from '../src/lease.js'
import { quietLogger } from '../src/log.js'
import { Vault, VaultError } from '../src/vault.js'
import { gateTo } from './gate.js'
import { freshDatabase } from './postgres.js'
import { until } from './until.js'

const vault = new Vault(Buffer.alloc(32, 7))
const text = (/** @type {string} */ words) => Buffer.from(words)

/** @type {Awaited<ReturnType<typeof freshDatabase>>} */
let database
/** @type {Lease} */
let lease

before(async () => {
  database = await freshDatabase()
  lease = new Lease()
  await lease.open(database)
})
after(async () => {
  await lease.close()
  await database.close()
})
beforeEach(async () => {
  await database.query(`INSERT INTO baileys.sessions (name) VALUES ('one'), ('two')`)
  for (const name of ['one', 'two']) await lease.take(name)
})
afterEach(async () => {
  for (const name of ['one', 'two']) await lease.release(name)
  await database.query('DELETE FROM baileys.sessions')
})

/** @param {Partial<Parameters<typeof openAuthState>[0]>} [change] */
const open = (change) => openAuthState({ database, vault, lease, session: 'one', ...change })

const stolen = () => database.query(`UPDATE baileys.sessions SET holder = 1 WHERE name = 'one'`)
const sealedCreds = async () => (await database.one(`SELECT creds FROM baileys.sessions WHERE name = 'one'`)).creds
const rows = async () => (await database.one('SELECT count(*)::int AS count FROM baileys.signal_keys')).count

/**
 * @param {string} trigger what happens at each write of a key
 * @param {() => Promise<void>} work
 */
async function withTrigger(trigger, work) {
  await database.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${trigger} END $$`)
  await database.query('CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON baileys.signal_keys FOR EACH ROW EXECUTE FUNCTION refuse()')
  try {
    await work()
  } finally {
    await database.query('DROP FUNCTION refuse CASCADE')
  }
}

test('a new identity is stored before it is used, and is the same from then on', async () => {
  const first = await open()
  assert.notEqual(await sealedCreds(), null)
  const second = await open()
  assert.deepEqual(second.creds.noiseKey, first.creds.noiseKey)
  assert.deepEqual(Object.keys(second.creds).sort(), Object.keys(JSON.parse(JSON.stringify(initAuthCreds()))).sort())
})

test('of several that start a session at once, all get one identity', async () => {
  const client = await database.connect()
  await client.query('BEGIN')
  await client.query(`SELECT FROM baileys.sessions WHERE name = 'one' FOR UPDATE`)
  const opening = Promise.all(Array.from({ length: 4 }, () => open()))
  try {
    await until('all have found none and are about to make one', async () => {
      const waiting = `SELECT count(*)::int AS count FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`
      return (await database.one(waiting)).count === 4
    })
  } finally {
    await client.end() // and they go on
  }
  assert.equal(new Set((await opening).map(({ creds }) => creds.advSecretKey)).size, 1)
})

test('an identity is made by nobody but the lease’s holder', async () => {
  await stolen()
  await assert.rejects(open(), LeaseLostError)
  assert.equal(await sealedCreds(), null)
})

test('whatever cannot be read throws, and is never taken for a new identity', async () => {
  await open()
  const stored = await sealedCreds()
  await assert.rejects(open({ session: 'none' }), /no session/)
  await assert.rejects(open({ vault: new Vault(Buffer.alloc(32, 8)) }), VaultError)
  await database.query('ALTER TABLE baileys.sessions RENAME TO hidden')
  try {
    await assert.rejects(open(), { code: '42P01' })
  } finally {
    await database.query('ALTER TABLE baileys.hidden RENAME TO sessions')
  }
  const damaged = Buffer.from(stored)
  damaged[40] ^= 1
  await database.query(`UPDATE baileys.sessions SET creds = $1 WHERE name = 'one'`, [damaged])
  await assert.rejects(open(), VaultError)
  await database.query(`UPDATE baileys.sessions SET creds = $1 WHERE name = 'two'`, [stored])
  await assert.rejects(open({ session: 'two' }), VaultError) // another session's
  assert.deepEqual(await sealedCreds(), damaged)
})

test('a database that is away throws too', async () => {
  const gate = await gateTo(database.url)
  const away = await openDatabase(gate.url)
  const auth = await open({ database: away })
  gate.shut()
  await Promise.all([
    assert.rejects(open({ database: away })),
    assert.rejects(async () => auth.keys.get('session', ['a.0'])),
    assert.rejects(async () => auth.keys.set({ session: { 'a.0': text('lost') } }))
  ])
  gate.reopen()
  assert.deepEqual(await auth.keys.get('session', ['a.0']), {})
  assert.equal((await open({ database: away })).creds.advSecretKey, auth.creds.advSecretKey)
  await away.close()
  await gate.close()
})

test('credentials are as WhatsApp signed them after they were stored', async () => {
  const auth = await open()
  const account = proto.ADVSignedDeviceIdentity.create({
    details: text('details'),
    accountSignatureKey: Buffer.alloc(32, 1),
    accountSignature: Buffer.alloc(64, 2),
    deviceSignature: Buffer.alloc(64, 3)
  })
  auth.creds.account = account
  auth.creds.routingInfo = text('routing')
  await auth.saveCreds()
  const { creds } = await open()
  assert.deepEqual(encodeSignedDeviceIdentity(/** @type {any} */ (creds.account), true), encodeSignedDeviceIdentity(account, true))
  assert.deepEqual(creds.routingInfo, text('routing'))
})

test('credentials that are saved fast one after the other end as the last', async () => {
  const auth = await open()
  const saves = Array.from({ length: 50 }, (_, at) => {
    auth.creds.nextPreKeyId = at
    return auth.saveCreds()
  })
  await Promise.all(saves)
  assert.equal((await open()).creds.nextPreKeyId, 49)
})

test('keys come back as they were, and those that are not there are left out', async () => {
  const auth = await open()
  const pair = { public: Buffer.alloc(32, 1), private: Buffer.alloc(32, 2) }
  const version = { version: 3, hash: Buffer.alloc(128, 4), indexValueMap: { 'a+/=': { valueMac: text('mac') } } }
  await auth.keys.set({
    'pre-key': { 1: pair, 2: pair },
    'device-list': { 972501234567: ['0', '12'] },
    'lid-mapping': { 972501234567: '55', '55_reverse': '972501234567' },
    'app-state-sync-version': { regular: version },
    'app-state-sync-key': { 'AA/+=': proto.Message.AppStateSyncKeyData.create({ keyData: text('key'), timestamp: 5 }) },
    tctoken: { '1@lid': { token: text('token'), timestamp: '1' } }
  })
  for (const { keys } of [auth, await open()]) {
    assert.deepEqual(await keys.get('pre-key', ['1', '2', '3']), { 1: pair, 2: pair })
    assert.deepEqual(await keys.get('device-list', ['972501234567']), { 972501234567: ['0', '12'] })
    assert.deepEqual(await keys.get('lid-mapping', ['55_reverse', '56_reverse']), { '55_reverse': '972501234567' })
    assert.deepEqual(await keys.get('app-state-sync-version', ['regular']), { regular: version })
    const { 'AA/+=': shared } = await keys.get('app-state-sync-key', ['AA/+='])
    assert.ok(shared instanceof proto.Message.AppStateSyncKeyData)
    assert.deepEqual(Buffer.from(/** @type {Uint8Array} */ (shared.keyData)), text('key'))
    assert.deepEqual((await keys.get('tctoken', ['1@lid']))['1@lid'].token, text('token'))
    assert.deepEqual(await keys.get('session', ['nobody.0']), {})
  }
})

test('sessions do not see each other’s keys', async () => {
  const [one, two] = [await open(), await open({ session: 'two' })]
  await one.keys.set({ session: { 'a.0': text('of one') } })
  assert.deepEqual(await two.keys.get('session', ['a.0']), {})
})

test('what a key was changed to after it was read does not show in the next reading', async () => {
  const { keys } = await open()
  await keys.set({ 'device-list': { a: ['0'] } })
  const { a } = await keys.get('device-list', ['a'])
  a.push('1')
  assert.deepEqual(await keys.get('device-list', ['a']), { a: ['0'] })
})

test('a damaged or misplaced key throws', async () => {
  const { keys } = await open()
  await keys.set({ 'pre-key': { 1: { public: text('p'), private: text('q') } } })
  await database.query(`UPDATE baileys.signal_keys SET id = '2'`)
  await assert.rejects(async () => keys.get('pre-key', ['2']), new VaultError('one/pre-key/2'))
  assert.deepEqual(await keys.get('pre-key', ['1']), {})
})

test('one set is all or nothing, over types and deletions', async () => {
  const { keys } = await open()
  await keys.set({ session: { old: text('old') }, 'device-list': { a: ['0'] } })
  await withTrigger(`IF NEW.type = 'identity-key' THEN RAISE 'refused'; END IF; RETURN NEW;`, async () => {
    const change = { session: { old: null, new: text('new') }, 'device-list': { a: ['1'] }, 'identity-key': { a: text('i') } }
    await assert.rejects(async () => keys.set(change), /refused/)
  })
  for (const { keys: read } of [{ keys }, await open()]) {
    assert.deepEqual(await read.get('session', ['old', 'new']), { old: text('old') })
    assert.deepEqual(await read.get('device-list', ['a']), { a: ['0'] })
    assert.deepEqual(await read.get('identity-key', ['a']), {})
  }
  await keys.set({ session: { old: null, new: text('new') } })
  assert.deepEqual([await keys.get('session', ['old', 'new']), await rows()], [{ new: text('new') }, 2])
})

test('what is set at once is written at once, the last of the same last; or none of it', async () => {
  const { keys } = await open()
  await Promise.all([
    keys.set({ session: { a: text('1'), b: text('1') } }),
    keys.set({ session: { b: text('2') } }),
    keys.set({ session: { c: text('3') } })
  ])
  const { writes } = await database.one('SELECT count(DISTINCT xmin::text)::int AS writes FROM baileys.signal_keys')
  assert.equal(writes, 1)
  assert.deepEqual(await keys.get('session', ['a', 'b', 'c']), { a: text('1'), b: text('2'), c: text('3') })
  await withTrigger(`IF NEW.id = 'bad' THEN RAISE 'refused'; END IF; RETURN NEW;`, async () => {
    const both = await Promise.allSettled([keys.set({ session: { good: text('4') } }), keys.set({ session: { bad: text('5') } })])
    assert.deepEqual(both.map(({ status }) => status), ['rejected', 'rejected'])
  })
  const { keys: read } = await open()
  assert.deepEqual(await read.get('session', ['a', 'b', 'c', 'good', 'bad']), await keys.get('session', ['a', 'b', 'c']))
})

test('what was read before a write does not hide what was written', async () => {
  const { keys } = await open()
  for (let at = 0; at < 100; at++) {
    const id = `${at}`
    await Promise.all([keys.get('session', [id]), keys.set({ session: { [id]: text('new') } }), keys.get('session', [id])])
    assert.deepEqual(await keys.get('session', [id]), { [id]: text('new') })
  }
})

test('many sets at once, in each other’s way and from two states, all come through', async () => {
  const states = [await open(), await open()]
  const ids = Array.from({ length: 20 }, (_, at) => `${at}`)
  const entries = (/** @type {number} */ at) => {
    const order = at % 2 ? ids : [...ids].reverse()
    return Object.fromEntries(order.map((id, place) => [`k${id}`, (place + at) % 3 ? text(`${at}`) : null]))
  }
  await Promise.all(
    Array.from({ length: 200 }, (_, at) => states[at % 2].keys.set({ session: entries(at), 'sender-key': entries(at + 1) }))
  )
})

test('without the lease nothing is written', async () => {
  const auth = await open()
  await auth.keys.set({ session: { 'a.0': text('ours') } })
  const stored = await sealedCreds()
  await stolen()
  await assert.rejects(async () => auth.keys.set({ session: { 'a.0': text('late'), 'b.0': text('late') } }), LeaseLostError)
  await assert.rejects(auth.saveCreds(), LeaseLostError)
  await assert.rejects(auth.forget(), LeaseLostError)
  assert.deepEqual([await sealedCreds(), await rows()], [stored, 1])
  assert.deepEqual(await auth.keys.get('session', ['a.0']), { 'a.0': text('ours') })
})

test('a lease that has run out is as good as none, even if nobody else took it', async () => {
  const auth = await open()
  await database.query(`UPDATE baileys.sessions SET lease_until = clock_timestamp() WHERE name = 'one'`)
  await assert.rejects(async () => auth.keys.set({ session: { 'a.0': text('late') } }), LeaseLostError)
  assert.equal(await rows(), 0)
})

test('nobody takes the lease while a write is under way', async () => {
  const auth = await open()
  const client = await database.connect()
  await client.query('SELECT pg_advisory_lock(1)')
  const waits = (/** @type {string} */ kind) =>
    database.one('SELECT pid FROM pg_locks WHERE locktype = $1 AND NOT granted', [kind])
  await withTrigger('PERFORM pg_advisory_xact_lock_shared(1); RETURN NEW;', async () => {
    const written = auth.keys.set({ session: { 'a.0': text('slow') } })
    try {
      await until('the write is under way', () => waits('advisory'))
      const taken = stolen()
      await until('the other waits for it', () => waits('transactionid'))
      await client.end() // and the write goes on
      await taken
    } finally {
      await client.end()
      await written
    }
  })
})

test('what is forgotten is gone, with all its keys, and the next identity is another', async () => {
  const auth = await open()
  const other = await open({ session: 'two' })
  await auth.keys.set({ session: { 'a.0': text('a') }, 'pre-key': { 1: { public: text('p'), private: text('q') } } })
  await other.keys.set({ session: { 'a.0': text('a') } })
  await auth.forget()
  assert.deepEqual([await sealedCreds(), await rows()], [null, 1])
  assert.deepEqual(await auth.keys.get('session', ['a.0']), {})
  assert.notEqual((await open()).creds.advSecretKey, auth.creds.advSecretKey)
})

test('what nobody can read any more can be forgotten, and the session be paired anew', async () => {
  const { creds } = await open()
  const lost = new Vault(Buffer.alloc(32, 8))
  await assert.rejects(open({ vault: lost }), VaultError)
  await forgetAuthState({ database, lease, session: 'one' })
  assert.notEqual((await open({ vault: lost })).creds.advSecretKey, creds.advSecretKey)
})

test('nothing of it can be read in the tables', async () => {
  const auth = await open()
  await auth.keys.set({ 'lid-mapping': { a: 'a secret mapping' } })
  const { creds, value } = await database.one('SELECT creds, value FROM baileys.sessions JOIN baileys.signal_keys ON session = name')
  assert.equal(value.includes('mapping'), false)
  assert.equal(creds.includes('noiseKey'), false)
})

test('Baileys’ own store of a person’s two addresses works over it', async () => {
  const auth = await open()
  const logger = quietLogger('one')
  const addresses = (/** @type {typeof auth} */ { creds, keys }) => {
    const stores = addTransactionCapability(keys, logger, { maxCommitRetries: 1, delayBetweenTriesMs: 1 })
    return makeLibSignalRepository({ creds, keys: stores }, logger).lidMapping
  }
  await addresses(auth).storeLIDPNMappings([{ pn: '972501234567@s.whatsapp.net', lid: '55@lid' }])
  const again = addresses(await open())
  assert.equal(await again.getPNForLID('55@lid'), '972501234567:0@s.whatsapp.net')
  assert.equal(await again.getLIDForPN('972501234567@s.whatsapp.net'), '55@lid')
})
