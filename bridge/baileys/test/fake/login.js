/** The login of a device that was linked before. */

import { end } from './closes.js'

/**
 * @typedef {import('./connection.js').Connection} Connection
 * @typedef {import('./world.js').World} World
 */

/**
 * @param {World} world
 * @param {Connection} connection
 * @param {import('baileys').proto.ClientPayload} payload
 */
export function logIn(world, connection, payload) {
  const phone = String(payload.username)
  const refusal = world.refusals.get(phone)?.shift()
  if (refusal) return end(connection, refusal.code, refusal.as ?? 'failure')
  const device = world.devices.get(`${phone}:${payload.device ?? 0}@s.whatsapp.net`)
  if (!device) return end(connection, 401, 'failure')
  if (!device.noiseKey.equals(connection.noiseKey)) {
    world.stats.other_identities += 1
    return end(connection, 401, 'failure')
  }
  if (device.contact.banned) return end(connection, 403, 'failure')
  if (device.connection) end(device.connection, 440)
  device.sleep()
  device.connection = connection
  device.logins += 1
  world.stats.logins += 1
  connection.device = device
  const t = String(Math.floor(Date.now() / 1000))
  connection.send({ tag: 'success', attrs: { t, props: '27', location: 'fake', ...(device.lid && { lid: device.lid }) } })
  connection.send({
    tag: 'ib',
    attrs: {},
    content: [
      { tag: 'edge_routing', attrs: {}, content: [{ tag: 'routing_info', attrs: {}, content: Buffer.from([8, 2, 8, 5]) }] }
    ]
  })
}
