// One live session: joins leg, engine, talk, toolbox and budget, and performs what `step` decides.

import type { Capabilities, CommandAnswer, EngineCommand, EngineEvent } from '../engines/engines.ts'
import type { Timer } from '../platform/clock.ts'
import { Problem } from '../platform/problem.ts'
import { type EndReason, limits } from '../protocol/realtime.ts'
import type { SessionView } from '../protocol/rest.ts'
import type { Turn } from '../protocol/turn.ts'
import type { ActionAnswer, Outcome, PageAction } from '../tools/tools.ts'
import { Absence } from './absence.ts'
import { type Call, type CallEffect, type CallEvent, step } from './call.ts'
import { sayClosing } from './closing.ts'
import { letGo, sayGoingAway, takeUp } from './hand-over.ts'
import type { LegPort, Raw, Submit } from './leg.ts'
import { Outcomes, type Told } from './outcomes.ts'
import type { SessionOptions, SessionParts } from './session-parts.ts'
import { type Activity, Talk } from './talk.ts'
import { flushMs, frozenMs, openMs } from './times.ts'
import { Written } from './written.ts'

const given = (raw: Raw | undefined): { readonly raw?: Raw } => (raw === undefined ? {} : { raw })

export class Session implements LegPort {
  readonly options: SessionOptions
  readonly #parts: SessionParts
  readonly talk: Talk
  #call: Call = { at: 'opening', away: false }
  #activity: Activity = 'listening'
  #greeted: boolean
  #voiceOn: boolean
  #lastByteAtMs = 0
  #beatAtMs: number
  readonly #absence: Absence
  readonly #outcomes: Outcomes
  readonly #written: Written
  #lastActiveMs: number
  #heartbeats = 0
  #closingSaid = false
  readonly #timers: Timer[] = []
  readonly #ended = Promise.withResolvers<void>()

