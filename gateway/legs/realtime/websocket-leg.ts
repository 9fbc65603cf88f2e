// One client on /v1/realtime. Forwards frames where client and engine speak the same protocol, renders otherwise,
// keeps both directions bounded, and closes with the code of the problem table.

import type { WebSocket } from 'ws'
import { backPressureBytes, type Capabilities, type EngineEvent } from '../../engines/engines.ts'
import type { Clock, Timer } from '../../platform/clock.ts'
import { newId } from '../../platform/ids.ts'
import { Problem } from '../../platform/problem.ts'
import {
  type EndReason,
  encodeAudio,
  limits,
  type ParleyNotice,
  type ParleyServerEvent,
  type ParleySession,
} from '../../protocol/realtime.ts'
import type { Turn } from '../../protocol/turn.ts'
import type { Leg, Opened } from '../../sessions/sessions.ts'
import { Forwarder } from './forward.ts'
import { Renderer } from './render.ts'
import { type Frame, Replay } from './replay.ts'

/** A peer that takes nothing for this long is closed (4413); it may come back. */
const stuckMs = 5_000
const pingMs = 10_000
const drainPollMs = 20

/** A page that answers no heartbeat for this long is frozen, though its browser answers pings. */
const asleepMs = 20_000

/** What is known only once the session is open. */
export interface LegStart {
  readonly opened: Pick<Opened, 'sessionId' | 'conversationId' | 'engine' | 'epoch'>
  /** Of the engine that serves now. */
  readonly capabilities: () => Capabilities
  readonly serverTools: ReadonlySet<string>
  readonly modality: () => 'audio' | 'text'
  readonly onSlow: (slow: boolean) => void
  readonly onLost: (lastByteAtMs: number) => void
  readonly onAsleep: (sinceMs: number | undefined) => void
}

/** The first words over a new connection. */
export interface Hello {
  readonly created: Readonly<Record<string, unknown>>
  readonly resumeToken: string | undefined
  readonly voice: boolean
  readonly history: readonly Turn[]
  /** The client was here before; `lastSeq` is the last frame it took, if what came since is kept. */
  readonly resumed?: { readonly lastSeq?: number }
}

/** Sends an event with its id, in the shape of the provider's own. */
export function sendEvent(socket: WebSocket, event: Readonly<Record<string, unknown>>): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify({ event_id: newId('event'), ...event }))
}

export class WebSocketLeg implements Leg {
  readonly kind = 'websocket'
  readonly reportsPlayback: boolean
  readonly canReturn: boolean
  readonly hold: ((on: boolean) => void) | undefined
  readonly #clock: Clock
  readonly #replay: Replay | undefined
  #socket: WebSocket | undefined
  #start: LegStart | undefined
  #renderer: Renderer | undefined
  #forwarder: Forwarder | undefined
  #drainTimer: Timer | undefined
  #slowSinceMs: number | undefined
  #lastSignMs: number
  #lastAnswerMs: number
  #isAsleep = false
  #ended = false
  #pings: Timer | undefined

  constructor(clock: Clock, parley: boolean) {
    this.#clock = clock
    this.reportsPlayback = parley
    this.canReturn = parley
    this.hold = parley ? (on) => this.#raw(JSON.stringify({ type: 'parley.hold', on }), false) : undefined
    this.#replay = parley ? new Replay() : undefined
    this.#lastSignMs = clock.monotonicMs()
    this.#lastAnswerMs = this.#lastSignMs
  }

  get lastSeq(): number {
    return this.#replay?.last ?? 0
  }

  get keptFrames(): readonly string[] {
    return this.#replay?.kept ?? []
  }

  restore(frames: readonly string[], lastSeq: number): void {
    this.#replay?.restore(frames, lastSeq)
  }

  begin(start: LegStart): void {
    this.#start = start
    this.#forwarder = new Forwarder(start.serverTools)
    this.#renderer = new Renderer(start.opened.conversationId, start.modality)
  }

  /** Everything goes over this connection from now on. The one before, if it still lives, is told who replaced it. */
  attach(socket: WebSocket, hello: Hello): void {
    const before = this.#socket
    this.#let(before)
    if (before !== undefined) {
      replaced(before)
      // Its player goes with it, whether it was another tab's or of a network that died unseen.
      this.#start?.onLost(this.#lastSignMs)
    }
    this.#socket = socket
    this.#lastSignMs = this.#clock.monotonicMs()
    this.#lastAnswerMs = this.#lastSignMs
    socket.on('pong', () => this.alive(socket))
    this.#pings = this.#clock.every(pingMs, () => this.#ping(socket))
    this.#greet(hello)
  }

  isAttached(socket: WebSocket): boolean {
    return this.#socket === socket
  }

  /** The connection is gone. False: it was not the one in use. */
  detach(socket: WebSocket): boolean {
    if (this.#socket !== socket) return false
    this.#let(socket)
    this.#start?.onLost(this.#lastSignMs)
    return true
  }

  #let(socket: WebSocket | undefined): void {
    if (socket === undefined) return
    this.#pings?.cancel()
    if (this.#drainTimer !== undefined) {
      this.#drainTimer.cancel()
      this.#drainTimer = undefined
      this.#start?.onSlow(false)
    }
    this.#socket = undefined
  }

