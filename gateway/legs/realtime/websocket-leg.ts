// One client on /v1/realtime. Forwards frames where client and engine speak the same protocol, renders otherwise,
// keeps both directions bounded, and closes with the code of the problem table.

import type { WebSocket } from 'ws'
import { backPressureBytes, type Capabilities, type EngineEvent } from '../../engines/engines.ts'
import type { Clock, Timer } from '../../platform/clock.ts'
import { newId } from '../../platform/ids.ts'
import type { Problem } from '../../platform/problem.ts'
import {
  type EndReason,
  encodeAudio,
  limits,
  type ParleyNotice,
  type ParleyServerEvent,
} from '../../protocol/realtime.ts'
import type { Turn } from '../../protocol/turn.ts'
import type { Leg, Opened } from '../../sessions/sessions.ts'
import { Forwarder } from './forward.ts'
import { Renderer } from './render.ts'

/** A peer that takes nothing for this long is closed (4413); it may come back. */
const stuckMs = 5_000
const pingMs = 10_000
const drainPollMs = 20

/** What is known only once the session is open. */
export interface LegStart {
  readonly conversationId: string
  readonly capabilities: Capabilities
  readonly serverTools: ReadonlySet<string>
  readonly modality: () => 'audio' | 'text'
  readonly onSlow: (slow: boolean) => void
  readonly onLost: () => void
}

/** Sends an event with its id, in the shape of the provider's own. */
export function sendEvent(socket: WebSocket, event: Readonly<Record<string, unknown>>): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify({ event_id: newId('event'), ...event }))
}

export class WebSocketLeg implements Leg {
  readonly kind = 'websocket'
  readonly reportsPlayback: boolean
  readonly #socket: WebSocket
  readonly #clock: Clock
  #start: LegStart | undefined
  #renderer: Renderer | undefined
  #forwarder: Forwarder | undefined
  #drainTimer: Timer | undefined
  #slowSinceMs: number | undefined
  #lastSignMs: number
  #ended = false
  readonly #timers: Timer[] = []

  constructor(socket: WebSocket, clock: Clock, parley: boolean) {
    this.#socket = socket
    this.#clock = clock
    this.reportsPlayback = parley
    this.#lastSignMs = clock.monotonicMs()
    socket.on('pong', () => this.alive())
  }

  begin(start: LegStart): void {
    this.#start = start
    if (start.capabilities.dialect === 'openai-realtime-ga') this.#forwarder = new Forwarder(start.serverTools)
    else this.#renderer = new Renderer(start.conversationId, start.modality)
    this.#timers.push(this.#clock.every(pingMs, () => this.#ping()))
  }

  alive(): void {
    this.#lastSignMs = this.#clock.monotonicMs()
  }

