// One socket to /v1/realtime, from opening to its end. A broken one is replaced, never reopened.

import { encodeAudio, limits, type ParleyClientEvent, subprotocol } from '../gateway/protocol/realtime.ts'
import { type Frame, readFrame } from './wire.ts'

export interface ConnectionOptions {
  /** `wss://…/v1/realtime` */
  readonly url: string
  readonly token: string
  /** The way back into a session, as a subprotocol. */
  readonly resume?: string | undefined
  readonly onFrame: (frame: Frame) => void
  /** Once. `code` is 1006 when the network, and not the gateway, ended it. */
  readonly onClose: (close: { readonly code: number; readonly reason: string }) => void
}

const openMs = 10_000
/** Two seconds of microphone that the network does not take: later audio would be older than the talk. */
const maxBacklogBytes = 96_000
/** The gateway beats every 5 s; a socket that misses two beats is dead, whatever the browser believes. */
const deadMs = limits.heartbeatMs * 2.4
/** When something happened to network or page, one beat missed is enough. */
const doubtMs = limits.heartbeatMs * 1.2
/** How often a socket is looked at. */
const checkMs = 1_000

export class Connection {
  readonly #options: ConnectionOptions
  readonly #socket: WebSocket
  readonly #watch: ReturnType<typeof setInterval>
  #heardAtMs = performance.now()
  #closed = false

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#socket = new WebSocket(options.url, offers(options))
    this.#socket.binaryType = 'arraybuffer'
    this.#socket.onmessage = ({ data }) => this.#received(data)
    this.#socket.onclose = ({ code, reason }) => this.#close({ code, reason })
    this.#watch = setInterval(() => this.check(), checkMs)
  }

  #received(data: unknown): void {
    this.#heardAtMs = performance.now()
    const frame = readFrame(data)
    if (frame === undefined) return
    // Answered here and not from a timer: timers of hidden pages sleep.
    if (frame.event?.type === 'parley.heartbeat') this.send({ type: 'parley.heartbeat', n: frame.event.n })
    this.#options.onFrame(frame)
  }

  /** Gives a socket up that is silent for too long; `doubted`: network or page were away. */
  check(doubted = false): void {
    const quietMs = performance.now() - this.#heardAtMs
    const opening = this.#socket.readyState === WebSocket.CONNECTING
    if (quietMs > (opening ? openMs : doubted ? doubtMs : deadMs)) this.drop()
  }

  /** As if the network had ended it. */
  drop(): void {
    this.#close({ code: 1006, reason: '' })
  }

  send(event: ParleyClientEvent): void {
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

function offers({ token, resume }: ConnectionOptions): string[] {
  const both = [subprotocol.parley, subprotocol.tokenPrefix + token]
  return resume === undefined ? both : [...both, resume]
}
