import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'

import { Vault, VaultError } from '../src/vault.js'

const PLACE = 'one/pre-key/17'
const plain = randomBytes(100)
const key = randomBytes(32)
const vault = new Vault(key)

/**
 * @param {Buffer} sealed
 * @param {string} [place]
 */
function refuses(sealed, place = PLACE, by = vault) {
  assert.throws(() => by.open(sealed, place), (error) => {
    assert.ok(error instanceof VaultError)
    assert.deepEqual([error.message, error.cause], [`cannot open ${place}`, undefined])
    return true
  })
}

test('what was sealed opens in its place, also in another process with the same key', () => {
  const sealed = vault.seal(plain, PLACE)
  assert.deepEqual(new Vault(Buffer.from(key)).open(sealed, PLACE), plain)
  assert.deepEqual(vault.open(vault.seal(Buffer.alloc(0), PLACE), PLACE), Buffer.alloc(0))
  assert.equal(sealed.includes(plain), false)
})

test('the same is never sealed twice in the same way', () => {
  assert.notDeepEqual(vault.seal(plain, PLACE), vault.seal(plain, PLACE))
})

test('it opens in no other place: not of another session, type or id', () => {
  const sealed = vault.seal(plain, PLACE)
  for (const place of ['two/pre-key/17', 'one/session/17', 'one/pre-key/18', 'one/creds', '']) refuses(sealed, place)
})

test('it does not open with another key', () => {
  refuses(vault.seal(plain, PLACE), PLACE, new Vault(randomBytes(32)))
})

test('it does not open when any byte of it is another', () => {
  const sealed = vault.seal(plain, PLACE)
  for (let at = 0; at < sealed.length; at++) {
    const flipped = Buffer.from(sealed)
    flipped[at] ^= 1
    refuses(flipped)
  }
})

test('it does not open when it was cut or lengthened', () => {
  const sealed = vault.seal(plain, PLACE)
  for (let length = 0; length < sealed.length; length++) refuses(sealed.subarray(0, length))
  refuses(Buffer.concat([sealed, Buffer.of(0)]))
})

test('a key of another length is refused', () => {
  assert.throws(() => new Vault(randomBytes(31)), RangeError)
})
