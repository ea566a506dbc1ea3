import assert from 'node:assert/strict'
import { test } from 'node:test'

import { SerialQueue } from '../src/queue.js'

/** A promise that is settled by hand. */
function byHand() {
  /** @type {{ resolve: (value: unknown) => void, promise: Promise<unknown> }} */
  const made = /** @type {any} */ ({})
  made.promise = new Promise((resolve) => {
    made.resolve = resolve
  })
  return made
}

test('one at a time, in the order in which they came', async () => {
  const queue = new SerialQueue()
  const gates = [byHand(), byHand()]
  /** @type {string[]} */
  const seen = []
  const runs = gates.map((gate, number) =>
    queue.run(async () => {
      seen.push(`begin ${number}`)
      await gate.promise
      seen.push(`end ${number}`)
      return number
    })
  )
  gates[1].resolve(null)
  await gates[1].promise
  assert.equal(queue.length, 2)
  gates[0].resolve(null)
  assert.deepEqual(await Promise.all(runs), [0, 1])
  assert.deepEqual(seen, ['begin 0', 'end 0', 'begin 1', 'end 1'])
  assert.equal(queue.length, 0)
})

test('an error is told to the one whose work it was, and stops nobody else', async () => {
  const queue = new SerialQueue()
  const failing = queue.run(async () => {
    throw new Error('mine')
  })
  const next = queue.run(async () => 'went on')
  await assert.rejects(failing, { message: 'mine' })
  assert.equal(await next, 'went on')
})
