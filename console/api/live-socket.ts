// The console's only WebSocket: one per tenant, reconnecting, answering pings from its message handler.

import { type ProblemCode, problems } from '../../gateway/protocol/codes.ts'
import type { ConsoleClientEvent, ConsoleServerEvent } from '../../gateway/protocol/rest.ts'
import type { LiveAction } from './live-state.ts'

/** The part of a browser's WebSocket that is used. */
export interface Socket {
  onopen: (() => void) | null
  onmessage: ((message: { readonly data: unknown }) => void) | null
  onclose: ((close: { readonly code: number }) => void) | null
  send(text: string): void
  close(): void
}

interface Ports {
  readonly open: () => Socket
  readonly dispatch: (action: LiveAction) => void
  /** In [0, 1). */
  readonly random: () => number
}

/** The gateway pings well within its own 30 s of patience; after this long in silence the line is dead. */
const silentMs = 45_000
const firstDelayMs = 500
const longestDelayMs = 15_000

/** Half fixed, half jitter, doubling: a restarted gateway must not meet all consoles at once. */
export function reconnectDelayMs(attempt: number, random: number): number {
  const ceilingMs = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(attempt, 10))
  return Math.round(ceilingMs / 2 + (ceilingMs / 2) * random)
}

/** The problem a close code stands for, when asking again would not help. */
export function refusalOf(closeCode: number): ProblemCode | undefined {
  for (const code of ['unauthenticated', 'forbidden', 'not_found', 'invalid'] as const)
    if (problems[code].ws === closeCode) return code
  return undefined
}

export class LiveSocket {
  readonly #ports: Ports
  readonly #watched = new Map<string, number>()
  #socket: Socket | undefined
  /** Connections lost in a row without a single event. */
  #failures = 0
  #open = false
  #live = false
  #retryTimer: ReturnType<typeof setTimeout> | undefined
  #silenceTimer: ReturnType<typeof setTimeout> | undefined

  constructor(ports: Ports) {
    this.#ports = ports
  }

  start(): void {
    clearTimeout(this.#retryTimer)
    const socket = this.#ports.open()
    this.#socket = socket
    this.#listen()
    socket.onopen = () => this.#onOpen(socket)
    socket.onmessage = (message) => this.#onMessage(message.data)
    socket.onclose = (close) => this.#onClose(socket, close.code)
  }

  /** The network came back or the page was shown again: do not sit out a long delay. */
  hurry(): void {
    if (this.#socket === undefined && this.#retryTimer !== undefined) this.start()
  }

  /** Asks for the turns of a session until the returned function is called; survives reconnects. */
  watch(sessionId: string): () => void {
    const count = this.#watched.get(sessionId) ?? 0
    this.#watched.set(sessionId, count + 1)
    if (count === 0) this.#send({ type: 'watch', sessionId })
    let watching = true
    return () => {
      if (!watching) return
      watching = false
      this.#unwatch(sessionId)
    }
  }

  stop(): void {
    clearTimeout(this.#retryTimer)
    clearTimeout(this.#silenceTimer)
    this.#retryTimer = undefined
    const socket = this.#socket
    this.#socket = undefined
    this.#open = false
    this.#live = false
    if (socket === undefined) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close()
  }

  #unwatch(sessionId: string): void {
    const left = (this.#watched.get(sessionId) ?? 1) - 1
    if (left > 0) {
      this.#watched.set(sessionId, left)
      return
    }
    this.#watched.delete(sessionId)
    this.#send({ type: 'unwatch', sessionId })
    this.#ports.dispatch({ type: 'forget', sessionId })
  }

  #onOpen(socket: Socket): void {
    if (socket !== this.#socket) return
    this.#open = true
    for (const sessionId of this.#watched.keys()) this.#send({ type: 'watch', sessionId })
  }

  #onMessage(data: unknown): void {
    this.#listen()
    const event = parseEvent(data)
    if (event === undefined) return
    // An accepted upgrade is not yet an admission: the gateway may refuse with a close code right after it.
    this.#failures = 0
    if (!this.#live) {
      this.#live = true
      this.#ports.dispatch({ type: 'link', link: { state: 'live' } })
    }
    if (event.type === 'ping') this.#send({ type: 'pong' })
    else this.#ports.dispatch({ type: 'event', event })
  }

  #onClose(socket: Socket, code: number): void {
    if (socket !== this.#socket) return
    this.stop()
    const refusal = refusalOf(code)
    if (refusal !== undefined) {
      this.#ports.dispatch({ type: 'link', link: { state: 'refused', code: refusal } })
      return
    }
    const delayMs = reconnectDelayMs(this.#failures, this.#ports.random())
    this.#failures++
    this.#ports.dispatch({ type: 'link', link: { state: 'reconnecting', attempt: this.#failures } })
    this.#retryTimer = setTimeout(() => this.start(), delayMs)
  }

  #listen(): void {
    clearTimeout(this.#silenceTimer)
    const socket = this.#socket
    this.#silenceTimer = setTimeout(() => {
      if (socket !== undefined) this.#onClose(socket, 1006)
    }, silentMs)
  }

  #send(event: ConsoleClientEvent): void {
    if (this.#open) this.#socket?.send(JSON.stringify(event))
  }
}

const eventTypes = new Set(['sessions', 'session', 'turns', 'turn', 'notice', 'approval', 'ping'])

/** Unknown events are a newer gateway's: ignored. */
function parseEvent(data: unknown): ConsoleServerEvent | undefined {
  if (typeof data !== 'string') return undefined
  try {
    const value: unknown = JSON.parse(data)
    return isEvent(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isEvent(value: unknown): value is ConsoleServerEvent {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false
  return typeof value.type === 'string' && eventTypes.has(value.type)
}
