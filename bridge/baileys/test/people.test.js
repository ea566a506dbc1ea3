import assert from 'node:assert/strict'
import test from 'node:test'
import { addTransactionCapability, encodeWAMessage, getBinaryNodeChild, getNextPreKeysNode, initAuthCreds,
  parseAndInjectE2ESessions, proto, unpadRandomMax16 } from 'baileys'
import { makeLibSignalRepository } from 'baileys/lib/Signal/libsignal.js'
import { verifySignature } from 'libsignal/src/curve.js'
import { Person, UnreadableError } from './fake/people.js'

/** @import { BinaryNode } from 'baileys' */

// libsignal tells the console of each session that it closes, with its keys.
for (const name of /** @type {const} */ (['info', 'warn', 'error'])) console[name] = () => {}

const PHONE = '972501234567@s.whatsapp.net'
const LID = '81234567890123@lid'
const LINKED = { pn: '972509999999:1@s.whatsapp.net', lid: '89999999999999:1@lid' }

const silent = /** @type {any} */ ({ level: 'silent' })
for (const name of ['trace', 'debug', 'info', 'warn', 'error']) silent[name] = () => {}
silent.child = () => silent

const person = () => new Person({ phone: '972501234567', lid: LID })

/** A linked device: Baileys' own Signal repository over a plain map. */
async function linkedDevice() {
  /** @type {Map<string, any>} */
  const kept = new Map()
  const keys = addTransactionCapability(
    {
      async get(type, ids) {
        const found = ids.filter((id) => kept.has(`${type} ${id}`))
        return Object.fromEntries(found.map((id) => [id, structuredClone(kept.get(`${type} ${id}`))]))
      },
      async set(data) {
        for (const [type, values] of Object.entries(data))
          for (const [id, value] of Object.entries(values))
            value === null ? kept.delete(`${type} ${id}`) : kept.set(`${type} ${id}`, value)
      }
    },
    silent,
    { maxCommitRetries: 1, delayBetweenTriesMs: 1 }
  )
  const creds = initAuthCreds()
  const { update, node } = await getNextPreKeysNode({ creds, keys }, 5)
  Object.assign(creds, update)
  const repository = makeLibSignalRepository({ creds, keys }, silent)
  return { repository, bundle: /** @type {BinaryNode[]} */ (node.content) }
}

/** @typedef {Awaited<ReturnType<typeof linkedDevice>>} Linked */

/**
 * @param {Linked} linked
 * @param {Person} reader
 * @param {string} jid
 */
async function meet(linked, reader, jid, bundle = reader.bundle(0)) {
  const user = { tag: 'user', attrs: { jid }, content: bundle }
  const answer = { tag: 'iq', attrs: {}, content: [{ tag: 'list', attrs: {}, content: [user] }] }
  await parseAndInjectE2ESessions(answer, linked.repository)
}

/**
 * @param {Linked} linked
 * @param {string} jid
 * @param {string} text
 */
async function sealed(linked, jid, text) {
  return linked.repository.encryptMessage({ jid, data: encodeWAMessage({ conversation: text }) })
}

/**
 * @param {Person} reader
 * @param {{ type: string, ciphertext: Uint8Array }} enc
 */
const textOf = async (reader, enc, from = LINKED.pn) => (await reader.read({ device: 0, from, ...enc })).conversation

/**
 * @param {Linked} linked
 * @param {string} jid
 * @param {{ type: 'pkmsg' | 'msg', ciphertext: Uint8Array }} enc
 */
async function readByLinked(linked, jid, enc) {
  const plain = await linked.repository.decryptMessage({ jid, ...enc })
  return proto.Message.decode(unpadRandomMax16(plain)).conversation
}

/**
 * @param {Linked} linked
 * @param {Person} writer
 * @param {string} text
 */
const written = (linked, writer, text, jid = LINKED.pn) =>
  writer.writeTo({ device: 0, bundle: linked.bundle, message: { conversation: text }, jid })

test('a person reads what a linked device writes, and answers', async () => {
  const [linked, reader] = [await linkedDevice(), person()]
  await meet(linked, reader, PHONE)
  const first = await sealed(linked, PHONE, 'one')
  assert.equal(first.type, 'pkmsg')
  assert.equal(await textOf(reader, first), 'one')
  const answer = await written(linked, reader, 'an answer')
  assert.equal(answer.type, 'msg')
  assert.equal(await readByLinked(linked, PHONE, answer), 'an answer')
  const second = await sealed(linked, PHONE, 'two')
  assert.equal(second.type, 'msg')
  assert.equal(await textOf(reader, second), 'two')
})

test('a person writes first, each with a one-time key of its own', async () => {
  const linked = await linkedDevice()
  for (const [index, writer] of [person(), person()].entries()) {
    const jid = `97250123456${index}@s.whatsapp.net`
    const first = await written(linked, writer, 'hello')
    assert.equal(first.type, 'pkmsg')
    assert.equal(await readByLinked(linked, jid, first), 'hello')
    assert.equal(await textOf(writer, await sealed(linked, jid, 'and hello')), 'and hello')
    assert.equal((await written(linked, writer, 'again')).type, 'msg')
  }
})

