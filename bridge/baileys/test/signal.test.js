import assert from 'node:assert/strict'
import { test } from 'node:test'

import { addTransactionCapability, BufferJSON, initAuthCreds } from 'baileys'

import { quietLogger } from '../src/log.js'
import { makeSignalRepository } from '../src/signal.js'
import { until } from './until.js'

const ALICE = '972500000001:0@s.whatsapp.net'
const BOB = '972500000002@s.whatsapp.net'
const BOB_LID = '2002@lid'
const logger = quietLogger('test')

/** A device whose keys are in a map, by type and id, as a database would have them. */
function device() {
  /** @type {Map<string, string>} */
  const stored = new Map()
  /** @type {import('baileys').SignalKeyStore} */
  const store = {
    get: async (type, ids) => {
      await new Promise(setImmediate)
      const found = ids.filter((id) => stored.has(`${type} ${id}`))
      return Object.fromEntries(found.map((id) => [id, JSON.parse(/** @type {string} */ (stored.get(`${type} ${id}`)), BufferJSON.reviver)]))
    },
    set: async (data) => {
      await new Promise(setImmediate)
      for (const [type, values] of Object.entries(data))
        for (const [id, value] of Object.entries(values))
          if (value === null) stored.delete(`${type} ${id}`)
          else stored.set(`${type} ${id}`, JSON.stringify(value, BufferJSON.replacer))
    }
  }
  const creds = initAuthCreds()
  const keys = addTransactionCapability(store, logger, { maxCommitRetries: 1, delayBetweenTriesMs: 1 })
  return { stored, creds, keys, repository: makeSignalRepository({ creds, keys }, logger, async () => []) }
}

/** @param {ReturnType<typeof device>} owner */
function bundle({ creds }) {
  const { signedPreKey, signedIdentityKey, registrationId } = creds
  const prefixed = (/** @type {Uint8Array} */ key) => Buffer.concat([Buffer.of(5), key])
  return {
    registrationId,
    identityKey: prefixed(signedIdentityKey.public),
    signedPreKey: { keyId: signedPreKey.keyId, publicKey: prefixed(signedPreKey.keyPair.public), signature: signedPreKey.signature }
  }
}

async function friends() {
  const alice = device()
  const bob = device()
  await alice.repository.lidMapping.storeLIDPNMappings([{ lid: BOB_LID, pn: BOB }])
  await alice.repository.injectE2ESession({ jid: BOB, session: bundle(bob) })
  return { alice, bob }
}

/** @param {ReturnType<typeof device>} alice */
function ratchet({ stored }) {
  return [...stored].find(([id]) => id.startsWith('session '))?.[1]
}

test('a ratchet is stored before a transaction around its use is over', async () => {
  const { alice } = await friends()
  const before = ratchet(alice)
  await alice.keys.transaction(async () => {
    await alice.repository.encryptMessage({ jid: BOB, data: Buffer.from('hello') })
    assert.notEqual(ratchet(alice), before)
  }, 'relay')
})

test('a session that is made within a transaction is stored, and can be used, within it', async () => {
  const alice = device()
  const bob = device()
  await alice.keys.transaction(async () => {
    await alice.repository.injectE2ESession({ jid: BOB, session: bundle(bob) })
    await alice.repository.encryptMessage({ jid: BOB, data: Buffer.from('hello') })
  }, 'relay')
  assert.ok(ratchet(alice))
})

test('a transaction that fails after a use does not undo it', async () => {
  const { alice } = await friends()
  const before = ratchet(alice)
  const relay = alice.keys.transaction(async () => {
    await alice.repository.encryptMessage({ jid: BOB, data: Buffer.from('hello') })
    throw new Error('the socket is gone')
  }, 'relay')
  await assert.rejects(relay)
  assert.notEqual(ratchet(alice), before)
})

test("both addresses of a person share a ratchet: used at the same time, no step of it is used twice", async () => {
  const { alice, bob } = await friends()
  const texts = ['one', 'two', 'three', 'four']
  const sealed = await Promise.all(
    texts.map((text, place) => alice.repository.encryptMessage({ jid: place % 2 ? BOB : BOB_LID, data: Buffer.from(text) }))
  )
  const read = []
  for (const { type, ciphertext } of sealed)
    read.push(String(await bob.repository.decryptMessage({ jid: ALICE, type, ciphertext })))
  assert.deepEqual(read, texts)
})

test('a message of an older session does no harm to the one that we made since', async () => {
  const { alice, bob } = await friends()
  const say = async (/** @type {string} */ text) => {
    const sealed = await alice.repository.encryptMessage({ jid: BOB, data: Buffer.from(text) })
    return String(await bob.repository.decryptMessage({ jid: ALICE, ...sealed }))
  }
  assert.equal(await say('Hello'), 'Hello')
  const answer = await bob.repository.encryptMessage({ jid: ALICE, data: Buffer.from('Who is it?') })
  const answered = Date.now()
  await until('sessions are tried by their milliseconds, the latest first', () => Date.now() > answered)
  await alice.repository.injectE2ESession({ jid: BOB, session: bundle(bob) })
  assert.equal(String(await alice.repository.decryptMessage({ jid: BOB, ...answer })), 'Who is it?')
  assert.equal(await say('Alice'), 'Alice')
})