  constructor(options: SessionOptions, parts: SessionParts) {
    this.options = options
    this.#parts = parts
    this.#lastActiveMs = parts.clock.monotonicMs()
    this.talk = new Talk({
      clock: parts.clock,
      recorder: parts.recorder,
      engine: parts.engine,
      leg: parts.leg,
      player: parts.engine,
      onActivity: (activity) => this.#does(activity),
      onTurnEnd: () => parts.budget.checkpoint(),
    })
    this.#greeted = options.recovery !== undefined
    this.#voiceOn = options.recovery?.voice ?? false
    this.#beatAtMs = this.#lastActiveMs
    this.#absence = new Absence({
      clock: parts.clock,
      budget: parts.budget,
      talk: this.talk,
      engine: parts.engine,
      onWindowOver: () => this.dispatch({ is: 'windowOver' }),
      onSilent: () => this.voice(false),
    })
    this.#outcomes = new Outcomes({
      ...parts,
      isQuiet: () => this.state === 'live' && !this.isAway && this.talk.isQuiet,
    })
    this.#written = new Written({
      ...{ parts, talk: this.talk, options },
      onActivity: (activity) => this.#does(activity),
      isOver: () => this.#call.at === 'ended',
    })
  }

  get state(): SessionView['state'] {
    return this.#call.at
  }
  get activity(): Activity {
    return this.#activity
  }
  /** On its way to another process; `ended` tells when. */
  get isLeaving(): boolean {
    return this.#call.at === 'ended' && this.#call.why === 'drain'
  }
  /** Resolves when everything about the session is durable. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }
  get turns(): readonly Turn[] {
    return this.#parts.recorder.turns
  }
  get capabilities(): Capabilities {
    return this.#parts.engine.capabilities
  }
  get voiceOn(): boolean {
    return this.#voiceOn
  }
  get isAway(): boolean {
    return 'away' in this.#call && this.#call.away
  }
  /** Nobody speaks and no answer is being made: a moment at which another process can take over unheard. */
  get atBoundary(): boolean {
    return !this.talk.responding && (this.#activity === 'listening' || this.#activity === 'speaking')
  }

  start(): void {
    const { clock, engine } = this.#parts
    this.#timers.push(
      clock.after(openMs, () => this.dispatch({ is: 'openTimeout' })),
      clock.after(this.options.limits.maxDurationMs, () => this.dispatch({ is: 'durationCap' })),
      clock.every(limits.heartbeatMs, () => this.#beat()),
    )
    if (this.options.recovery?.voice === true) this.#absence.awaitVoice()
    engine.start()
  }

  dispatch(event: CallEvent): void {
    const [next, effects] = step(this.#call, event)
    const changed = next !== this.#call
    this.#call = next
    for (const effect of effects) this.#perform(effect)
    if (changed) this.#parts.onChange()
  }

  #perform(effect: CallEffect): void {
    switch (effect.do) {
      case 'goLive':
        this.#parts.budget.start()
        this.#parts.budget.checkpoint()
        takeUp(this.#parts, this.options.recovery)
        return
      case 'awaitReturn':
        this.#absence.begin(this.#lastByteAtMs, this.#voiceOn)
        return
      case 'welcomeBack':
        this.#absence.end(this.#voiceOn)
        return
      case 'sayGoingAway':
        sayGoingAway(this.#parts.leg, this.options.drainMs)
        return
      case 'handOver':
        void this.#handOver()
        return
      case 'warnCredit':
        this.#parts.onNotice('credit_low', 'Less than a minute of credit is left.')
        return
      case 'sayClosing':
        this.#sayClosing(effect.why)
        return
      case 'finish':
        void this.#finish(effect)
        return
    }
  }

  #sayClosing(why: EndReason): void {
    const is = { isSaid: () => this.#closingSaid, dispatch: (event: CallEvent) => this.dispatch(event) }
    this.#timers.push(...sayClosing(this.#parts, { why, text: this.options.closing, talk: this.talk, ...is }))
  }

  #stop(): void {
    for (const timer of this.#timers.splice(0)) timer.cancel()
    this.#absence.close()
    this.#parts.toolbox.close()
    this.#outcomes.close()
    this.#parts.pageCalls.close()
    this.#parts.budget.stop()
  }

  /** Partial turns stay so: the next owner sees where it was cut. */
  async #handOver(): Promise<void> {
    this.#stop()
    this.#parts.engine.close()
    await letGo(this.#parts)
    this.#ended.resolve()
    this.#parts.onChange()
  }

  async #finish(effect: CallEffect & { do: 'finish' }): Promise<void> {
    const { engine, leg, recorder, log } = this.#parts
    this.#stop()
    this.talk.hangUp()
    leg.end(effect.why, effect.problem === undefined ? undefined : new Problem(effect.problem))
    engine.close()
    try {
      if (!(await recorder.settle(flushMs))) log.error('turns were not stored before the session ended')
      await this.#parts.onFinish({ why: effect.why, settle: effect.settle })
    } catch (error) {
      log.error({ err: error }, 'the end of the session was not stored; the janitor will close it')
    } finally {
      this.#ended.resolve()
      this.#parts.onChange()
    }
  }

  #beat(): void {
    const nowMs = this.#parts.clock.monotonicMs()
    // This process stood still: somebody else may own the session by now, so look before anything else is done.
    if (nowMs - this.#beatAtMs > frozenMs) this.#parts.budget.checkpoint()
    this.#beatAtMs = nowMs
    this.#parts.leg.heartbeat(++this.#heartbeats)
    const quietMs = nowMs - this.#lastActiveMs
    if (
      !this.isAway &&
      this.#activity === 'listening' &&
      !this.talk.stillPlaying &&
      quietMs > this.options.limits.idleMs
    )
      this.dispatch({ is: 'idle' })
    this.#parts.onChange()
  }

  /** How a call ended that waited for a person: shown at once, said when nobody is in the middle of a sentence. */
  tell(outcome: Outcome): Promise<Told> {
    this.#parts.toolbox.settle(outcome.callId, outcome)
    return this.#outcomes.tell(outcome)
  }

  #does(activity: Activity): void {
    this.#lastActiveMs = this.#parts.clock.monotonicMs()
    if (this.#activity === activity) return
    this.#activity = activity
    this.#parts.onChange()
  }

  // From the engine

  engineEvent(event: EngineEvent): void {
    const isOver = this.#call.at === 'ended'
    // Of what has ended only the bill still counts.
    if (isOver && event.type === 'usage') this.#parts.budget.meters(event.meters)
    if (isOver) return
    const pass = this.talk.event(event)
    this.#outcomes.event(event)
    if ((event.type === 'audio' || this.#own(event)) && pass) this.#parts.leg.engineEvent(event)
  }

  /** What the session itself does with an event; false keeps it from the leg. */
  #own(event: EngineEvent): boolean {
    const { toolbox } = this.#parts
    switch (event.type) {
      case 'ready':
        this.dispatch({ is: 'engineReady' })
        return true
      case 'responseStarted':
        toolbox.responseStarted()
        return true
      case 'responseDone':
        toolbox.responseDone()
        this.#absence.responseDone()
        // Neither an answer that broke off nor a line of our own is the closing sentence.
        if (this.#call.at === 'ending') this.#closingSaid = event.source !== 'local' && event.status === 'completed'
        return true
      case 'userSpeech':
        if (event.phase === 'start') toolbox.newTurn()
        return true
      case 'toolCall':
        if (toolbox.owns(event.name)) toolbox.call(event)
        else toolbox.clientCall(event)
        return !toolbox.owns(event.name)
      case 'usage':
        // What it costs is counted where the engine is heard to its end.
        return true
      case 'firstToken':
        return false
      case 'error':
        this.#parts.log[event.benign ? 'debug' : 'warn']({ code: event.code }, 'engine error')
        return !event.benign || event.wire !== undefined
      case 'rateLimited':
        this.#parts.log.warn({ retryAfterMs: event.retryAfterMs }, 'engine rate limited')
        return false
      case 'closed':
        if (event.cause !== 'asked') this.#parts.log.warn({ code: event.code, cause: event.cause }, 'engine closed')
        this.dispatch({ is: 'engineClosed', cause: event.cause })
        return false
      default:
        return true
    }
  }

  // From the leg

  audio(input: { readonly pcm: Buffer } | { readonly appendFrame: Buffer }): void {
    if (this.#call.at === 'ended') return
    this.#parts.engine.audio(input)
  }

  say(itemId: string, text: string): void {
    if (this.#call.at !== 'ended') this.#written.say(itemId, text)
  }

  submit(submit: Submit): void {
    if (this.#call.at !== 'ended') this.#written.submit(submit)
  }

  actionResult(callId: string, ok: boolean, result: unknown): CommandAnswer {
    return this.#parts.pageCalls.answer(callId, ok, result)
      ? { is: 'applied' }
      : { is: 'rejected', reason: 'unknown_call' }
  }

  askPage(action: PageAction): Promise<ActionAnswer> {
    return this.#parts.pageCalls.ask(action)
  }

  userText(itemId: string, text: string, raw?: Raw): CommandAnswer {
    return this.#call.at === 'ended' ? { is: 'rejected', reason: 'closed' } : this.#written.text(itemId, text, raw)
  }

  respond(raw?: Raw): CommandAnswer {
    return this.#parts.engine.send({ type: 'respond', ...given(raw) })
  }

  cancel(responseId?: string, raw?: Raw): CommandAnswer {
    return this.#parts.engine.send({
      type: 'cancel',
      ...(responseId === undefined ? {} : { responseId }),
      ...given(raw),
    })
  }

  truncate(itemId: string, heardMs: number): CommandAnswer {
    const reason = this.talk.truncate(itemId, heardMs)
    if (reason !== undefined) return { is: 'rejected', reason }
    return this.#parts.engine.send({ type: 'truncate', itemId, heardMs: Math.floor(heardMs) })
  }

  played(itemId: string, playedMs: number, final: boolean): void {
    // No sign of a person: a script could send it for ever.
    this.talk.played(itemId, playedMs, final)
  }

  interrupt(): void {
    this.talk.interrupt()
  }

  toolResult(callId: string, output: string, raw?: Raw): CommandAnswer {
    const { toolbox, engine } = this.#parts
    if (toolbox.ran(callId)) return { is: 'rejected', reason: 'unknown_call' }
    const answer = engine.send({ type: 'toolResult', callId, output, ...given(raw) })
    if (!('reason' in answer)) toolbox.clientResult(callId, output)
    return answer
  }

  command(command: EngineCommand): CommandAnswer {
    return this.#parts.engine.send(command)
  }

  voice(on: boolean): void {
    this.#voiceOn = on
    if (this.#absence.voice(on)) return
    this.#parts.engine.send({ type: 'update', fields: { outputModality: on ? 'audio' : 'text' } })
    if (!on) {
      this.talk.interrupt()
      return
    }
    this.#lastActiveMs = this.#parts.clock.monotonicMs()
    if (this.#greeted || this.options.greeting === null || this.#parts.recorder.count > 0) return
    this.#greeted = true
    this.#parts.engine.send({ type: 'say', text: this.options.greeting })
  }

  slow(slow: boolean): void {
    if (slow) this.#parts.engine.pause()
    else this.#parts.engine.resume()
  }

  get backlogBytes(): number {
    return this.#parts.engine.bufferedBytes
  }

  confirmed(resumeToken: string): void {
    this.#parts.resume?.confirm(resumeToken)
  }

  bye(): void {
    this.dispatch({ is: 'bye' })
  }

  lost(lastByteAtMs: number): void {
    this.#lastByteAtMs = lastByteAtMs
    this.dispatch({ is: 'legLost', canReturn: this.#parts.leg.canReturn })
  }

  back(): void {
    this.#lastActiveMs = this.#parts.clock.monotonicMs()
    this.dispatch({ is: 'legBack' })
  }

  asleep(sinceMs: number): void {
    if (!this.isAway) this.#parts.budget.asleep(sinceMs)
  }

  awake(): void {
    if (!this.isAway) this.#parts.budget.back()
  }
}
