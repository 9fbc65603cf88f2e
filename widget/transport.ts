// What a connection runs over. The socket is the one that always works.

import { encodeAudio, subprotocol } from '../gateway/protocol/realtime.ts'

export interface Close {
  /** 1006 when the network, and not the gateway, ended it. */
  readonly code: number
  readonly reason: string
}

export interface TransportEvents {
  message(data: unknown): void
  closed(close: Close): void
}

export interface Transport {
  readonly kind: 'websocket' | 'webrtc'
  readonly state: 'opening' | 'open' | 'closed'
  send(text: string): void
  /** PCM16 at 24 kHz; nothing where the microphone has a track of its own. */
  audio(pcm: Uint8Array): void
  /** Tells no `closed`. */
  close(): void
}

export interface Where {
  readonly agent: string
  readonly token: string
  /** The way back into a session. */
  readonly resume: string | undefined
}

export type OpenTransport = (where: Where, events: TransportEvents) => Transport

/** Two seconds of microphone that the network does not take: later audio would be older than the talk. */
const maxBacklogBytes = 96_000

export function openSocket({ agent, token, resume }: Where, events: TransportEvents): Transport {
  const url = new URL('/v1/realtime', location.href)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  url.searchParams.set('agent', agent)
  const offers = [subprotocol.parley, subprotocol.tokenPrefix + token]
  const socket = new WebSocket(url.href, resume === undefined ? offers : [...offers, resume])
  socket.binaryType = 'arraybuffer'
  socket.onmessage = ({ data }) => events.message(data)
  socket.onclose = ({ code, reason }) => events.closed({ code, reason })
  const isOpen = (): boolean => socket.readyState === WebSocket.OPEN
  return {
    kind: 'websocket',
    get state() {
      if (isOpen()) return 'open'
      return socket.readyState === WebSocket.CONNECTING ? 'opening' : 'closed'
    },
    send: (text) => socket.send(text),
    audio(pcm) {
      if (isOpen() && socket.bufferedAmount < maxBacklogBytes) socket.send(encodeAudio('', pcm))
    },
    close() {
      socket.onmessage = null
      socket.onclose = null
      socket.close()
    },
  }
}
