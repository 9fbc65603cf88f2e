// What is being said: engine events and player reports become turns, and barge-in cuts what was not heard.
// Speech (the player) and transcript (the recorder) are kept apart: a cut touches the turn's text, never its place.

import type { Capabilities, Engine, EngineEvent } from '../engines/engines.ts'
import type { Clock } from '../platform/clock.ts'
import { splitHeard } from '../platform/heard.ts'
import type { Turn } from '../protocol/turn.ts'
import type { AttentiveEngine } from './ears/attentive-engine.ts'
import { Latency, type Measured } from './latency.ts'
import type { Leg } from './leg.ts'
import { Playback } from './playback.ts'
import type { Recorder } from './recorder.ts'
import type { Unplayed } from './session-parts.ts'
import { TellHeard } from './tell-heard.ts'

/** A player that does not report its last position within this time is taken at its last word. */
const reportMs = 400

export type Activity = 'listening' | 'thinking' | 'speaking' | 'tool'

export interface TalkOptions {
  readonly clock: Clock
  readonly recorder: Recorder
  readonly engine: Pick<Engine, 'send' | 'capabilities'>
  readonly leg: Pick<Leg, 'flush' | 'reportsPlayback' | 'isStock'>
  readonly onActivity: (activity: Activity) => void
  /** A turn ended: a good moment for a checkpoint. */
  readonly onTurnEnd: () => void
  /** Who listens along follows the player. */
  readonly player?: Pick<AttentiveEngine, 'played' | 'cut' | 'lost' | 'here'>
}

export class Talk {
  readonly #options: TalkOptions
  readonly #playback = new Playback()
  /** Items cut short: what still arrives for them is not played and not written. */
  readonly #cut = new Set<string>()
  readonly #waiting = new Map<string, { cancel(): void }>()
  readonly #told: TellHeard
  readonly #itemsOf = new Map<string, Set<string>>()
  readonly #speechMs = new Map<string, { startMs: number; stopMs: number }>()
  readonly #responses = new Set<string>()
  /** Items whose answer broke off with its engine and is to go on in another: open until it does. */
  readonly #broken = new Set<string>()
  /** Items that were cancelled and are still played as far as they came. */
  readonly #ending = new Set<string>()
  /** Items whose player was lost: their audio is counted and not sent, until their rest is said anew. */
  readonly #held = new Set<string>()
  /** Items that this engine does not know. */
  readonly #restored = new Set<string>()
  readonly #latency = new Latency()
  #lastCut: readonly string[] = []
  #isLost = false

  constructor(options: TalkOptions) {
    this.#options = options
    this.#told = new TellHeard({ clock: options.clock, engine: options.engine, reports: () => this.#reports })
  }

