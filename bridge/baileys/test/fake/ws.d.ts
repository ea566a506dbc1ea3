// The part of the ws package that the fake server uses: it brings no types of its own.
declare module 'ws' {
  import type { EventEmitter } from 'node:events'
  import type { Server } from 'node:http'
  import type { Socket } from 'node:net'

  export class WebSocket extends EventEmitter {
    readonly OPEN: 1
    readonly readyState: number
    readonly _socket: Socket
    on(event: 'message', listener: (data: Buffer) => void): this
    on(event: 'close' | 'error', listener: () => void): this
    send(data: Uint8Array): void
    close(): void
  }

  export class WebSocketServer extends EventEmitter {
    constructor(options: { server: Server, path: string, perMessageDeflate: boolean })
    on(event: 'connection', listener: (socket: WebSocket) => void): this
  }
}
