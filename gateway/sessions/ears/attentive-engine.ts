// An engine as the session uses it: it is interrupted by who means it, and by nothing else. Stands between session and engine:
// listens to the person's audio and to the agent's own, keeps the start of speech back until it is known to be meant, and tells
// the engine. Whatever it keeps back it passes on or drops within seconds, and no speech gets two verdicts.

import type { Capabilities, CommandAnswer, Engine, EngineCommand, EngineEvent } from '../../engines/engines.ts'
import type { Clock, Timer } from '../../platform/clock.ts'
import type { Leg } from '../leg.ts'
import { Hold } from './hold.ts'
import { judge, type Known, type Verdict } from './judge.ts'
import { Loudspeaker } from './loudspeaker.ts'
import { type Input, Microphone } from './microphone.ts'
import { Nods, OwnWords } from './words.ts'

type Of<T extends EngineEvent['type']> = Extract<EngineEvent, { type: T }>
type Speech = Of<'userSpeech'>

export interface AttentionSettings {
  /** False: the engine stops for speech as it likes. */
  readonly decides: boolean
  readonly filtersEcho: boolean
  /** Undefined: by whether the player can be held. */
  readonly interruptMs?: number
  readonly nods: readonly string[]
  /** A sentence that nobody interrupts. */
  readonly guarded?: string
}

export interface AttentionNeeds {
  readonly clock: Clock
  readonly engine: Engine
  readonly leg: Pick<Leg, 'hold'>
  readonly language: string
  readonly settings: AttentionSettings
  readonly tell: (event: EngineEvent) => void
  /** The words that the last cut took away; they count as said from now on. */
  readonly takeBack: () => string
  readonly onVerdict?: (verdict: Verdict) => void
}

/** Nearly everybody nods shorter than this, nearly nobody interrupts shorter. Where the player is silent meanwhile, it costs nothing to be sure. */
const interruptMs = { heldMs: 900, playingMs: 700 }
const lookMs = 100
/** No audio comes: the microphone was muted in the middle of a word. */
const mutedMs = 500
const mostPending = 8
const keptIgnored = 64

interface Pending {
  readonly start: Speech
  readonly sinceMs: number
  /** What had been spoken before. */
  readonly fromMs: number
  readonly perhapsFromMs: number
  perhapsMs: number
  stop: Speech | undefined
  overMs: number | undefined
  speechMs: number
  echoMs: number
  words: string
  wordsAre: 'coming' | 'complete' | 'lost'
}

export class AttentiveEngine implements Engine {
  readonly #needs: AttentionNeeds
  readonly #speaker = new Loudspeaker()
  readonly #microphone: Microphone
  readonly #hold: Hold
  readonly #nods: Nods
  readonly #own = new OwnWords()
  readonly #responses = new Set<string>()
  readonly #pending = new Map<string, Pending>()
  readonly #ignored = new Set<string>()
  /** Cut by its length: if it turns out to have no words, the agent goes on. */
  #unsure: string | undefined
  #guard: 'none' | 'asked' | 'on' = 'none'
  /** Meant, and going on. */
  #open: Speech | undefined
  #openedAtMs = 0
  #isLost = false
  #heardAtMs = 0
  #timer: Timer | undefined

  constructor(needs: AttentionNeeds) {
    this.#needs = needs
    const { settings, language, leg } = needs
    this.#microphone = new Microphone(this.#speaker, settings.filtersEcho)
    this.#hold = new Hold(leg, (on, nowMs) => this.#speaker.hold(on, nowMs))
    this.#nods = new Nods(language, settings.nods)
  }

  get kind(): string {
    return this.#needs.engine.kind
  }
  get capabilities(): Capabilities {
    return this.#needs.engine.capabilities
  }
  get bufferedBytes(): number {
    return this.#needs.engine.bufferedBytes
  }
  start(): void {
    this.#needs.engine.start()
  }
  pause(): void {
    this.#needs.engine.pause()
  }
  resume(): void {
    this.#needs.engine.resume()
  }
  close(): void {
    this.#stopLooking()
    this.#needs.engine.close()
  }

  send(command: EngineCommand): CommandAnswer {
    const { guarded } = this.#needs.settings
    if (command.type === 'say' && command.text === guarded) this.#guard = 'asked'
    if (command.type === 'update' && command.fields.outputModality === 'text') this.#guard = 'none'
    const answer = this.#needs.engine.send(command)
    if ('reason' in answer && command.type === 'say') this.#guard = 'none'
    return answer
  }

