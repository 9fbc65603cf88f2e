// The callers' side: WebSocket connections of clients and of the console. Owns sockets; never decides what is said.

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { problems } from '../protocol/codes.ts'
import { limits, subprotocol } from '../protocol/realtime.ts'
import { acceptConsole, type ConsoleDeps } from './console/console-socket.ts'
import { type AcceptDeps, acceptRealtime } from './realtime/accept.ts'

export interface Legs {
  /** True when the path is ours; the socket is then taken care of. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, ip: string): boolean
  close(): void
}

/** Sockets of one address at a time: a browser tab needs one, an office behind one address a few dozen. */
const socketsPerIp = 200

export function createLegs(deps: AcceptDeps & ConsoleDeps): Legs {
  // Deflate costs four times the relay; the fragment limits stop a peer that pins memory with one-byte fragments.
  const options = {
    noServer: true,
    perMessageDeflate: false,
    maxFragments: 64,
    maxBufferedChunks: 256,
    clientTracking: true,
  }
  const realtime = new WebSocketServer({
    ...options,
    maxPayload: limits.textFrameBytes,
    handleProtocols: (offered) => [subprotocol.parley, subprotocol.openai].find((each) => offered.has(each)) ?? false,
  })
  const live = new WebSocketServer({ ...options, maxPayload: 16 * 1024 })
  const perIp = new Map<string, number>()
  const count = (ip: string, by: 1 | -1): void => {
    const now = (perIp.get(ip) ?? 0) + by
    if (now <= 0) perIp.delete(ip)
    else perIp.set(ip, now)
  }
  return {
    upgrade(request, socket, head, ip) {
      const path = new URL(request.url ?? '/', 'http://gateway').pathname
      const server = path === '/v1/realtime' ? realtime : path === '/v1/console/live' ? live : undefined
      if (server === undefined) return false
      if ((perIp.get(ip) ?? 0) >= socketsPerIp) {
        socket.end(
          `HTTP/1.1 ${problems.too_many.http} Too Many Requests\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
        )
        return true
      }
      server.handleUpgrade(request, socket, head, (client) => {
        count(ip, 1)
        client.on('close', () => count(ip, -1))
        const connection = { request, socket: client, ip }
        void (server === realtime ? acceptRealtime(deps, connection) : acceptConsole(deps, connection))
      })
      return true
    },
    close() {
      for (const server of [realtime, live]) for (const client of server.clients) client.terminate()
    },
  }
}
