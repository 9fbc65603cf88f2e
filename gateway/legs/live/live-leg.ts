// One client of the Live protocol. It has no turns and no items: sound and words are told as they are played, by a player
// of ours that keeps real time, so that what a person cuts off was never sent.

import type { EngineEvent } from '../../engines/engines.ts'
import type { Clock } from '../../platform/clock.ts'
import { Problem } from '../../platform/problem.ts'
import type { EndReason, ParleyNotice } from '../../protocol/realtime.ts'
import type { Turn } from '../../protocol/turn.ts'
import type { Leg } from '../../sessions/sessions.ts'
import { Mouth } from '../media/mouth.ts'
import type { Sink } from '../media/sink.ts'
import type { Channel } from '../realtime/channel.ts'
import { Presence } from '../realtime/presence.ts'
import { Pressure } from '../realtime/pressure.ts'
import type { Delegations } from './delegations.ts'
import { Heard } from './heard.ts'
import { errorEvent, type LiveEvent } from './live-error.ts'
import { Said } from './said.ts'
import type { Timeline } from './timeline.ts'

/** What is known only once the session is open. */
export interface LiveStart {
  readonly timeline: Timeline
  readonly delegations: Delegations
  readonly serverTools: ReadonlySet<string>
  /** To everybody who is told of the session. */
  readonly tell: (event: LiveEvent) => void
  readonly onReady: () => void
  readonly onSlow: (slow: boolean) => void
  readonly onLost: (lastByteAtMs: number) => void
  readonly onPlayed: (itemId: string, playedMs: number, final: boolean) => void
  /** Before the connection is closed. */
  readonly onEnd: (reason: EndReason, problem: Problem | undefined) => void
  /** The leg ended by itself; the session has to. */
  readonly onBroken: () => void
}

/** A sound of the client's that is played as it is; no engine's item is called so. */
const fixtureId = 'fixture'

export class LiveLeg implements Leg {
  readonly kind: Leg['kind']
  readonly reportsPlayback = true
  readonly isStock = true
  readonly canReturn = false
  readonly lastSeq = 0
  readonly keptFrames: readonly string[] = []
  readonly #clock: Clock
  readonly #presence: Presence
  readonly #pressure: Pressure
  /** Answers under way, and their items. */
  readonly #answers = new Map<string, Set<string>>()
  #channel: Channel | undefined
  #mouth: Mouth | undefined
  #start: LiveStart | undefined
  #said: Said | undefined
  #heard: Heard | undefined
  readonly #slow = new Set<'channel' | 'mouth'>()
  #onFixturePlayed: (() => void) | undefined
  #ended = false

