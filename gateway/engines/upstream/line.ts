// The socket to the provider: bounded both ways, queued until the session is configured, watched while it lives.

import { WebSocket } from 'ws'
import type { Clock, Timer } from '../../platform/clock.ts'
import type { Address } from './address.ts'
import { type Refusal, readRefusal } from './refusal.ts'

/** The provider's own limit for a frame. */
const maxPayloadBytes = 16 * 1024 * 1024
/** 16 s of audio in base64: what a person says while the provider's socket opens. */
const queueBytes = 1024 * 1024
/** Legs pause far below (256 KiB); who sends on regardless must not eat the process. */
const unsentBytes = 4 * 1024 * 1024
const handshakeTimeoutMs = 15_000
const politeCloseMs = 1_000
/** Two intervals without a frame or a pong mean that nobody is there. */
const pulseMs = 5_000

export interface Gone {
  readonly code: string
  readonly opened: boolean
  /** The peer's own words in its close frame: never for a log, they may quote the key. */
  readonly reason?: string
}

export interface LineEvents {
  /** The socket is there; what is sent still waits for `release`. */
  opened?(): void
  frame(frame: Buffer): void
  /** The upgrade was answered with an HTTP status. */
  refused(refusal: Refusal): void
  /** The line is dead; may be told more than once. */
  gone(gone: Gone): void
}

export class Line {
  readonly #clock: Clock
  readonly #events: LineEvents
  readonly #timers: Timer[] = []
  #socket: WebSocket | undefined
  /** Undefined once released: then everything is sent at once. */
  #queue: (Buffer | string)[] | undefined = []
  #queuedBytes = 0
  #paused = false
  #silentPulses = 0

  constructor(clock: Clock, events: LineEvents) {
    this.#clock = clock
    this.#events = events
  }

  get bufferedBytes(): number {
    return this.#queuedBytes + (this.#socket?.bufferedAmount ?? 0)
  }

  /** Throws when the address cannot be used at all. */
  open(address: Address): void {
    const socket = new WebSocket(address.url, {
      headers: { ...address.headers },
      perMessageDeflate: false,
      maxPayload: maxPayloadBytes,
      handshakeTimeout: handshakeTimeoutMs,
    })
    this.#socket = socket
    let opened = false
    socket.on('open', () => {
      opened = true
      if (this.#paused) socket.pause()
      this.#timers.push(this.#clock.every(pulseMs, () => this.#pulse(socket)))
      this.#events.opened?.()
    })
    socket.on('message', (data: Buffer) => {
      this.#silentPulses = 0
      this.#events.frame(data)
    })
    socket.on('pong', () => {
      this.#silentPulses = 0
    })
    socket.on('unexpected-response', (request, response) => {
      void readRefusal(response).then((refusal) => {
        request.destroy()
        this.#events.refused(refusal)
      })
    })
    socket.on('error', (error: Error & { code?: string }) => {
      this.#events.gone({ code: (error.code ?? 'socket_error').toLowerCase(), opened })
    })
    socket.on('close', (code, reason) => {
      this.#events.gone({ code: `ws_${code}`, opened, reason: reason.toString('utf8') })
    })
  }

  #pulse(socket: WebSocket): void {
    // A paused socket hears no pong.
    if (this.#paused || socket.readyState !== WebSocket.OPEN) return
    if (this.#silentPulses >= 2) this.#events.gone({ code: 'silent', opened: true })
    else {
      this.#silentPulses++
      socket.ping()
    }
  }

  /** Past the queue: what the provider must hear before anything else. */
  greet(frame: string): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(frame, { binary: false })
  }

  /** Hands over what was queued, for another line. */
  take(): readonly (Buffer | string)[] {
    const queue = this.#queue ?? []
    if (this.#queue !== undefined) this.#queue = []
    this.#queuedBytes = 0
    return queue
  }

  /** Sends these first, then what was queued, and queues no more. */
  release(first: readonly string[]): void {
    const queue = this.#queue ?? []
    this.#queue = undefined
    this.#queuedBytes = 0
    for (const frame of [...first, ...queue]) this.send(frame)
  }

  /** A Buffer goes out as it is, in a text frame. False: full, not taken. */
  send(frame: Buffer | string): boolean {
    if (this.#queue !== undefined) {
      if (this.#queuedBytes + frame.length > queueBytes) return false
      this.#queue.push(frame)
      this.#queuedBytes += frame.length
      return true
    }
    if (this.#socket === undefined || this.#socket.bufferedAmount > unsentBytes) return false
    this.#socket.send(frame, { binary: false })
    return true
  }

  pause(): void {
    this.#paused = true
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.pause()
  }

  resume(): void {
    this.#paused = false
    this.#socket?.resume()
  }

  /** Politely, for at most a second; `gone` follows. */
  close(): void {
    const gone = () => this.#events.gone({ code: 'asked', opened: true })
    if (this.#socket?.readyState !== WebSocket.OPEN) {
      queueMicrotask(gone)
      return
    }
    // A paused socket would never read the answer to its close frame.
    this.resume()
    this.#socket.close(1000)
    this.#timers.push(this.#clock.after(politeCloseMs, gone))
  }

  cut(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#queue = []
    this.#queuedBytes = 0
    this.#socket?.terminate()
  }
}
