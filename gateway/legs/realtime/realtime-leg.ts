// One client of the GA protocol, over whatever channel it came. Forwards frames where client and engine speak the same
// protocol, renders otherwise. Audio goes over the channel, or into a player of ours where the connection has a track.

import type { EngineEvent } from '../../engines/engines.ts'
import type { Clock } from '../../platform/clock.ts'
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
import type { Leg, LegEvent } from '../../sessions/sessions.ts'
import { Mouth } from '../media/mouth.ts'
import type { Sink } from '../media/sink.ts'
import { type Channel, type Frame, sendEvent } from './channel.ts'
import { Forwarder } from './forward.ts'
import type { Hello, LegStart } from './leg-start.ts'
import { Presence } from './presence.ts'
import { Pressure } from './pressure.ts'
import { Renderer } from './render.ts'
import { Replay } from './replay.ts'
import { Sound } from './sound.ts'

export interface LegOptions {
  readonly clock: Clock
  /** Of the first connection. */
  readonly kind: Leg['kind']
  /** The client speaks `parley.v1`. */
  readonly parley: boolean
  /** The first connection brings a track: what is said is played here, not told. */
  readonly plays: boolean
}

/** One connection of the client: events, and sound where it has a track of its own. */
export interface Connected {
  readonly kind: Leg['kind']
  readonly channel: Channel
  /** Plays what is said. Missing: sound goes over the channel. */
  readonly sink?: Sink
}

export class RealtimeLeg implements Leg {
  readonly reportsPlayback: boolean
  readonly isStock: boolean
  readonly canReturn: boolean
  #kind: Leg['kind']
  #plays: boolean
  /** In the format of the client. */
  readonly sound = new Sound()
  /** False: the client wants no words of what the person said. */
  transcripts = true
  readonly #clock: Clock
  readonly #replay: Replay | undefined
  readonly #presence: Presence
  readonly #pressure: Pressure
  #channel: Channel | undefined
  #mouth: Mouth | undefined
  #start: LegStart | undefined
  #renderer: Renderer | undefined
  #forwarder: Forwarder | undefined
  /** Who cannot take more: the channel, our player. */
  readonly #slow = new Set<'channel' | 'mouth'>()
  #ended = false

