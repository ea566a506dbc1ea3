import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'

/**
 * Run a program that loads quiet.js first.
 * @param {string} program
 */
function run(program) {
  const source = `import ${JSON.stringify(new URL('../src/quiet.js', import.meta.url))}\n${program}`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' })
  return { status, stdout, stderr }
}

test('nothing that a library prints comes out', () => {
  const program = `for (const name of Object.keys(console)) console[name]?.('privKey')`
  assert.deepEqual(run(program), { status: 0, stdout: '', stderr: '' })
})

test('an error that nobody caught ends the process and is told without what it holds', () => {
  const { status, stdout, stderr } = run(`throw Object.assign(new RangeError('too far'), { privKey: 'secret' })`)
  assert.equal(status, 1)
  assert.match(stdout, /nobody caught: the process ends error="RangeError: too far"/)
  assert.doesNotMatch(stdout + stderr, /secret|privKey/)
})

test('a rejection that nobody handled is told, and the process goes on', () => {
  const program = `Promise.reject(new Error('no')); setTimeout(() => process.exit(7), 20)`
  const { status, stdout } = run(program)
  assert.equal(status, 7)
  assert.match(stdout, /nobody handled error="Error: no"/)
})
