/** The login of a device that was linked before. */

import { end } from './closes.js'
import { element, now } from './stanzas.js'

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
  const { lid } = device
  connection.send(element('success', { t: now(), props: '27', location: 'fake', ...(lid && { lid }) }))
  const route = element('routing_info', {}, Buffer.from([8, 2, 8, 5]))
  connection.send(element('ib', {}, [element('edge_routing', {}, [route])]))
}
