// One connection to /v1/realtime, from opening to its end. A broken one is replaced, never reopened.

import { limits, type ParleyClientEvent } from '../gateway/protocol/realtime.ts'
import type { Close, OpenTransport, Transport, Where } from './transport.ts'
import { type Frame, readFrame } from './wire.ts'

export interface ConnectionOptions {
  readonly open: OpenTransport
  readonly where: Where
  readonly onFrame: (frame: Frame) => void
  /** Once. */
  readonly onClose: (close: Close) => void
}

const openMs = 10_000
/** The gateway beats every 5 s; a connection that misses two beats is dead, whatever the browser believes. */
const deadMs = limits.heartbeatMs * 2.4
/** When something happened to network or page, one beat missed is enough. */
const doubtMs = limits.heartbeatMs * 1.2
/** How often a connection is looked at. */
const checkMs = 1_000

export class Connection {
  readonly #options: ConnectionOptions
  readonly #transport: Transport
  readonly #watch: ReturnType<typeof setInterval>
  #heardAtMs = performance.now()
  #closed = false

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#transport = options.open(options.where, {
      message: (data) => this.#received(data),
      closed: (close) => this.#close(close),
    })
    this.#watch = setInterval(() => this.check(), checkMs)
  }

  get kind(): Transport['kind'] {
    return this.#transport.kind
  }

  #received(data: unknown): void {
    this.#heardAtMs = performance.now()
    const frame = readFrame(data)
    if (frame === undefined) return
    // Answered here and not from a timer: timers of hidden pages sleep.
    if (frame.event?.type === 'parley.heartbeat') this.send({ type: 'parley.heartbeat', n: frame.event.n })
    this.#options.onFrame(frame)
  }

  /** Gives a connection up that is silent for too long; `doubted`: network or page were away. */
  check(doubted = false): void {
    const quietMs = performance.now() - this.#heardAtMs
    if (quietMs > (this.#transport.state === 'opening' ? openMs : doubted ? doubtMs : deadMs)) this.drop()
  }

  /** As if the network had ended it. */
  drop(): void {
    this.#close({ code: 1006, reason: '' })
  }

  send(event: ParleyClientEvent): void {
    if (this.#transport.state === 'open') this.#transport.send(JSON.stringify(event))
  }

  /** PCM16 at 24 kHz. */
  audio(pcm: Uint8Array): void {
    this.#transport.audio(pcm)
  }

  /** Ends the session in order; the gateway then sends the last turns and closes. */
  bye(): void {
    if (this.#transport.state === 'open') this.send({ type: 'parley.bye' })
    else this.#close({ code: 1000, reason: '' })
  }

  #close(close: Close): void {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#watch)
    this.#transport.close()
    this.#options.onClose(close)
  }
}
