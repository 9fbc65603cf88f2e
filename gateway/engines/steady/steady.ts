// One engine over the life of several: a lost, silent or expired provider is replaced behind it, the conversation goes on.
// - Nothing that was passed on is ever passed on again: a broken answer is ended as far as it was said, and the
//   replacement is asked for what follows (`goOn`). What the person said and nobody has the words of is heard again.
// - `ready` comes once, `closed` once and last. Between them an engine may be missing: intents are remembered.
// - Trouble is told at once; when the person has nothing to hear, a holding line is said after 2 s (4 s of silence).
// - Before the provider's cap the engine is exchanged where nobody speaks, the new one being ready first.

import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import type {
  Capabilities,
  CloseCause,
  CommandAnswer,
  Engine,
  EngineCommand,
  EngineEvent,
  EngineTrouble,
  OpenSteady,
  SteadyOptions,
} from '../engines.ts'
import { Recent } from '../recent.ts'
import { Answers, type Ask, isAsked, remainder, renewed, saidIn } from './answers.ts'
import { Cap } from './cap.ts'
import { Chain, hearsNow, type Slot } from './chain.ts'
import { capOf, isDirect, isReplaceable, leaveDirect, openFirst } from './direct.ts'
import { Intents } from './intents.ts'
import type { AudioInput } from './kept-audio.ts'
import { broken, spoken, unheard } from './local.ts'
import { Memory } from './memory.ts'
import { follow } from './person.ts'
import { Retry } from './retry.ts'
import { Speech } from './speech.ts'
import { type HoldingLine, Trouble } from './trouble.ts'
import { defaultTimes, Silence, type SteadyTimes } from './watch.ts'

export interface SteadyNeeds {
  readonly clock: Clock
  /** 0 ≤ n < 1. */
  readonly random: () => number
  readonly log: Log
  readonly holdingLine?: (language: string) => Promise<HoldingLine | undefined>
  readonly times?: Partial<SteadyTimes>
}

export function createSteady(needs: SteadyNeeds): OpenSteady {
  return (options) => new SteadyEngine(needs, options)
}

/** The client asked while an answer was under way. */
const alreadyAnswering = 'conversation_already_has_active_response'

type Event<T extends EngineEvent['type']> = Extract<EngineEvent, { type: T }>

class SteadyEngine implements Engine {
  readonly #options: SteadyOptions
  readonly #times: SteadyTimes
  readonly #log: Log
  readonly #chain: Chain
  readonly #memory: Memory
  readonly #answers: Answers
  readonly #speech: Speech
  readonly #silence: Silence
  readonly #retry: Retry
  readonly #trouble: Trouble
  readonly #intents: Intents
  readonly #cap: Cap
  /** Which engine said an item; ours have none. */
  readonly #items = new Recent<Slot | undefined>()
  #capabilities: Capabilities
  #everReady = false
  #paused = false
  #closed = false

