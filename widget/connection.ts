// One socket to /v1/realtime, from opening to its end. A broken one is replaced, never reopened.

import { encodeAudio, limits, type ParleyClientEvent, subprotocol } from '../gateway/protocol/realtime.ts'
import { parseFrame, type WireEvent } from './wire.ts'

export type ClientEvent =
  | ParleyClientEvent
  | {
      readonly type: 'conversation.item.create'
      readonly item: {
        readonly id: string
        readonly type: 'message'
        readonly role: 'user'
        readonly content: readonly [{ readonly type: 'input_text'; readonly text: string }]
      }
    }
  | { readonly type: 'response.create' }

export interface ConnectionOptions {
  /** `wss://…/v1/realtime` */
  readonly url: string
  readonly token: string
  readonly onEvent: (event: WireEvent) => void
  /** Once. `code` is 1006 when the network, and not the gateway, ended it. */
  readonly onClose: (close: { readonly code: number; readonly reason: string }) => void
}

const openMs = 10_000
/** Two seconds of microphone that the network does not take: later audio would be older than the talk. */
const maxBacklogBytes = 96_000
/** The gateway beats every 5 s; a socket that is silent for four of them is dead, whatever the browser believes. */
const deadMs = limits.heartbeatMs * 4

export class Connection {
  readonly #options: ConnectionOptions
  readonly #socket: WebSocket
  readonly #watch: ReturnType<typeof setInterval>
  #heardAtMs = performance.now()
  #closed = false

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#socket = new WebSocket(options.url, [subprotocol.parley, subprotocol.tokenPrefix + options.token])
    this.#socket.binaryType = 'arraybuffer'
    this.#socket.onmessage = ({ data }) => this.#received(data)
    this.#socket.onclose = ({ code, reason }) => this.#close({ code, reason })
    this.#watch = setInterval(() => this.#check(), limits.heartbeatMs)
  }

  #received(data: unknown): void {
    this.#heardAtMs = performance.now()
    const event = parseFrame(data)
    if (event === undefined) return
    // Answered here and not from a timer: timers of hidden pages sleep.
    if (event.type === 'parley.heartbeat') this.send({ type: 'parley.heartbeat', n: event.n })
    this.#options.onEvent(event)
  }

  #check(): void {
    const quietMs = performance.now() - this.#heardAtMs
    const opening = this.#socket.readyState === WebSocket.CONNECTING
    if (quietMs > (opening ? openMs : deadMs)) this.#close({ code: 1006, reason: '' })
  }

  send(event: ClientEvent): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(event))
  }

  /** PCM16 at 24 kHz. */
  audio(pcm: Uint8Array): void {
    if (this.#socket.readyState === WebSocket.OPEN && this.#socket.bufferedAmount < maxBacklogBytes)
      this.#socket.send(encodeAudio('', pcm))
  }

  /** Ends the session in order; the gateway then sends the last turns and closes. */
  bye(): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.send({ type: 'parley.bye' })
    else this.#close({ code: 1000, reason: '' })
  }

  #close(close: { readonly code: number; readonly reason: string }): void {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#watch)
    this.#socket.onmessage = null
    this.#socket.onclose = null
    this.#socket.close()
    this.#options.onClose(close)
  }
}