  /** Of sound that goes past us no player of ours or the client's tells anything. */
  get #reports(): boolean {
    return this.#options.leg.reportsPlayback && this.#capabilities.media === 'relayed'
  }

  get #capabilities(): Capabilities {
    return this.#options.engine.capabilities
  }

  /** Median wait for an answer, ms. */
  get latencyMs(): number | null {
    return this.#latency.medianMs
  }

  /** True when the event may go on to the leg. */
  event(event: EngineEvent): boolean {
    this.#latency.event(event, this.#options.clock.monotonicMs())
    switch (event.type) {
      case 'responseStarted':
        this.#responses.add(event.responseId)
        this.#options.onActivity('thinking')
        return true
      case 'agentItem':
        this.#begin(event.responseId, event.itemId, false)
        return true
      case 'audio':
        return this.#audio(event)
      case 'audioDone':
        this.#playback.audioDone(event.itemId)
        return this.#endPasses(event.itemId)
      case 'agentText':
        return this.#agentText(event)
      case 'responseDone':
        this.#responseDone(event)
        return true
      case 'userSpeech':
        this.#userSpeech(event)
        return true
      case 'userItem':
        this.#options.recorder.begin(event.itemId, 'user', event.spoken)
        return true
      case 'userText':
        this.#userText(event)
        return true
      case 'truncated':
        // Who plays it himself knows best what was heard.
        if (event.source === 'provider' && this.#capabilities.media === 'direct')
          this.truncatedByClient(event.itemId, event.heardMs)
        return true
      default:
        return true
    }
  }

  /** The person wrote something: stored at once, and the latency clock starts. */
  wrote(itemId: string, text: string): void {
    this.#closeBroken()
    this.#options.recorder.begin(itemId, 'user', false)
    this.#options.recorder.change(itemId, { text, state: 'final' })
    this.#latency.wrote(this.#options.clock.monotonicMs())
  }

  #begin(responseId: string, itemId: string, voice: boolean): void {
    if (this.#options.recorder.find(itemId) === undefined) this.#closeBroken()
    this.#options.recorder.begin(itemId, 'agent', voice)
    const items = this.#itemsOf.get(responseId) ?? new Set()
    items.add(itemId)
    this.#itemsOf.set(responseId, items)
  }

  /** Its answer goes on, or something else is said: it will not grow. */
  #closeBroken(): void {
    for (const itemId of this.#broken) {
      if (this.#options.recorder.find(itemId)?.state === 'partial')
        this.#options.recorder.change(itemId, { state: 'final' })
    }
    this.#broken.clear()
  }

  #audio(event: EngineEvent & { type: 'audio' }): boolean {
    if (this.#cut.has(event.itemId)) return false
    if (this.#playback.sentMs(event.itemId) === 0) {
      this.#begin(event.responseId, event.itemId, true)
      // A holding line is no answer.
      const waited = event.source === 'local' ? undefined : this.#answered(event.itemId)
      this.#options.recorder.change(event.itemId, { voice: true, ...waited })
      this.#options.onActivity('speaking')
    }
    this.#playback.sent(event.itemId, event.ms, this.#options.clock.monotonicMs())
    if (this.#isLost) this.#held.add(event.itemId)
    return !this.#held.has(event.itemId)
  }

  #answered(itemId: string): Measured | undefined {
    return this.#latency.answered(itemId, this.#options.clock.monotonicMs())
  }

  #agentText(event: EngineEvent & { type: 'agentText' }): boolean {
    if (this.#cut.has(event.itemId)) return event.delta === undefined && this.#endPasses(event.itemId)
    this.#begin(event.responseId, event.itemId, event.spoken)
    if (event.delta !== undefined) {
      if (event.spoken) this.#playback.text(event.itemId, event.delta)
      else {
        const waited = this.#answered(event.itemId)
        if (waited !== undefined) this.#options.recorder.change(event.itemId, waited)
      }
      this.#options.recorder.append(event.itemId, event.delta, event.spoken ? this.#audioOf(event.itemId) : undefined)
    }
    // The whole text is known: it also replaces deltas that a provider corrected.
    if (event.final !== undefined) this.#options.recorder.change(event.itemId, { text: event.final })
    return true
  }

  #audioOf(itemId: string): Turn['audio'] {
    const { sentMs = 0, playedMs = 0 } = this.#playback.heard(itemId) ?? {}
    return { sentMs: Math.round(sentMs), playedMs: Math.round(playedMs) }
  }

  /** A stock client waits for the end of every item it saw begin; ours was told to flush it. */
  #endPasses(itemId: string): boolean {
    return this.#options.leg.isStock || !this.#cut.has(itemId)
  }

  #responseDone(event: EngineEvent & { type: 'responseDone' }): void {
    this.#responses.delete(event.responseId)
    if (!this.#reports) this.#playback.inferPlayed(this.#options.clock.monotonicMs())
    for (const itemId of this.#itemsOf.get(event.responseId) ?? []) {
      if (this.#cut.has(itemId)) continue
      this.#playback.audioDone(itemId)
      const turn = this.#options.recorder.find(itemId)
      if (turn === undefined) continue
      const heard = this.#playback.heard(itemId)
      if (event.status === 'cancelled' && heard !== undefined && heard.sentMs > 0) this.#cancelled(itemId)
      else if (turn.text === '' && !turn.voice) this.#options.recorder.drop(itemId)
      else if (event.source === 'local' && event.status === 'incomplete') this.#broken.add(itemId)
      else {
        const audio =
          heard === undefined || heard.sentMs === 0
            ? {}
            : { audio: { sentMs: Math.round(heard.sentMs), playedMs: Math.round(heard.playedMs) } }
        this.#options.recorder.change(itemId, { state: event.status === 'failed' ? 'failed' : 'final', ...audio })
      }
    }
    this.#itemsOf.delete(event.responseId)
    this.#options.onActivity('listening')
    this.#options.onTurnEnd()
  }

  /** A player of ours goes on until a stock client clears it: what was sent may still be heard to its end. */
  #cancelled(itemId: string): void {
    if (this.#options.leg.isStock && this.#reports && !this.#playback.isFinal(itemId)) this.#ending.add(itemId)
    else this.#cutShort(itemId)
  }

  #userSpeech(event: EngineEvent & { type: 'userSpeech' }): void {
    const speech = this.#speechMs.get(event.itemId)
    if (event.phase === 'stop') {
      if (speech !== undefined) speech.stopMs = event.atMs
      this.#options.onActivity('thinking')
      return
    }
    this.#speechMs.set(event.itemId, { startMs: event.atMs, stopMs: event.atMs })
    this.#options.recorder.begin(event.itemId, 'user', true)
    if (event.keeps !== true) this.interrupt()
    this.#options.onActivity('listening')
  }

  #userText(event: EngineEvent & { type: 'userText' }): void {
    const { recorder } = this.#options
    recorder.begin(event.itemId, 'user', true)
    if (event.delta !== undefined) recorder.append(event.itemId, event.delta)
    if (event.final === undefined && event.failed === undefined) return
    const text = event.final ?? recorder.find(event.itemId)?.text ?? ''
    const speech = this.#speechMs.get(event.itemId)
    this.#speechMs.delete(event.itemId)
    const spokenMs = speech === undefined ? 0 : speech.stopMs - speech.startMs
    if (text !== '') recorder.change(event.itemId, { text, state: 'final' })
    else if (spokenMs > 0 && (event.failed !== undefined || this.#capabilities.hears === 'speech')) {
      // Honest: there was speech, and nobody here knows its words.
      recorder.change(event.itemId, {
        text: `[${(spokenMs / 1000).toFixed(1)} s of speech, not transcribed]`,
        state: 'final',
      })
    } else recorder.drop(event.itemId)
    this.#options.onTurnEnd()
  }

  /** The person cut in: stop the player, then write down what it had played. */
  interrupt(): void {
    const playing = this.#playback.unfinished().filter((itemId) => !this.#cut.has(itemId))
    if (playing.length > 0) this.#lastCut = playing
    for (const itemId of playing) {
      this.#cut.add(itemId)
      this.#options.recorder.interrupted()
      this.#options.leg.flush(itemId)
      this.#options.player?.cut(itemId)
      if (!this.#reports) this.#playback.inferPlayed(this.#options.clock.monotonicMs())
      if (!this.#reports || this.#playback.isFinal(itemId)) this.#cutShort(itemId)
      else
        this.#waiting.set(
          itemId,
          this.#options.clock.after(reportMs, () => this.#cutShort(itemId)),
        )
    }
  }

  /** The person had not meant it: the words that the last cut took away. Given once. */
  takeBack(): string {
    const rest = this.#lastCut.map((itemId) => this.#options.recorder.find(itemId)?.unheard ?? '')
    this.#lastCut = []
    return rest.filter((text) => text !== '').join(' ')
  }

  played(itemId: string, playedMs: number, final: boolean): void {
    this.#options.player?.played(itemId, playedMs)
    this.#playback.played(itemId, playedMs, final)
    const waited = this.#latency.played(itemId, playedMs, this.#options.clock.monotonicMs())
    if (waited !== undefined) this.#options.recorder.change(itemId, waited)
    if (final && (this.#waiting.has(itemId) || this.#ending.has(itemId))) this.#cutShort(itemId)
    else if (final) this.#noteAudio(itemId)
  }

  /** An answer is being made. */
  get responding(): boolean {
    return this.#responses.size > 0
  }

  /** Spoken by the owner before, whose player was lost with it. */
  restore(unplayed: Unplayed): void {
    this.#playback.restore(unplayed.itemId, unplayed.text, unplayed)
    this.#held.add(unplayed.itemId)
    this.#restored.add(unplayed.itemId)
  }

  /** The connection is gone, and with it what its player held. */
  lost(): void {
    this.#isLost = true
    this.#options.player?.lost()
    for (const itemId of this.#playback.unfinished()) if (!this.#cut.has(itemId)) this.#held.add(itemId)
  }

  /** A new player is there; it has none of what was held. */
  here(): void {
    this.#isLost = false
    this.#options.player?.here()
  }

  /** Cuts what the lost player had not played and gives its words, to be said anew. */
  restUnplayed(): string {
    const held = [...this.#held]
    this.#held.clear()
    const rest: string[] = []
    for (const itemId of held) {
      if (this.#cut.has(itemId)) continue
      this.#cutShort(itemId)
      rest.push(this.#options.recorder.find(itemId)?.unheard ?? '')
    }
    return rest.filter((text) => text !== '').join(' ')
  }

  /** Sound that went past us is gone: cuts what of complete answers was still to be heard, and gives its words. */
  restOfComplete(): string {
    if (this.#isLost) return ''
    this.#playback.inferPlayed(this.#options.clock.monotonicMs())
    const going = new Set([...this.#responses].flatMap((id) => [...(this.#itemsOf.get(id) ?? [])]))
    const rest = this.#playback.unfinished().filter((itemId) => !this.#cut.has(itemId) && !going.has(itemId))
    for (const itemId of rest) this.#cutShort(itemId)
    return rest.flatMap((itemId) => this.#options.recorder.find(itemId)?.unheard ?? []).join(' ')
  }

  /** A stock client's own truncate: it is the better witness. */
  truncatedByClient(itemId: string, heardMs: number): void {
    if (!this.#cut.has(itemId)) this.#options.recorder.interrupted()
    this.#told.withdraw(itemId)
    this.#cutShort(itemId, heardMs)
  }

  /** The same, when it can be true; otherwise why not, and nothing changes. */
  truncate(itemId: string, heardMs: number): 'unknown_item' | 'no_audio' | 'beyond_audio' | undefined {
    const sentMs = this.#playback.sentMs(itemId)
    if (sentMs === 0) return this.#options.recorder.find(itemId) === undefined ? 'unknown_item' : 'no_audio'
    // A client rounds up: the last started millisecond is not beyond.
    if (heardMs > Math.ceil(sentMs)) return 'beyond_audio'
    this.truncatedByClient(itemId, heardMs)
    return undefined
  }

  /** Audio that the player still holds: what a closing sentence must wait for. */
  get stillPlaying(): boolean {
    if (!this.#reports) this.#playback.inferPlayed(this.#options.clock.monotonicMs())
    return this.#playback.unfinished().some((itemId) => !this.#cut.has(itemId))
  }

  get isQuiet(): boolean {
    return !this.responding && !this.stillPlaying
  }

  /** The leg is gone: what its player had not reported was not heard. */
  hangUp(): void {
    if (!this.#reports) this.#playback.inferPlayed(this.#options.clock.monotonicMs())
    // What was cut before stays as it was: real time goes on, its player does not.
    const playing = this.#playback.unfinished().filter((itemId) => !this.#cut.has(itemId))
    for (const itemId of new Set([...this.#waiting.keys(), ...this.#ending, ...playing])) this.#cutShort(itemId)
    for (const turn of this.#options.recorder.turns) {
      if (turn.state !== 'partial') continue
      if (turn.text === '' && turn.tool === undefined) this.#options.recorder.drop(turn.itemId)
      else this.#options.recorder.change(turn.itemId, { state: 'final' })
    }
  }

  #noteAudio(itemId: string): void {
    const heard = this.#playback.heard(itemId)
    const turn = this.#options.recorder.find(itemId)
    if (heard === undefined || turn === undefined || turn.state === 'partial' || turn.state === 'interrupted') return
    this.#options.recorder.change(itemId, {
      audio: { sentMs: Math.round(heard.sentMs), playedMs: Math.round(heard.playedMs) },
    })
  }

  #cutShort(itemId: string, exactMs?: number): void {
    this.#waiting.get(itemId)?.cancel()
    this.#waiting.delete(itemId)
    this.#ending.delete(itemId)
    this.#cut.add(itemId)
    const heard = this.#playback.heard(itemId)
    const turn = this.#options.recorder.find(itemId)
    if (heard === undefined || turn === undefined) return
    const playedMs = exactMs ?? heard.playedMs
    const whole = [turn.text, turn.unheard ?? ''].filter((part) => part !== '').join(' ')
    const split = splitHeard(whole, { spans: heard.spans, audioMs: heard.sentMs, playedMs, audioDone: heard.audioDone })
    const audio = { sentMs: Math.round(heard.sentMs), playedMs: Math.round(Math.min(playedMs, heard.sentMs)) }
    if (split.unheard === '' && heard.audioDone)
      this.#options.recorder.change(itemId, { state: 'final', text: whole, audio })
    else
      this.#options.recorder.change(itemId, { state: 'interrupted', text: split.heard, unheard: split.unheard, audio })
    if (exactMs === undefined && !this.#restored.has(itemId)) this.#told.tell(itemId, heard.playedMs, split)
    this.#options.onTurnEnd()
  }
}