  audio(input: Input): void {
    const { engine } = this.#needs
    const nowMs = this.#nowMs
    engine.audio(this.#microphone.take(input, nowMs, this.#responses.size > 0))
    if (!this.#needs.settings.decides) return
    this.#heardAtMs = nowMs
    for (const pending of this.#pending.values()) measure(pending, this.#microphone.presence)
    this.#look()
  }

  get #nowMs(): number {
    return this.#needs.clock.monotonicMs()
  }

  // From the player

  played(itemId: string, playedMs: number): void {
    this.#speaker.played(itemId, playedMs, this.#nowMs)
  }

  cut(itemId: string): void {
    this.#speaker.flushed(itemId, this.#nowMs)
  }

  lost(): void {
    this.#isLost = true
    this.#guard = 'none'
    this.#hold.forget(this.#nowMs)
    this.#speaker.clear(this.#nowMs)
  }

  here(): void {
    this.#isLost = false
  }

  // From the engine

  event(event: EngineEvent): void {
    switch (event.type) {
      case 'responseStarted':
        this.#responses.add(event.responseId)
        if (this.#guard === 'asked') this.#guard = 'on'
        break
      case 'responseDone':
        this.#responses.delete(event.responseId)
        this.#speaker.done()
        this.#own.pause()
        break
      case 'audio':
        if (!this.#isLost && event.pcm !== undefined) this.#speaker.sent(event.itemId, event.pcm, this.#nowMs)
        break
      case 'audioDone':
        this.#speaker.done(event.itemId)
        break
      case 'agentText':
        if (event.spoken && event.delta !== undefined) this.#own.add(event.delta)
        break
      case 'userSpeech':
        this.#speech(event)
        return
      case 'userText':
        this.#words(event)
        return
      case 'closed':
        this.#stopLooking()
        break
      default:
    }
    this.#needs.tell(event)
  }

  #speech(event: Speech): void {
    const { itemId, phase } = event
    if (this.#ignored.has(itemId)) return
    const pending = this.#pending.get(itemId)
    if (phase === 'stop' && pending !== undefined) {
      pending.stop = event
      pending.overMs = this.#nowMs
      // Nothing has shown that it was an echo.
      if (pending.echoMs === 0) pending.speechMs += Math.min(sureMs, pending.perhapsMs)
    } else if (phase === 'stop' || !this.#needs.settings.decides || event.interrupts || event.keeps === true) {
      // Nothing stops for it, so there is nothing to judge: it is said to the agent.
      if (phase === 'start' && event.keeps === true) this.#needs.engine.send({ type: 'interrupt', itemId })
      if (this.#open?.itemId === itemId) this.#open = undefined
      this.#needs.tell(event)
      return
    } else this.#begin(event)
    this.#look()
  }

  #begin(start: Speech): void {
    const { presence } = this.#microphone
    const nothing = { stop: undefined, overMs: undefined, speechMs: 0, echoMs: 0, words: '' }
    // The engine notices late: what is under way belongs to it.
    const fromMs = presence.spokenMs - (presence.isOn ? presence.speechMs : 0)
    const doubt = { perhapsFromMs: presence.perhapsMs, perhapsMs: 0 }
    const pending: Pending = { start, sinceMs: this.#nowMs, fromMs, ...doubt, ...nothing, wordsAre: 'coming' }
    measure(pending, presence)
    this.#pending.set(start.itemId, pending)
    const [oldest] = this.#pending.keys()
    if (this.#pending.size > mostPending && oldest !== undefined) this.#decide(oldest, { is: 'ignored', why: 'noise' })
  }

  #words(event: Of<'userText'>): void {
    const { itemId, delta, final, failed } = event
    const pending = this.#pending.get(itemId)
    if (pending !== undefined) {
      pending.words = final ?? pending.words + (delta ?? '')
      if (final !== undefined) pending.wordsAre = 'complete'
      else if (failed !== undefined) pending.wordsAre = 'lost'
      this.#look()
    }
    // To the session they are nobody's words.
    if (this.#ignored.has(itemId)) {
      if (final === undefined && failed === undefined) return
      this.#needs.tell({ type: 'userText', source: 'local', itemId, final: '' })
    } else this.#needs.tell(event)
    if (itemId === this.#unsure && final !== undefined) this.#regret(final)
  }

  /** Cut for nothing, and nobody answers nothing: what was cut is said. */
  #regret(words: string): void {
    this.#unsure = undefined
    const { engine, takeBack } = this.#needs
    const { hears, say } = engine.capabilities
    if (words.trim() !== '' || hears === 'speech' || say === 'paraphrase' || this.#isBusy) return
    const rest = takeBack()
    if (rest !== '') engine.send({ type: 'say', text: rest })
  }

  get #isBusy(): boolean {
    return this.#responses.size > 0 || this.#speaker.isBusy(this.#nowMs)
  }

  /** From the moment it was asked for until it was heard. */
  get #isGuarded(): boolean {
    if (this.#guard === 'on' && !this.#isBusy) this.#guard = 'none'
    return this.#guard !== 'none'
  }

  #look(): void {
    const nowMs = this.#nowMs
    for (const [itemId, pending] of this.#pending) this.#decide(itemId, this.#judge(pending, nowMs))
    this.#cutAgain(nowMs)
    const mayHold = this.#speaker.isBusy(nowMs) && !this.#isGuarded && !this.#isLost
    const { isHeard, speechMs } = this.#microphone.presence
    this.#hold.look({ isOn: isHeard && nowMs - this.#heardAtMs < mutedMs, speechMs }, mayHold, nowMs)
    if (this.#pending.size === 0 && !this.#hold.isOn) this.#stopLooking()
    else this.#timer ??= this.#needs.clock.every(lookMs, () => this.#look())
  }

  /** In a loud room an engine hears one long speech: what is said over the agent's next answer has no beginning of its own. */
  #cutAgain(nowMs: number): void {
    const { decides } = this.#needs.settings
    const { isOn, speechMs } = this.#microphone.presence
    if (!decides || this.#open === undefined || !isOn || speechMs < this.#interruptMs) return
    if (!this.#speaker.isBusy(nowMs) || this.#isGuarded || nowMs - this.#openedAtMs < speechMs) return
    this.#openedAtMs = nowMs
    this.#needs.tell(this.#open)
    this.#hold.release(nowMs)
    for (const responseId of this.#responses) this.#needs.engine.send({ type: 'cancel', responseId })
  }

  get #interruptMs(): number {
    return this.#needs.settings.interruptMs ?? (this.#hold.isPossible ? interruptMs.heldMs : interruptMs.playingMs)
  }

  #stopLooking(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #judge(pending: Pending, nowMs: number): Verdict {
    const { engine } = this.#needs
    const known: Known = {
      isBusy: this.#isBusy,
      isAudible: this.#speaker.isBusy(nowMs),
      isGuarded: this.#isGuarded,
      speechMs: pending.speechMs,
      echoMs: pending.echoMs,
      interruptMs: this.#interruptMs,
      overMs: pending.overMs === undefined ? undefined : nowMs - pending.overMs,
      words: pending.words,
      wordsAre: engine.capabilities.hears === 'speech' ? 'none' : pending.wordsAre,
    }
    return judge(known, this.#nods, this.#own)
  }

  #decide(itemId: string, verdict: Verdict): void {
    const pending = this.#pending.get(itemId)
    if (verdict.is === 'wait' || pending === undefined) return
    this.#pending.delete(itemId)
    this.#needs.onVerdict?.(verdict)
    if (verdict.is === 'ignored') this.#ignore(itemId, verdict.why)
    else this.#mean(itemId, pending, verdict.by)
  }

  #ignore(itemId: string, why: 'backchannel' | 'noise' | 'echo'): void {
    // What was nodded is part of the conversation; it stops nothing.
    if (why !== 'backchannel') this.#ignored.add(itemId)
    const [oldest] = this.#ignored
    if (this.#ignored.size > keptIgnored && oldest !== undefined) this.#ignored.delete(oldest)
    this.#needs.engine.send({ type: 'ignore', itemId, why })
  }

  #mean(itemId: string, { start, stop, sinceMs, overMs }: Pending, by: 'quiet' | 'length' | 'words'): void {
    const { tell, engine } = this.#needs
    const nowMs = this.#nowMs
    this.#unsure = by === 'length' ? itemId : undefined
    // The session flushes the player first: what is held must not sound again.
    tell({ ...start, keptMs: nowMs - sinceMs })
    this.#open = stop === undefined ? start : undefined
    this.#openedAtMs = nowMs
    this.#hold.release(nowMs)
    engine.send({ type: 'interrupt', itemId })
    if (stop !== undefined) tell({ ...stop, keptMs: nowMs - (overMs ?? nowMs) })
  }
}

/** After so much of a voice an echo would have been recognised. */
const sureMs = 300

function measure(
  pending: Pending,
  presence: { readonly spokenMs: number; readonly perhapsMs: number; readonly echoMs: number },
): void {
  if (pending.overMs !== undefined) return
  // It begins anew when what was doubted has turned out to be an echo.
  pending.perhapsMs = Math.max(0, presence.perhapsMs - pending.perhapsFromMs)
  pending.speechMs = presence.spokenMs - pending.fromMs + Math.max(0, pending.perhapsMs - sureMs)
  pending.echoMs = Math.max(pending.echoMs, presence.echoMs)
}
