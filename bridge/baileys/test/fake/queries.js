/** What WhatsApp answers when a client asks: a table from the kind of a query to its answer. */

import { getAllBinaryNodeChildren, getBinaryNodeChild, jidDecode, S_WHATSAPP_NET } from 'baileys'
import { writeHistory } from './inbound.js'
import { element } from './stanzas.js'

/**
 * @typedef {import('./connection.js').Connection} Connection
 * @typedef {import('./connection.js').Node} Node
 * @typedef {import('./device.js').Device} Device
 * @typedef {import('./server.js').FakeWhatsApp} FakeWhatsApp
 * @typedef {import('./world.js').Contact} Contact
 *
 * @typedef {object} Query
 * @property {FakeWhatsApp} server
 * @property {Connection} connection
 * @property {Device} device that asks
 * @property {Node} node
 */

/** @type {Record<string, (query: Query) => Node[] | void>} by namespace, type and first child */
const ANSWERS = {
  'encrypt get count': ({ device }) => [element('count', { value: String(device.preKeys.content.length) })],
  'encrypt get digest': () => [element('digest')],
  'encrypt get key': getKeys,
  'encrypt set registration': setKeys,
  'encrypt set rotate': rotateKey,
  'passive set active': () => {},
  'passive set passive': () => {},
  'w:p get ping': () => {},
  'usync get usync': lookUp,
  'abt get props': () => [element('props', { protocol: '1' }, [])],
  'blocklist get': () => [element('list', {}, [])],
  'privacy get privacy': () => [element('privacy', {}, [element('category', { name: 'readreceipts', value: 'all' })])],
  'privacy set tokens': () => {},
  'w:g2 get participating': () => [element('groups', {}, [])],
  'w:m set media_conn': ({ server: { media } }) => [
    element('media_conn', { auth: media.auth, ttl: '3600' }, [element('host', { hostname: media.host })])
  ],
  'w:mex get query': standing,
  'w:sync:app:state set sync': appState,
  'w:stats add': () => {},
  'urn:xmpp:whatsapp:dirty set clean': () => {},
  'md set remove-companion-device': ({ server, device }) => server.world.unlink(device),
  'md set link_code_companion_reg': ({ server, connection, node }) => server.registration.companion(connection, node)
}

/**
 * @param {FakeWhatsApp} server
 * @param {Connection} connection
 * @param {Node} node
 */
export async function answer(server, connection, node) {
  const { id, type, xmlns } = node.attrs
  const [child] = getAllBinaryNodeChildren(node)
  const name = [xmlns, type, child?.tag].filter(Boolean).join(' ')
  const known = ANSWERS[name]
  if (!known) server.world.unanswered(name)
  const device = /** @type {Device} */ (connection.device)
  const content = known?.({ server, connection, device, node }) ?? []
  connection.send(element('iq', { from: S_WHATSAPP_NET, type: 'result', id }, content))
  if (name === 'passive set active') await wake(device)
}

/**
 * The client is ready: it hears what it missed and, after its first login, gets its phone's history once.
 * @param {Device} device
 */
async function wake(device) {
  device.wake()
  if (device.hasHistory) return
  device.hasHistory = true
  await writeHistory(device)
}

/** @param {Query} query */
function setKeys({ server, device, node }) {
  const named = (/** @type {string} */ tag) => /** @type {Node} */ (getBinaryNodeChild(node, tag))
  if (!Buffer.from(device.identityKey).equals(/** @type {Buffer} */ (named('identity').content)))
    server.world.stats.other_identities += 1
  device.keys = ['registration', 'type', 'identity', 'skey'].map(named)
  device.preKeys.content.push(...getAllBinaryNodeChildren(named('list')))
}

/** @param {Query} query */
function rotateKey({ device, node }) {
  const signed = getAllBinaryNodeChildren(/** @type {Node} */ (getBinaryNodeChild(node, 'rotate')))
  device.keys = [...device.keys.filter(({ tag }) => tag !== 'skey'), ...signed]
}

/** @param {Query} query */
function getKeys({ server, node }) {
  const users = getAllBinaryNodeChildren(/** @type {Node} */ (getBinaryNodeChild(node, 'key')))
  const content = users.map(({ attrs: { jid } }) => {
    const contact = server.world.at(jid)
    const device = jidDecode(jid)?.device ?? 0
    const known = contact?.exists && contact.devices.includes(device)
    return element('user', { jid }, known ? contact.person.bundle(device) : [element('error', { code: '404' })])
  })
  return [element('list', {}, content)]
}

/** @param {Query} query */
function lookUp({ server: { world }, device, node }) {
  const usync = /** @type {Node} */ (getBinaryNodeChild(node, 'usync'))
  const asked = getAllBinaryNodeChildren(/** @type {Node} */ (getBinaryNodeChild(usync, 'query'))).map(({ tag }) => tag)
  const users = getAllBinaryNodeChildren(/** @type {Node} */ (getBinaryNodeChild(usync, 'list')))
  if (asked.includes('contact')) world.stats.checks += users.length
  const content = users.map((user) => {
    const number = getBinaryNodeChild(user, 'contact')?.content?.toString().replace('+', '')
    const jid = user.attrs.jid ?? `${number}@s.whatsapp.net`
    const contact = world.at(jid)
    const facts = asked.map((tag) => FACTS[tag]?.(contact?.exists ? contact : null, jid, device) ?? null)
    return element('user', { jid }, facts.filter((fact) => fact !== null))
  })
  return [element('usync', usync.attrs, [element('list', {}, content)])]
}

/**
 * What is known of a person.
 * @type {Record<string, (contact: Contact | null, jid: string, asker: Device) => Node | null>}
 */
const FACTS = {
  contact: (contact) => element('contact', { type: contact ? 'in' : 'out' }),
  lid: (contact, jid) => (contact?.lid && !jid.endsWith('@lid') ? element('lid', { val: contact.lid }) : null),
  devices: (contact, _, asker) => {
    const linked = contact === asker.contact ? [asker.number] : []
    const content = [...(contact?.devices ?? []), ...linked].map((id) =>
      element('device', { id: String(id), ...(id && { 'key-index': String(id) }) })
    )
    return element('devices', {}, [element('device-list', {}, content)])
  }
}

function standing() {
  const data = {
    xwa2_fetch_account_reachout_timelock: { is_active: false },
    xwa2_message_capping_info: {}
  }
  return [element('result', {}, Buffer.from(JSON.stringify({ data })))]
}

/** @param {Query} query */
function appState({ node }) {
  const collections = getAllBinaryNodeChildren(/** @type {Node} */ (getBinaryNodeChild(node, 'sync')))
  const content = collections.map(({ attrs: { name, version } }) => element('collection', { name, version }))
  return [element('sync', {}, content)]
}