  constructor(needs: SteadyNeeds, options: SteadyOptions) {
    const { clock, random, log } = needs
    const { tenantId, sessionId, brief } = options
    this.#options = options
    this.#times = { ...defaultTimes, ...needs.times }
    this.#log = log.child({ tenantId, sessionId })
    this.#memory = new Memory(brief)
    this.#answers = new Answers(clock)
    this.#speech = new Speech(brief.turnDetection === 'none', brief.interruptions)
    this.#silence = new Silence(clock, this.#times, {
      quiet: () => this.#trouble.begins('silent', 'silent'),
      dead: () => this.#chain.leave('silent'),
    })
    this.#trouble = new Trouble(needs, this.#times.holdingMs, {
      told: (trouble, code) => this.#told(trouble, code),
      wanted: () => this.#holdingWanted,
      language: () => (this.#memory.brief.outputModality === 'audio' ? this.#memory.brief.language : undefined),
      say: (line) => this.#sayHolding(line),
    })
    this.#chain = new Chain({
      clock,
      random,
      times: this.#times,
      count: options.factories.length,
      open: (index, first, onEvent) => this.#open(index, first, onEvent),
      replaceable: (slot) => isReplaceable(slot, options.direct),
      on: {
        event: (event, slot) => this.#event(event, slot),
        usage: (event) => this.#emit(event),
        ready: (slot) => this.#ready(slot),
        lost: () => this.#lost(),
        trouble: (trouble, code) => this.#trouble.begins(trouble, code),
        prepared: (ready) => this.#cap.prepared(ready),
        over: (cause, code, message) => this.#over(cause, code, message),
      },
    })
    this.#retry = new Retry({
      clock,
      random,
      hasOther: options.factories.length > 1,
      ask: (ask) => this.#askAgain(ask),
    })
    this.#cap = new Cap(clock, this.#times.rollAgainMs, this.#chain, () => this.#quietMoment)
    this.#capabilities = this.#chain.first.engine.capabilities
    this.#intents = new Intents({
      chain: this.#chain,
      answers: this.#answers,
      memory: this.#memory,
      speech: this.#speech,
      holding: this.#trouble.holding,
      retry: this.#retry,
      items: this.#items,
      dialect: () => this.#capabilities.dialect,
    })
  }

  get kind(): string {
    return (this.#chain.now ?? this.#chain.first).engine.kind
  }

  get capabilities(): Capabilities {
    return this.#capabilities
  }

  get bufferedBytes(): number {
    return this.#chain.now?.engine.bufferedBytes ?? 0
  }

  start(): void {
    if (!this.#closed && !this.#everReady) this.#chain.start()
  }

  #open(index: number, first: boolean, onEvent: (event: EngineEvent) => void): Engine {
    const { factories, tenantId, sessionId, brief } = this.#options
    const factory = factories[index] ?? factories[0]
    if (factory === undefined) throw new TypeError('No engine was given')
    const history = first ? brief.history : this.#trouble.without(this.#options.history())
    const model = this.#modelOf(index)
    const open = { tenantId, sessionId, brief: { ...this.#memory.brief, model, history }, onEvent }
    const engine = first ? openFirst(factory, open, this.#options.direct) : factory.open(open)
    if (!first) this.#memory.retell(engine)
    return engine
  }

  #modelOf(index: number): string {
    const { factories, brief } = this.#options
    const factory = factories[index]
    return factory === undefined || factory.kind === factories[0]?.kind ? brief.model : factory.defaultModel
  }

  // From the engines

  #ready(slot: Slot): void {
    const { engine, ready } = slot
    this.#capabilities = engine.capabilities
    this.#cap.starts(capOf(engine))
    if (this.#paused) engine.pause()
    if (slot !== this.#chain.first) this.#speech.audio.replay(engine)
    this.#speech.found()
    if (this.#speech.commitDue) engine.send({ type: 'commitAudio' })
    this.#speech.commitDue = false
    if (this.#everReady) {
      const { kind } = engine
      this.#log.info({ engine: kind }, 'another engine took over')
      this.#options.onSwitch?.({ kind, model: this.#modelOf(slot.index) })
    } else if (ready !== undefined) {
      this.#everReady = true
      this.#emit(ready)
    }
    for (const ask of this.#answers.take()) this.#intents.request(ask)
    if (!this.#answers.due) this.#trouble.ends()
    this.#look()
  }

  #event(event: EngineEvent, slot: Slot): void {
    if (event.type === 'audio') {
      this.#audible(event, slot)
      return
    }
    this.#silence.heard()
    switch (event.type) {
      case 'responseStarted':
        this.#answers.started(event.responseId)
        this.#memory.answerBegins()
        break
      case 'agentItem':
        this.#items.set(event.itemId, slot)
        this.#answers.item(event.itemId)
        break
      case 'audioDone':
        this.#answers.audioDone(event.itemId)
        break
      case 'agentText':
        this.#answers.text(event)
        if (this.#trouble.on) this.#trouble.ends()
        break
      case 'toolCall':
        this.#answers.called()
        this.#memory.called(event.callId, event.name, slot.engine)
        break
      case 'responseDone':
        this.#emit(event)
        this.#done(event, slot)
        this.#look()
        return
      case 'error':
        // An engine that ends with it, or never began, is our affair.
        if (event.code === 'session_expired' || (event.source === 'provider' && !this.#chain.live)) return
        this.#mistaken(event, slot)
        break
      default:
        this.#cap.seen(event)
        follow(event, {
          ...{ answers: this.#answers, speech: this.#speech, holding: this.#trouble.holding },
          answersSpeech: this.#memory.answersSpeech,
          answersEarly: this.#capabilities.conversation === 'continuous',
        })
    }
    this.#emit(event)
    this.#look()
  }

  /** The hot one. */
  #audible(event: Event<'audio'>, slot: Slot): void {
    this.#silence.heard()
    if (this.#answers.audio(event.itemId, event.ms)) this.#items.set(event.itemId, slot)
    this.#trouble.holding.sound(event.ms)
    if (this.#trouble.on) this.#trouble.ends()
    this.#options.onEvent(event)
  }

  #done({ responseId, status, reason }: Event<'responseDone'>, slot: Slot): void {
    const response = this.#answers.done(responseId)
    if (response === undefined) return
    if (status === 'failed') {
      const rest = remainder(response)
      if (rest !== undefined) this.#failed(rest, reason ?? 'failed', slot)
      return
    }
    if (status === 'completed') {
      this.#retry.succeeded()
      this.#memory.answered()
      this.#speech.answered()
      this.#chain.settled()
    }
    this.#trouble.ends()
  }

  /** A request that was refused before its answer began. One of the client's own, with a frame, is the client's affair. */
  #mistaken({ code, benign, wire, eventId }: Event<'error'>, slot: Slot): void {
    const isBusy = code === 'rate_limit_exceeded' || code === 'server_error'
    if (wire !== undefined) {
      const isAnother = eventId === undefined && this.#answers.active !== undefined && code !== alreadyAnswering
      if (!isAnother) this.#answers.refusedOwn(eventId)
    } else if (!benign && this.#answers.active === undefined) {
      const ask = this.#answers.refused()
      if (ask !== undefined && isBusy) this.#failed(ask, code, slot)
    }
  }

  #failed(ask: Ask, code: string, slot: Slot): void {
    const { retryAfterMs } = slot
    slot.retryAfterMs = null
    switch (this.#retry.failed(ask, code, retryAfterMs)) {
      case 'again':
        this.#trouble.begins(code === 'rate_limit_exceeded' ? 'rate_limited' : 'lost', code)
        return
      case 'another':
        this.#answers.asked(ask)
        this.#chain.leave(code, true)
        return
      case 'stands':
        this.#trouble.ends()
    }
  }

  #askAgain(ask: Ask): void {
    if (this.#chain.live) this.#intents.request(ask)
    else this.#answers.asked(ask)
    this.#look()
  }

  /** The engine is gone. Ends what it began and collects what the next one is asked for. */
  #lost(): void {
    const { dialect, media } = this.#capabilities
    const response = this.#answers.broken(media)
    if (response !== undefined) {
      this.#answers.done(response.responseId)
      for (const event of broken(response, dialect)) this.#emit(event)
    }
    const again = this.#retry.take()
    const asks = [...(again === undefined ? [] : [again]), ...this.#answers.take()]
    // Heard again, unless the answer to it has begun.
    const replay = this.#speech.wordless && (response === undefined || response.cut || saidIn(response) === '')
    for (const itemId of this.#speech.lost(replay)) this.#emit(unheard(itemId, replay, dialect))
    const answersIt = replay && response?.ask?.is === 'speech'
    const kept = replay ? asks.filter(isAsked) : asks
    for (const ask of renewed(answersIt ? undefined : response, kept)) this.#answers.asked(ask)
    this.#look()
  }

  #over(cause: CloseCause, code: string, message: string): void {
    this.#closed = true
    this.#silence.watch(false, false)
    this.#trouble.ends()
    this.#cap.over()
    this.#retry.take()
    this.#options.onEvent({ type: 'closed', source: cause === 'asked' ? 'local' : 'provider', cause, code, message })
  }

  #emit(event: EngineEvent): void {
    if (!this.#closed) this.#options.onEvent(event)
  }

  #told(trouble: EngineTrouble, code: string): void {
    this.#log.warn({ trouble, code, engine: this.kind }, 'engine in trouble')
    this.#options.onTrouble?.(trouble, code)
  }

  get #waits(): boolean {
    return this.#answers.due || this.#retry.ask !== undefined
  }

  get #holdingWanted(): boolean {
    const audible = this.#memory.brief.outputModality === 'audio' && !isDirect(this.#chain.now?.engine)
    return this.#waits && audible && !this.#paused && !this.#closed && !this.#speech.speaking
  }

  #sayHolding(line: HoldingLine): void {
    for (const event of spoken(line, this.#capabilities.dialect)) {
      if (event.type === 'agentItem') this.#items.set(event.itemId, undefined)
      if (event.type === 'audio') this.#trouble.holding.sound(event.ms)
      this.#emit(event)
    }
  }

  /** Nobody speaks and nothing is awaited: another engine may take over unnoticed. */
  get #quietMoment(): boolean {
    return (
      !this.#waits &&
      !this.#memory.waitsForTool &&
      !this.#speech.speaking &&
      !this.#speech.wordless &&
      !this.#speech.commitDue
    )
  }

  #look(): void {
    if (this.#chain.live) this.#cap.lives(capOf(this.#chain.now?.engine))
    this.#silence.watch(this.#answers.due && this.#chain.live && !this.#paused, this.#chain.unsettled)
    this.#cap.look()
  }

  // From the session

  send(command: EngineCommand): CommandAnswer {
    if (this.#closed) return { is: 'rejected', reason: 'closed' }
    if (command.type !== 'truncate') this.#cap.stale()
    const answer = this.#intents.do(command)
    this.#look()
    return answer
  }

  audio(input: AudioInput): void {
    if (this.#closed) return
    this.#speech.audio.push(input)
    leaveDirect(this.#chain)
    if (hearsNow(this.#chain)) this.#chain.now?.engine.audio(input)
  }

  pause(): void {
    this.#paused = true
    if (this.#chain.live) this.#chain.now?.engine.pause()
    this.#look()
  }

  resume(): void {
    this.#paused = false
    this.#chain.now?.engine.resume()
    this.#look()
  }

  close(): void {
    if (!this.#closed) this.#chain.close()
  }
}