  #greet({ created, resumeToken, voice, history, resumed }: Hello): void {
    this.#raw(JSON.stringify({ event_id: newId('event'), type: 'session.created', session: created }), false)
    if (resumeToken === undefined || this.#replay === undefined || this.#start === undefined) return
    const { sessionId, conversationId, engine, epoch } = this.#start.opened
    const missed = resumed?.lastSeq === undefined ? undefined : this.#replay.after(resumed.lastSeq)
    const { resumeWindowMs, heartbeatMs } = limits
    const session: ParleySession = {
      type: 'parley.session',
      event_id: newId('event'),
      session_id: sessionId,
      conversation_id: conversationId,
      engine: { kind: engine.kind, demo: engine.demo, hears: this.#start.capabilities().hears },
      heartbeat_ms: heartbeatMs,
      history,
      epoch,
      seq: missed === undefined ? this.#replay.last : (resumed?.lastSeq ?? 0),
      resume: { token: resumeToken, window_ms: voice ? resumeWindowMs.voice : resumeWindowMs.chat },
      ...(resumed === undefined ? {} : { resumed: { gap: missed === undefined } }),
    }
    this.#raw(JSON.stringify(session), false)
    for (const frame of missed ?? []) this.#raw(frame, false)
  }

  acknowledged(seq: number): void {
    this.#replay?.acknowledge(seq)
  }

  /** Any byte or pong of the peer. */
  alive(socket: WebSocket): void {
    if (this.#socket === socket) this.#lastSignMs = this.#clock.monotonicMs()
  }

  /** The program behind the connection itself sent something. */
  answered(): void {
    this.#lastAnswerMs = this.#clock.monotonicMs()
    if (!this.#isAsleep) return
    this.#isAsleep = false
    this.#start?.onAsleep(undefined)
  }

  #ping(socket: WebSocket): void {
    const nowMs = this.#clock.monotonicMs()
    // Half-open sockets say nothing. Who can come back is given up sooner: it loses nothing by it.
    if (nowMs - this.#lastSignMs > (this.canReturn ? limits.silentResumableMs : limits.silentMs)) {
      socket.terminate()
      this.detach(socket)
      return
    }
    if (this.canReturn && !this.#isAsleep && nowMs - this.#lastAnswerMs > asleepMs) {
      this.#isAsleep = true
      this.#start?.onAsleep(this.#lastAnswerMs)
    }
    if (socket.readyState === socket.OPEN) socket.ping()
  }

  get #forwards(): boolean {
    return this.#start?.capabilities().dialect === 'openai-realtime-ga'
  }

  engineEvent(event: EngineEvent): void {
    if (this.#ended) return
    // A sentence of our own (the engine is being exchanged) has no provider's frame, unless it ends one of the provider's.
    if (this.#forwards && (event.source !== 'local' || event.wire !== undefined)) {
      const frame = this.#forwarder?.frame(event)
      if (frame === undefined) return
      if (event.type === 'audio') this.#raw(frame, false)
      else this.#numbered(frame)
      return
    }
    if (event.type === 'audio' && this.reportsPlayback && event.pcm !== undefined) {
      // Opens the item for the widget before its first binary frame, then audio without base64.
      for (const each of this.#renderer?.begin(event) ?? []) this.#json(each)
      this.#raw(encodeAudio(event.itemId, event.pcm), true)
      return
    }
    for (const each of this.#renderer?.render(event) ?? []) {
      if (each.type === 'response.output_audio.delta') this.#raw(JSON.stringify(each), false)
      else this.#json(each)
    }
  }

  /** A client's own item was accepted: engines that speak GA confirm it themselves. */
  confirmItem(item: Readonly<Record<string, unknown>> & { readonly id: string }): void {
    if (this.rendersItems) for (const each of this.#renderer?.item(item) ?? []) this.#json(each)
  }

  /** False: the provider itself answers. */
  get rendersItems(): boolean {
    return !this.#forwards
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

  committed(itemIds: readonly string[]): void {
    this.#parley({ type: 'parley.committed', event_id: newId('event'), item_ids: itemIds })
  }

  goingAway(reconnectInMs: number, deadlineMs: number): void {
    this.#replay?.keepAll()
    this.#parley({
      type: 'parley.going_away',
      event_id: newId('event'),
      reconnect_in_ms: reconnectInMs,
      deadline_ms: deadlineMs,
    })
  }

  heartbeat(n: number): void {
    if (this.reportsPlayback) this.#raw(JSON.stringify({ type: 'parley.heartbeat', n }), false)
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
    const socket = this.#socket
    this.#let(socket)
    if (socket !== undefined) closeSocket(socket, problem)
  }

  #parley(event: ParleyServerEvent): void {
    if (this.reportsPlayback) this.#json(event)
  }

  #json(event: object): void {
    this.#numbered(JSON.stringify(event))
  }

  /** Kept for a client that is away or loses its connection now. */
  #numbered(frame: Frame): void {
    if (!this.#ended) this.#raw(this.#replay?.number(frame) ?? frame, false)
  }

  #raw(data: Frame, binary: boolean): void {
    const socket = this.#socket
    if (this.#ended || socket === undefined || socket.readyState !== socket.OPEN) return
    socket.send(data, { binary, compress: false })
    if (socket.bufferedAmount > backPressureBytes && this.#drainTimer === undefined) this.#slow(socket)
  }

  /** The peer does not read: stop reading the engine until it does. */
  #slow(socket: WebSocket): void {
    this.#slowSinceMs = this.#clock.monotonicMs()
    this.#start?.onSlow(true)
    this.#drainTimer = this.#clock.every(drainPollMs, () => {
      const since = this.#slowSinceMs ?? 0
      if (socket.bufferedAmount < backPressureBytes / 4) {
        this.#drainTimer?.cancel()
        this.#drainTimer = undefined
        this.#start?.onSlow(false)
      } else if (this.#clock.monotonicMs() - since > stuckMs) {
        socket.terminate()
        this.detach(socket)
      }
    })
  }
}

function replaced(socket: WebSocket): void {
  const problem = new Problem('replaced')
  sendEvent(socket, { type: 'parley.end', reason: 'replaced', problem: problem.body() })
  closeSocket(socket, problem)
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
