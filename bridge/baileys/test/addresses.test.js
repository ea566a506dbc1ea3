import assert from 'node:assert/strict'
import { test } from 'node:test'

import { isPerson, phoneIn, phoneOf } from '../src/addresses.js'

/** @param {Record<string, string>} phones by LID */
function socketThatKnows(phones) {
  const getPNForLID = async (/** @type {string} */ lid) => phones[lid] ?? null
  return /** @type {any} */ ({ signalRepository: { lidMapping: { getPNForLID } } })
}

test('a phone number is read from a phone address only', () => {
  assert.equal(phoneIn('972501234567@s.whatsapp.net'), '+972501234567')
  assert.equal(phoneIn('972501234567:3@s.whatsapp.net'), '+972501234567')
  assert.equal(phoneIn('123456789012345@lid'), null)
  assert.equal(phoneIn('120363000000000000@g.us'), null)
  assert.equal(phoneIn(undefined), null)
})

test('groups, channels and status are no persons', () => {
  for (const address of ['972501234567@s.whatsapp.net', '123@lid', '972501234567:99@hosted']) assert.ok(isPerson(address))
  for (const address of ['1203@g.us', 'status@broadcast', '12@newsletter', '', null]) assert.ok(!isPerson(address))
})

test('both addresses of a person lead to the phone number', async () => {
  const socket = socketThatKnows({ '123@lid': '972501234567:0@s.whatsapp.net' })
  const phone = '972501234567@s.whatsapp.net'
  assert.equal(await phoneOf(socket, { remoteJid: phone }), '+972501234567')
  assert.equal(await phoneOf(socket, { remoteJid: '9@lid', remoteJidAlt: phone }), '+972501234567')
  assert.equal(await phoneOf(socket, { remoteJid: '123@lid' }), '+972501234567')
  assert.equal(await phoneOf(socket, { remoteJid: '9@lid' }), null)
})
