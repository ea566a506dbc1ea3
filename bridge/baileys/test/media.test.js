import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash, randomBytes, X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { readMedia, startMedia } from './fake/media.js'

const BYTES = randomBytes(100_000)
const here = fileURLToPath(import.meta.url)

const KINDS = { image: 'image/jpeg', video: 'video/mp4', audio: 'audio/ogg', document: 'application/pdf' }

// Another process, as the sidecar is one: it sends media with Baileys, and prints the messages and what it read back.
const CLIENT = `
import { downloadContentFromMessage, generateWAMessageContent, getWAUploadToServer } from 'baileys'
import { readFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
const [host, auth, kinds, file] = process.argv.slice(1)
const logger = { debug() {}, info() {}, warn() {}, error() {}, trace() {} }
const upload = getWAUploadToServer({ customUploadHosts: [], logger }, async () => ({ hosts: [{ hostname: host }], auth }))
const sent = {}
for (const [kind, mimetype] of Object.entries(JSON.parse(kinds))) {
  const content = { [kind]: await readFile(file), mimetype, caption: 'look', jpegThumbnail: null, seconds: 1 }
  const message = await generateWAMessageContent(content, { upload, logger })
  const hash = createHash('sha256')
  for await (const chunk of await downloadContentFromMessage(message[kind + 'Message'], kind)) hash.update(chunk)
  sent[kind] = { message, read: hash.digest('hex') }
}
console.log(JSON.stringify(sent))
`

/** @type {import('./fake/media.js').Media} */
let media
/** @type {string} */
let folder
before(async () => {
  media = await startMedia({ limit: 450_000 })
  folder = await mkdtemp(join(tmpdir(), 'media-test-'))
  await writeFile(join(folder, 'content'), BYTES)
})
after(async () => {
  await media.close()
  await rm(folder, { recursive: true })
})

/**
 * @param {Partial<typeof KINDS>} kinds
 * @returns {Promise<Record<string, { message: any, read: string }>>}
 */
async function sentByBaileys(kinds, { auth = media.auth, trusted = media.caFile } = {}) {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', CLIENT, '--', media.host, auth, JSON.stringify(kinds), join(folder, 'content')],
    { cwd: join(here, '..'), env: { ...process.env, NODE_EXTRA_CA_CERTS: trusted } }
  )
  const sent = JSON.parse(stdout)
  for (const [kind, { message }] of Object.entries(sent))
    for (const field of ['mediaKey', 'fileSha256', 'fileEncSha256'])
      message[`${kind}Message`][field] = Buffer.from(message[`${kind}Message`][field], 'base64')
  return sent
}

test('Baileys uploads and downloads, and a person reads, each kind of media', async () => {
  const sent = await sentByBaileys(KINDS)
  assert.deepEqual(Object.keys(sent), Object.keys(KINDS))
  for (const [kind, { message, read }] of Object.entries(sent)) {
    assert.equal(read, createHash('sha256').update(BYTES).digest('hex'))
    assert.deepEqual(await readMedia(message), BYTES)
    const stored = media.get(message[`${kind}Message`].directPath) ?? assert.fail('nothing is stored')
    assert.equal(stored.indexOf(BYTES.subarray(0, 16)), -1)
  }
})

test('without the certificate, or with another token, nothing is uploaded', async () => {
  const { image } = KINDS
  await Promise.all([
    assert.rejects(sentByBaileys({ image }, { trusted: '' }), /upload failed on all hosts/),
    assert.rejects(sentByBaileys({ image }, { auth: 'another' }), /upload failed on all hosts/)
  ])
})

test('the certificate is signed by itself, and is good for today', async () => {
  const certificate = new X509Certificate(await readFile(media.caFile))
  assert.ok(certificate.verify(certificate.publicKey))
  assert.ok(certificate.ca)
  assert.ok(Date.parse(certificate.validFrom) < Date.now() && Date.now() < Date.parse(certificate.validTo))
})

test('a phone shows no media that is not what was announced', async () => {
  const message = await media.offer('image', BYTES, 'image/jpeg', 'look')
  assert.deepEqual(await readMedia(message), BYTES)
  for (const field of ['fileSha256', 'fileEncSha256', 'mediaKey']) {
    const image = { ...message.imageMessage, [field]: randomBytes(32) }
    await assert.rejects(readMedia({ imageMessage: image }), /other bytes|other content|another key/)
  }
  await assert.rejects(readMedia({ conversation: 'only words' }), /without media/)
})

test('the oldest media are forgotten when there are too many', async () => {
  const offers = []
  for (let count = 0; count < 5; count++) offers.push(await media.offer('document', randomBytes(100_000), 'application/pdf'))
  await assert.rejects(readMedia(offers[0]), /404/)
  for (const offer of offers.slice(1)) assert.equal((await readMedia(offer)).length, 100_000)
})

test('a closed store leaves nothing behind', async () => {
  const another = await startMedia()
  assert.ok(existsSync(another.caFile))
  await another.close()
  assert.ok(!existsSync(another.caFile))
})