test('messages are read in any order', async () => {
  const [linked, reader] = [await linkedDevice(), person()]
  await meet(linked, reader, PHONE)
  const encs = []
  for (const text of ['0', '1', '2', '3']) encs.push(await sealed(linked, PHONE, text))
  for (const index of [2, 0, 3, 1]) assert.equal(await textOf(reader, encs[index]), String(index))
})

test('a message is read once, and what cannot be read spoils nothing', async () => {
  const [linked, reader] = [await linkedDevice(), person()]
  await meet(linked, reader, PHONE)
  const first = await sealed(linked, PHONE, 'one')
  assert.equal(await textOf(reader, first), 'one')
  await assert.rejects(textOf(reader, first), UnreadableError)
  await readByLinked(linked, PHONE, await written(linked, reader, 'an answer'))
  const second = await sealed(linked, PHONE, 'two')
  await assert.rejects(textOf(person(), second), UnreadableError)
  const changed = Buffer.from(second.ciphertext)
  changed[changed.length - 1] ^= 1
  await assert.rejects(textOf(reader, { ...second, ciphertext: changed }), UnreadableError)
  assert.equal(await textOf(reader, second), 'two')
  await assert.rejects(textOf(reader, second), UnreadableError)
})

test('a linked device that writes by phone and by LID is one sender', async () => {
  const [linked, reader] = [await linkedDevice(), person()]
  await meet(linked, reader, PHONE)
  await textOf(reader, await sealed(linked, PHONE, 'one'), LINKED.pn)
  await readByLinked(linked, PHONE, await written(linked, reader, 'an answer'))
  const later = await sealed(linked, PHONE, 'two')
  assert.equal(later.type, 'msg')
  assert.equal(await textOf(reader, later, LINKED.lid), 'two')
})

test('a person by phone and by LID has one identity, so one session moves from the one to the other', async () => {
  const [linked, reader] = [await linkedDevice(), person()]
  await meet(linked, reader, PHONE)
  await textOf(reader, await sealed(linked, PHONE, 'by phone'))
  await linked.repository.lidMapping.storeLIDPNMappings([{ lid: LID, pn: PHONE }])
  await meet(linked, reader, LID)
  assert.equal(await textOf(reader, await sealed(linked, LID, 'by LID')), 'by LID')
  const answer = await written(linked, reader, 'an answer')
  assert.equal(await readByLinked(linked, PHONE, answer), 'an answer')
})

test('a new session replaces a lost one', async () => {
  const [before, after, reader] = [await linkedDevice(), await linkedDevice(), person()]
  for (const linked of [before, after]) {
    await meet(linked, reader, PHONE)
    assert.equal(await textOf(reader, await sealed(linked, PHONE, 'me')), 'me')
  }
  await after.repository.deleteSession([PHONE])
  await meet(after, reader, PHONE)
  assert.equal(await textOf(reader, await sealed(after, PHONE, 'me again')), 'me again')
})

test('a one-time key opens one session only', async () => {
  const [first, second, reader] = [await linkedDevice(), await linkedDevice(), person()]
  const bundle = reader.bundle(0)
  for (const linked of [first, second]) await meet(linked, reader, PHONE, bundle)
  assert.equal(await textOf(reader, await sealed(first, PHONE, 'me')), 'me')
  await assert.rejects(textOf(reader, await sealed(second, PHONE, 'me too')), UnreadableError)
})

test('the own phone shows its copy of a message as that message', async () => {
  const [linked, phone] = [await linkedDevice(), person()]
  await meet(linked, phone, PHONE)
  const message = { deviceSentMessage: { destinationJid: LID, message: { conversation: 'to another' } } }
  const copy = await linked.repository.encryptMessage({ jid: PHONE, data: encodeWAMessage(message) })
  assert.equal(await textOf(phone, copy), 'to another')
})

test('a bundle is signed by its identity and never gives a one-time key twice', () => {
  const reader = person()
  const [first, second] = [reader.bundle(0), reader.bundle(0)].map((content) => ({ tag: 'user', attrs: {}, content }))
  /** @param {BinaryNode} node @param {string[]} path */
  const bytes = (node, ...path) =>
    /** @type {Buffer} */ (path.reduce((at, tag) => getBinaryNodeChild(at, tag) ?? assert.fail(tag), node).content)
  /** @param {Buffer} key */
  const typed = (key) => Buffer.concat([Buffer.from([5]), key])
  const signature = bytes(first, 'skey', 'signature')
  assert.ok(verifySignature(typed(bytes(first, 'identity')), typed(bytes(first, 'skey', 'value')), Buffer.from(signature)))
  assert.notDeepEqual(bytes(first, 'key', 'id'), bytes(second, 'key', 'id'))
  assert.notDeepEqual(bytes(first, 'key', 'value'), bytes(second, 'key', 'value'))
  assert.throws(() => reader.bundle(1), /no device 1/)
})
