// The callers' side: WebSockets and WebRTC calls of clients, rooms of LiveKit, and the console's socket. Owns connections; never decides what is said.

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Door, Route } from '../platform/http.ts'
import { Problem } from '../platform/problem.ts'
import { problems } from '../protocol/codes.ts'
import { limits, subprotocol } from '../protocol/realtime.ts'
import { Addresses } from './addresses.ts'
import { acceptConsole, type ConsoleDeps } from './console/console-socket.ts'
import { DirectCalls, pastUs } from './direct/direct-calls.ts'
import { acceptLive, type LiveDeps, livePathOf } from './live/accept.ts'
import { LiveCalls } from './live/live-calls.ts'
import { liveRoutes } from './live/routes.ts'
import { createLiveKit, type LiveKitSettings } from './livekit/livekit.ts'
import { type AcceptDeps, acceptRealtime } from './realtime/accept.ts'
import { closeSocket } from './realtime/web-socket-channel.ts'
import { Calls, type CallsDeps } from './webrtc/calls.ts'
import { nativeLoader } from './webrtc/native.ts'
import { webrtcRoutes } from './webrtc/routes.ts'

export type { LiveKitSettings } from './livekit/livekit.ts'
export type { WebRtcConfig } from './webrtc/calls.ts'

/** A fixture of 30 s is the longest a Live client sends at once: 1.44 MB, as base64. */
const liveFrameBytes = 2 * 1024 * 1024

/** What `upgrade` opens. */
export const doors: readonly Door[] = [
  {
    path: '/v1/realtime',
    summary: 'A session over a WebSocket, as OpenAI’s Realtime API; `?agent=` names the agent where the token does not',
    access: 'visitor',
    subprotocols: [subprotocol.parley, subprotocol.openai],
  },
  {
    path: '/v1/live/sessions',
    summary: 'A session over a WebSocket, as OpenAI’s Live API',
    access: 'visitor',
    subprotocols: [subprotocol.openai],
  },
  {
    path: '/v1/live/sessions/:id/attach',
    summary: 'A second connection to a Live session: control without sound',
    access: 'visitor',
    subprotocols: [subprotocol.openai],
  },
  {
    path: '/v1/console/live',
    summary: 'The tenant’s sessions as they run, for the console; `?tenant=` chooses the tenant',
    access: 'operator',
    subprotocols: [],
  },
]

export interface Legs {
  /** True when the path is ours; the socket is then taken care of. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, ip: string): boolean
  /** Of calls over WebRTC, of Live sessions and of rooms. */
  readonly routes: readonly Route[]
  /** Peers and rooms of this process. */
  readonly callCount: number
  close(): Promise<void>
}

type LegsDeps = AcceptDeps &
  ConsoleDeps &
  Omit<LiveDeps, 'liveCalls'> &
  Pick<CallsDeps, 'webrtc'> & {
    /** Undefined: no LiveKit server. */
    readonly livekit: LiveKitSettings | undefined
  }

export function createLegs(deps: LegsDeps): Legs {
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
  const live = new WebSocketServer({
    ...options,
    maxPayload: liveFrameBytes,
    handleProtocols: (offered) => offered.has(subprotocol.openai) && subprotocol.openai,
  })
  const consoles = new WebSocketServer({ ...options, maxPayload: 16 * 1024 })
  const addresses = new Addresses(deps.clock)
  const direct = new DirectCalls(deps)
  const calls = new Calls({ ...deps, loadNative: nativeLoader(deps.log), direct: direct.here })
  const livekit = createLiveKit(deps.livekit, deps)
  const liveCalls = new LiveCalls()
  return {
    upgrade(request, socket, head, ip) {
      const path = new URL(request.url ?? '/', 'http://gateway').pathname
      const livePath = livePathOf(path)
      const server =
        livePath !== undefined
          ? live
          : path === '/v1/realtime'
            ? realtime
            : path === '/v1/console/live'
              ? consoles
              : undefined
      if (server === undefined) return false
      const entry = addresses.ask(ip)
      if (entry.is === 'flood') {
        socket.end(tooFast(entry.retryAfterMs))
        return true
      }
      server.handleUpgrade(request, socket, head, (client) => {
        addresses.opened(ip)
        client.on('close', () => addresses.closed(ip))
        const connection = { request, socket: client, ip }
        if (entry.is === 'crowded') turnAway(client, entry.retryAfterMs)
        else if (livePath !== undefined) void acceptLive({ ...deps, liveCalls }, connection, livePath)
        else void (server === realtime ? acceptRealtime(deps, connection) : acceptConsole(deps, connection))
      })
      return true
    },
    routes: [...webrtcRoutes(pastUs(direct, calls)), ...liveRoutes({ ...deps, liveCalls }), ...livekit.routes],
    get callCount() {
      return calls.size + livekit.size
    },
    async close() {
      await Promise.all([calls.close(), livekit.close()])
      for (const server of [realtime, live, consoles]) for (const client of server.clients) client.terminate()
    },
  }
}

function tooFast(retryAfterMs: number): string {
  const wait = `Retry-After: ${Math.ceil(retryAfterMs / 1000)}`
  const { http } = problems.rate_visitor
  return `HTTP/1.1 ${http} Too Many Requests\r\n${wait}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`
}

/** A browser cannot read a failed upgrade: the close says it. */
function turnAway(client: WebSocket, retryAfterMs: number): void {
  client.on('error', () => client.terminate())
  closeSocket(client, new Problem('rate_visitor', undefined, { retryAfterMs }))
}
