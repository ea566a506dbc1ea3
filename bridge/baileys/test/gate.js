/** A way to a server that can be shut: who goes through it finds the server gone. */

import { once } from 'node:events'
import { connect, createServer } from 'node:net'

/** @param {string} url a server's address */
export async function gateTo(url) {
  const target = new URL(url)
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set()
  let open = true
  const server = createServer((near) => {
    if (!open) {
      near.destroy()
      return
    }
    const far = connect(Number(target.port), target.hostname)
    for (const [one, other] of [
      [near, far],
      [far, near]
    ]) {
      sockets.add(one)
      one.pipe(other)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  const through = new URL(url)
  through.host = `127.0.0.1:${port}`

  const shut = () => {
    open = false
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: through.href,
    shut,
    reopen: () => {
      open = true
    },
    close: async () => {
      shut()
      server.close()
      await once(server, 'close')
    }
  }
}