  constructor(clock: Clock, kind: Leg['kind']) {
    this.kind = kind
    this.#clock = clock
    this.#presence = new Presence({
      clock,
      canReturn: false,
      onSilent: (channel) => this.#cutOff(channel),
      onAsleep: () => {},
    })
    this.#pressure = new Pressure({
      clock,
      onSlow: (slow) => this.#tellSlow('channel', slow),
      onStuck: (channel) => this.#cutOff(channel),
    })
  }

  restore(): void {}

  /** Events go over the channel, sound into the sink. */
  attach(channel: Channel, sink: Sink, start: LiveStart): void {
    const needs = { nowMs: () => start.timeline.nowMs, tell: start.tell }
    this.#start = start
    const heard = new Heard(needs)
    this.#heard = heard
    this.#said = new Said({ ...needs, waits: () => heard.isDue })
    this.#channel = channel
    this.#presence.watch(channel)
    this.#mouth = new Mouth(this.#clock, sink, {
      played: (itemId, ms, final) => this.#played(itemId, ms, final),
      started: () => {},
      stopped: (responseId) => this.#stopped(responseId),
      cleared: () => {},
      slow: (slow) => this.#tellSlow('mouth', slow),
      overflow: () => {
        this.end('internal', new Problem('too_slow'))
        start.onBroken()
      },
    })
  }

  /** The connection is gone. */
  detach(): void {
    if (this.#channel === undefined) return
    this.#let()
    this.#start?.onLost(this.#presence.lastSignMs)
  }

  #cutOff(channel: Channel): void {
    channel.terminate()
    this.detach()
  }

  #let(): void {
    this.#mouth?.close()
    this.#mouth = undefined
    this.#presence.stop()
    this.#pressure.release()
    this.#channel = undefined
  }

  #tellSlow(who: 'channel' | 'mouth', slow: boolean): void {
    const before = this.#slow.size > 0
    if (slow) this.#slow.add(who)
    else this.#slow.delete(who)
    if (before !== this.#slow.size > 0) this.#start?.onSlow(!before)
  }

  /** Any byte or pong of the peer. */
  alive(): void {
    this.#presence.alive()
  }

  /** An answer is being made or played. */
  get isAnswering(): boolean {
    return this.#answers.size > 0 || (this.#mouth?.queuedMs ?? 0) > 0
  }

  get isMaking(): boolean {
    return this.#answers.size > 0
  }

  get playsFixture(): boolean {
    return this.#onFixturePlayed !== undefined
  }

  playFixture(pcm: Buffer, onPlayed: () => void): void {
    this.#onFixturePlayed = onPlayed
    this.#mouth?.push({ itemId: fixtureId, responseId: fixtureId, pcm })
    this.#mouth?.responseDone(fixtureId)
  }

  #played(itemId: string, ms: number, final: boolean): void {
    if (itemId === fixtureId) return
    this.#start?.onPlayed(itemId, ms, final)
    this.#said?.played(itemId, ms, final)
  }

  #stopped(responseId: string): void {
    if (responseId !== fixtureId) return
    const played = this.#onFixturePlayed
    this.#onFixturePlayed = undefined
    played?.()
  }

  engineEvent(event: EngineEvent): void {
    if (this.#ended) return
    switch (event.type) {
      case 'ready':
        this.#start?.onReady()
        return
      case 'responseStarted':
        this.#answers.set(event.responseId, new Set())
        this.#start?.delegations.responseStarted()
        return
      case 'agentItem':
        this.#answers.get(event.responseId)?.add(event.itemId)
        return
      case 'audio':
        this.#audio(event)
        return
      case 'audioDone':
        this.#mouth?.complete(event.itemId)
        return
      case 'agentText':
        this.#text(event)
        return
      case 'responseDone':
        this.#done(event)
        return
      case 'userSpeech':
        this.#heard?.speech(event)
        return
      case 'userText':
        this.#heard?.text(event)
        this.#said?.release()
        return
      case 'toolCall':
        this.#start?.delegations.called(event)
        return
      case 'error':
        // A lost race of a command that the protocol does not have.
        if (!event.benign) this.#wrong(event.code, event.message)
        return
      default:
      // Items and turns are no part of this protocol.
    }
  }

  #audio({ responseId, itemId, pcm, ms }: Extract<EngineEvent, { type: 'audio' }>): void {
    if (pcm === undefined) return
    this.#said?.sound(itemId, ms)
    this.#mouth?.push({ itemId, responseId, pcm })
  }

  #text({ itemId, delta, final, spoken }: Extract<EngineEvent, { type: 'agentText' }>): void {
    if (delta !== undefined) this.#said?.words(itemId, delta, spoken)
    if (final !== undefined) this.#said?.whole(itemId, final, spoken)
  }

  #done(event: Extract<EngineEvent, { type: 'responseDone' }>): void {
    const { responseId, status, reason } = event
    this.#mouth?.responseDone(responseId)
    for (const itemId of this.#answers.get(responseId) ?? []) this.#said?.done(itemId)
    this.#answers.delete(responseId)
    this.#start?.delegations.responseDone(event)
    if (status === 'failed') this.#wrong(reason ?? 'answer_failed', 'An answer could not be made.')
  }

  #wrong(code: string, message: string): void {
    this.#start?.tell(errorEvent({ type: 'server_error', code, message }, undefined))
  }

  turn(turn: Turn): void {
    const { tool } = turn
    if (tool !== undefined && this.#start?.serverTools.has(tool.name) === true) this.#start.delegations.ran(turn)
  }

  notice(code: ParleyNotice['code'], text: string): void {
    if (text !== '') this.#start?.tell({ type: 'info', code, message: text })
  }

  committed(): void {}
  goingAway(): void {}
  heartbeat(): void {}

  flush(itemId: string): void {
    this.#said?.cut(itemId)
    this.#mouth?.flush(itemId)
  }

  send(frame: string): void {
    const channel = this.#channel
    if (this.#ended || channel === undefined || !channel.isOpen) return
    channel.send(frame, false)
    this.#pressure.check(channel)
  }

  end(reason: EndReason, problem?: Problem): void {
    if (this.#ended) return
    // Its last report is part of what was heard.
    this.#mouth?.close()
    this.#said?.close()
    this.#start?.onEnd(reason, problem)
    this.#ended = true
    const channel = this.#channel
    this.#let()
    channel?.close(problem)
  }
}