  #ping(): void {
    // Half-open sockets say nothing: no frame and no pong for three pings is gone.
    if (this.#clock.monotonicMs() - this.#lastSignMs > limits.silentMs) {
      this.#socket.terminate()
      this.#start?.onLost()
    } else if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping()
  }

  engineEvent(event: EngineEvent): void {
    if (this.#ended) return
    if (this.#forwarder !== undefined) {
      const frame = this.#forwarder.frame(event)
      if (frame !== undefined) this.#write(frame, false)
      return
    }
    if (event.type === 'audio' && this.reportsPlayback && event.pcm !== undefined) {
      // Opens the item for the widget before its first binary frame, then audio without base64.
      for (const each of this.#renderer?.begin(event) ?? []) this.#json(each)
      this.#write(encodeAudio(event.itemId, event.pcm), true)
      return
    }
    for (const each of this.#renderer?.render(event) ?? []) this.#json(each)
  }

  /** A client's own item was accepted: engines that speak GA confirm it themselves. */
  confirmItem(item: Readonly<Record<string, unknown>> & { readonly id: string }): void {
    for (const each of this.#renderer?.item(item) ?? []) this.#json(each)
  }

  /** False: the provider itself answers. */
  get rendersItems(): boolean {
    return this.#renderer !== undefined
  }

  /** Answers a retrieve of an item rendered here; false when there is none. */
  retrieve(itemId: string): boolean {
    const event = this.#renderer?.retrieved(itemId)
    if (event !== undefined) this.send(event)
    return event !== undefined
  }

  turn(turn: Turn): void {
    this.#renderer?.rewrite(turn.itemId, turn.text)
    if (this.reportsPlayback) this.#parley({ type: 'parley.turn', event_id: newId('event'), turn })
  }

  notice(code: ParleyNotice['code'], text: string): void {
    this.#parley({ type: 'parley.notice', event_id: newId('event'), code, text })
  }

  /** The widget's first word: who it talks to and what was said before. */
  hello(opened: Opened): void {
    const { sessionId, conversationId, engine, history } = opened
    this.#parley({
      type: 'parley.session',
      event_id: newId('event'),
      session_id: sessionId,
      conversation_id: conversationId,
      engine: { kind: engine.kind, demo: engine.demo, hears: engine.capabilities.hears },
      heartbeat_ms: limits.heartbeatMs,
      history,
    })
  }

  heartbeat(n: number): void {
    this.#parley({ type: 'parley.heartbeat', n })
  }

  /** Nothing of ours waits between engine and socket; the player is told by `speech_started`. */
  flush(itemId: string): void {
    this.#parley({ type: 'parley.flush', event_id: newId('event'), item_id: itemId })
  }

  send(event: Readonly<Record<string, unknown>>): void {
    this.#json({ event_id: newId('event'), ...event })
  }

  end(reason: EndReason, problem?: Problem): void {
    if (this.#ended) return
    for (const timer of this.#timers.splice(0)) timer.cancel()
    this.#drainTimer?.cancel()
    if (this.reportsPlayback) {
      this.#parley({
        type: 'parley.end',
        event_id: newId('event'),
        reason,
        ...(problem === undefined ? {} : { problem: problem.body() }),
      })
    } else if (problem !== undefined) {
      this.send({
        type: 'error',
        error: { type: 'session_error', code: problem.code, message: problem.message, param: null, event_id: null },
      })
    }
    this.#ended = true
    closeSocket(this.#socket, problem)
  }

  #parley(event: ParleyServerEvent): void {
    if (this.reportsPlayback) this.#json(event)
  }

  #json(event: object): void {
    this.#write(JSON.stringify(event), false)
  }

  #write(data: string | Uint8Array, binary: boolean): void {
    const socket = this.#socket
    if (this.#ended || socket.readyState !== socket.OPEN) return
    socket.send(data, { binary, compress: false })
    if (socket.bufferedAmount > backPressureBytes && this.#drainTimer === undefined) this.#slow()
  }

  /** The peer does not read: stop reading the engine until it does. */
  #slow(): void {
    this.#slowSinceMs = this.#clock.monotonicMs()
    this.#start?.onSlow(true)
    this.#drainTimer = this.#clock.every(drainPollMs, () => {
      const since = this.#slowSinceMs ?? 0
      if (this.#socket.bufferedAmount < backPressureBytes / 4) {
        this.#drainTimer?.cancel()
        this.#drainTimer = undefined
        this.#start?.onSlow(false)
      } else if (this.#clock.monotonicMs() - since > stuckMs) {
        this.#socket.terminate()
        this.#start?.onLost()
      }
    })
  }
}

/** Close reasons hold at most 123 bytes: the code and, where it helps, when to come back. */
export function closeSocket(socket: WebSocket, problem?: Problem): void {
  if (problem === undefined) socket.close(1000)
  else {
    const retry = problem.details.retryAfterMs
    socket.close(problem.kind.ws, JSON.stringify({ code: problem.code, ...(retry === undefined ? {} : { ra: retry }) }))
  }
  // A peer that does not answer the close is cut off.
  setTimeout(() => socket.terminate(), 2_000).unref()
}