  constructor({ clock, kind, parley, plays }: LegOptions) {
    this.#kind = kind
    this.#clock = clock
    this.reportsPlayback = parley || plays
    this.isStock = !parley
    this.canReturn = parley
    this.#plays = plays
    this.#replay = parley ? new Replay() : undefined
    this.#presence = new Presence({
      clock,
      canReturn: parley,
      onSilent: (channel) => this.#cutOff(channel),
      onAsleep: (sinceMs) => this.#start?.onAsleep(sinceMs),
    })
    this.#pressure = new Pressure({
      clock,
      onSlow: (slow) => this.#tellSlow('channel', slow),
      onStuck: (channel) => this.#cutOff(channel),
    })
  }

  /** A client that comes back may come another way; of a direct call only the events do. */
  get kind(): Leg['kind'] {
    return this.#start?.capabilities().media === 'direct' ? 'direct' : this.#kind
  }

  get isConnected(): boolean {
    return this.#channel !== undefined
  }

  /** What is said is played by us, over the connection in use. */
  get plays(): boolean {
    return this.#plays
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
    this.#forwarder = new Forwarder(start.serverTools, this.sound)
    const { modality, voice } = start
    this.#renderer = new Renderer({ conversationId: start.opened.conversationId, modality, voice, sound: this.sound })
  }

  /**
   * Everything goes over this connection from now on: events over the channel, sound into the sink where it has one. The
   * one before, if it still lives, is told who replaced it.
   */
  attach({ kind, channel, sink }: Connected, hello: Hello): void {
    const before = this.#channel
    this.#let()
    if (before !== undefined) {
      replaced(before)
      // Its player goes with it, whether it was another tab's or of a network that died unseen.
      this.#start?.onLost(this.#presence.lastSignMs)
    }
    this.#channel = channel
    this.#presence.watch(channel)
    this.#kind = kind
    this.#plays = sink !== undefined
    if (sink !== undefined) this.#mouth = this.#mouthOf(sink)
    this.#greet(hello)
  }

  isAttached(channel: Channel): boolean {
    return this.#channel === channel
  }

  /** The connection is gone. False: it was not the one in use. */
  detach(channel: Channel): boolean {
    if (this.#channel !== channel) return false
    this.#let()
    this.#start?.onLost(this.#presence.lastSignMs)
    return true
  }

  #cutOff(channel: Channel): void {
    channel.terminate()
    this.detach(channel)
  }

  #let(): void {
    this.#mouth?.close()
    this.#mouth = undefined
    if (this.#channel === undefined) return
    this.#presence.stop()
    this.#pressure.release()
    this.#channel = undefined
  }

  #mouthOf(sink: Sink): Mouth {
    const buffer = (what: string, responseId: string): void =>
      this.send({ type: `output_audio_buffer.${what}`, response_id: responseId })
    return new Mouth(this.#clock, sink, {
      played: (itemId, ms, final) => this.#start?.onPlayed(itemId, ms, final),
      started: (responseId) => buffer('started', responseId),
      stopped: (responseId) => buffer('stopped', responseId),
      cleared: (responseId) => buffer('cleared', responseId),
      slow: (slow) => this.#tellSlow('mouth', slow),
      overflow: () => {
        this.end('internal', new Problem('too_slow'))
        this.#start?.onBroken()
      },
    })
  }

  #tellSlow(who: 'channel' | 'mouth', slow: boolean): void {
    const before = this.#slow.size > 0
    if (slow) this.#slow.add(who)
    else this.#slow.delete(who)
    if (before !== this.#slow.size > 0) this.#start?.onSlow(!before)
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
  alive(channel: Channel): void {
    if (this.#channel === channel) this.#presence.alive()
  }

  /** The program behind the connection itself sent something. */
  answered(): void {
    this.#presence.answered()
  }

  get #forwards(): boolean {
    return this.#start?.capabilities().dialect === 'openai-realtime-ga'
  }

  engineEvent(event: EngineEvent): void {
    if (this.#ended || (event.type === 'userText' && !this.transcripts)) return
    this.#tell(event)
    if (event.type === 'audioDone') this.#mouth?.complete(event.itemId)
    else if (event.type === 'responseDone') this.#mouth?.responseDone(event.responseId)
  }

  #tell(event: EngineEvent): void {
    // A sentence of our own (the engine is being exchanged) has no provider's frame, unless it ends one of the provider's.
    if (this.#forwards && (event.source !== 'local' || event.wire !== undefined)) {
      if (event.type === 'audio' && this.#plays) this.#play(event)
      else this.#forward(event)
    } else if (event.type === 'native') {
      if (event.wire !== undefined) this.#numbered(event.wire)
      if (event.name === 'response.done') this.#renderer?.elsewhere(event.wire)
    } else if (event.type === 'audio' && this.reportsPlayback && event.pcm !== undefined) {
      // Opens the item for the client before its first sound, then audio without base64.
      for (const each of this.#renderer?.begin(event) ?? []) this.#json(each)
      if (this.#plays) this.#play(event)
      else this.#raw(encodeAudio(event.itemId, event.pcm), true)
    } else {
      for (const each of this.#renderer?.render(event) ?? []) {
        if (each.type === 'response.output_audio.delta') this.#raw(JSON.stringify(each), false)
        else this.#json(each)
      }
    }
  }

  #forward(event: EngineEvent): void {
    for (const frame of this.#forwarder?.frames(event) ?? []) {
      if (event.type === 'audio') this.#raw(frame, false)
      else this.#numbered(frame)
    }
  }

  #play({ itemId, responseId, pcm }: EngineEvent & { type: 'audio' }): void {
    if (pcm !== undefined) this.#mouth?.push({ itemId, responseId, pcm })
  }

  /** A client's own item was accepted: engines that speak GA confirm it themselves. */
  confirmItem(item: Readonly<Record<string, unknown>> & { readonly id: string }): void {
    if (this.rendersItems) for (const each of this.#renderer?.item(item) ?? []) this.#json(each)
  }

  /** False: the provider itself answers. */
  get rendersItems(): boolean {
    return !this.#forwards
  }

  /** The response of the conversation that is being made. */
  get activeResponse(): string | undefined {
    return (this.#forwards ? this.#forwarder : this.#renderer)?.active
  }

  /** The items as rendered here. */
  get rendered(): Pick<Renderer, 'items'> | undefined {
    return this.rendersItems ? this.#renderer : undefined
  }

  /** Answers a retrieve of an item rendered here; false when there is none. */
  retrieve(itemId: string): boolean {
    const event = this.#renderer?.retrieved(itemId)
    if (event !== undefined) this.send(event)
    return event !== undefined
  }

  turn(turn: Turn): void {
    this.#renderer?.rewrite(turn.itemId, turn.text)
    this.#parley({ type: 'parley.turn', event_id: newId('event'), turn })
  }

  notice(code: ParleyNotice['code'], text: string): void {
    this.#parley({ type: 'parley.notice', event_id: newId('event'), code, text })
  }

  tell(event: LegEvent): void {
    this.#parley({ event_id: newId('event'), ...event })
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
    if (!this.isStock) this.#raw(JSON.stringify({ type: 'parley.heartbeat', n }), false)
  }

  /** A stock client has no pause. */
  get hold(): ((on: boolean) => void) | undefined {
    const mouth = this.#mouth
    if (mouth !== undefined) return (on) => mouth.hold(on)
    return this.isStock || this.#plays
      ? undefined
      : (on) => this.#raw(JSON.stringify({ type: 'parley.hold', on }), false)
  }

  flush(itemId: string): void {
    if (this.#plays) this.#mouth?.flush(itemId)
    else this.#parley({ type: 'parley.flush', event_id: newId('event'), item_id: itemId })
  }

  send(event: Readonly<Record<string, unknown>>): void {
    this.#json({ event_id: newId('event'), ...event })
  }

  end(reason: EndReason, problem?: Problem): void {
    if (this.#ended) return
    if (!this.isStock) {
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
    const channel = this.#channel
    this.#let()
    channel?.close(problem)
  }

  #parley(event: ParleyServerEvent): void {
    if (!this.isStock) this.#json(event)
  }

  #json(event: object): void {
    this.#numbered(JSON.stringify(event))
  }

  /** Kept for a client that is away or loses its connection now. */
  #numbered(frame: Frame): void {
    if (!this.#ended) this.#raw(this.#replay?.number(frame) ?? frame, false)
  }

  #raw(data: Frame, binary: boolean): void {
    const channel = this.#channel
    if (this.#ended || channel === undefined || !channel.isOpen) return
    channel.send(data, binary)
    this.#pressure.check(channel)
  }
}

function replaced(channel: Channel): void {
  const problem = new Problem('replaced')
  sendEvent(channel, { type: 'parley.end', reason: 'replaced', problem: problem.body() })
  channel.close(problem)
}
