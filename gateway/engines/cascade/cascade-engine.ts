// One session with a cascade: ears, mind and mouth of different makers. What was heard waits for `respond` or for the end of
// speech; one answer at a time.

import type { Clock, Timer } from '../../platform/clock.ts'
import { newId } from '../../platform/ids.ts'
import type { Log } from '../../platform/log.ts'
import { accepted, applied, invalidAudio } from '../answers.ts'
import { isAside, samplesIn, withFields } from '../client-frame.ts'
import type {
  Capabilities,
  CommandAnswer,
  Engine,
  EngineBrief,
  EngineCommand,
  EngineEvent,
  EngineOptions,
} from '../engines.ts'
import { Gate } from '../pace.ts'
import { Recent } from '../recent.ts'
import type { VadEvent } from '../sound/vad.ts'
import { PartFailure } from '../text/failure.ts'
import type { Health } from '../text/order.ts'
import type { Times } from '../text/patience.ts'
import { Verdicts } from '../verdicts.ts'
import { Answer, type AnswerNeeds, endEvents } from './answer.ts'
import { Aside, questionOf } from './aside.ts'
import { Conversation, fact } from './conversation.ts'
import { type CascadeParts, capabilitiesOf, unheard } from './facts.ts'
import { looksUnfinished, wordsOf } from './hearing.ts'
import { Listening, shortestCommitMs } from './listening.ts'
import { CascadeMeters, type Completion } from './meters.ts'
import { type Asked, wishOf } from './wish.ts'

export interface CascadeEngineNeeds {
  readonly clock: Clock
  readonly log: Log
  readonly times: Times
  readonly health: Health
  readonly deafness: Deafness
  readonly parts: CascadeParts
  readonly model: string
  /** Whether its servers are there; undefined: they are. Never rejects. */
  ready(): Promise<PartFailure | undefined>
}

/** Speech in a row that nobody could transcribe, in all sessions of the process. */
export class Deafness {
  count = 0
}

const waitingAnswers = 8
const asidesAtOnce = 4
/** Of speech that seems to stop in the middle of a sentence. */
const breathsMs = { low: 2_400, medium: 1_200, auto: 1_200, high: 600 } as const
/** Then the person is asked to say it again; after this many another engine shall listen. */
const deafLimit = 2

export class CascadeEngine implements Engine {
  readonly kind = 'cascade'
  readonly capabilities: Capabilities
  readonly bufferedBytes = 0
  readonly #needs: CascadeEngineNeeds
  readonly #options: EngineOptions
  readonly #gate = new Gate()
  readonly #meters = new CascadeMeters()
  readonly #conversation: Conversation
  readonly #listening: Listening
  readonly #verdicts: Verdicts
  readonly #open = new Set<Completion>()
  readonly #foreign = new Recent<true>()
  readonly #over = new AbortController()
  #state: 'idle' | 'opening' | 'ready' | 'closed' = 'idle'
  #brief: EngineBrief
  #asks: Asked[] = []
  readonly #asides = new Map<string, Aside>()
  #answer: Answer | undefined
  #speechItem = ''
  #isUnanswered = false
  #breath: Timer | undefined

  constructor(needs: CascadeEngineNeeds, options: EngineOptions) {
    this.#needs = needs
    this.#options = options
    this.#brief = options.brief
    this.#verdicts = new Verdicts(options.brief.interruptions)
    this.#conversation = new Conversation(options.brief.history)
    this.#listening = new Listening(needs.clock, options.brief.turnDetection !== 'none', {
      speech: (event) => this.#speech(event),
    })
    this.#listening.tune(options.brief.settings?.turns ?? {})
    this.capabilities = capabilitiesOf(needs.parts)
  }

  start(): void {
    if (this.#state !== 'idle') return
    this.#state = 'opening'
    void this.#needs.ready().then((failure) => {
      if (this.#state !== 'opening') return
      if (failure !== undefined) {
        this.#finish('refused', failure.code, 'no server of the cascade can be used')
        return
      }
      this.#state = 'ready'
      this.#emit({ type: 'ready', source: 'local', engineSessionId: newId('sess'), model: this.#needs.model })
      this.#next()
    })
  }

  send(command: EngineCommand): CommandAnswer {
    if (this.#state === 'closed') return { is: 'rejected', reason: 'closed' }
    switch (command.type) {
      case 'userText':
        this.#conversation.user(command.text, command.itemId)
        this.#isUnanswered = true
        this.#emitSoon({ type: 'userItem', source: 'local', itemId: command.itemId, spoken: false })
        return applied
      case 'respond':
        if (command.raw !== undefined && isAside(command.raw)) return this.#aside(command.raw)
        return this.#ask({ what: 'respond', ...(command.raw === undefined ? {} : { raw: command.raw }) })
      case 'say':
        return this.#ask({ what: 'say', text: command.text })
      case 'goOn':
        return this.#ask({ what: 'goOn', after: command.after })
      case 'note':
        this.#conversation.note(command.text)
        return applied
      case 'toolResult':
        return this.#toolResult(command)
      case 'cancel':
        return this.#cancel(command.responseId)
      case 'truncate':
        return this.#truncate(command.itemId, command.heardMs)
      case 'interrupt':
      case 'ignore':
        this.#verdicts.tell(command.itemId, command.type === 'interrupt')
        return applied
      case 'commitAudio':
        return this.#commitAudio()
      case 'clearAudio':
        this.#listening.clear()
        return applied
      case 'update':
        this.#brief = withFields(this.#brief, command.fields)
        this.#listening.detects = this.#brief.turnDetection !== 'none'
        this.#listening.tune(this.#brief.settings?.turns ?? {})
        return applied
      case 'native':
        return { is: 'unsupported', reason: 'a cascade has no protocol of its own' }
    }
  }

  #toolResult({ callId, output, foreign }: Extract<EngineCommand, { type: 'toolResult' }>): CommandAnswer {
    if (foreign === undefined) {
      return this.#conversation.result(callId, output) ? applied : { is: 'rejected', reason: 'unknown_call' }
    }
    if (this.#foreign.has(callId)) return { is: 'rejected', reason: 'unknown_call' }
    this.#foreign.set(callId, true)
    this.#conversation.user(fact(foreign, output))
    return applied
  }

  #aside(raw: Readonly<Record<string, unknown>>): CommandAnswer {
    if (this.#asides.size >= asidesAtOnce) return { is: 'rejected', reason: 'too_many_answers_waiting' }
    const question = questionOf(raw, this.#brief, this.#conversation)
    if (typeof question === 'string') return { is: 'rejected', reason: 'unknown_input' }
    const { clock, times, health, llms, emit, counting, counted } = this.#answerNeeds()
    const aside = new Aside({ clock, times, health, llms, emit, counting, counted }, question)
    this.#asides.set(aside.id, aside)
    queueMicrotask(() => void aside.run().finally(() => this.#asides.delete(aside.id)))
    return accepted
  }

  #cancel(responseId: string | undefined): CommandAnswer {
    const aside = this.#asides.get(responseId ?? '')
    aside?.stop()
    if (aside !== undefined) return accepted
    if (responseId === undefined) this.#asks = []
    if (this.#answer === undefined || (responseId !== undefined && responseId !== this.#answer.id)) {
      return { is: 'rejected', reason: 'nothing_to_cancel' }
    }
    this.#answer.stop('client_cancelled')
    return accepted
  }

  /** The history says from now on what was heard. */
  #truncate(itemId: string, heardMs: number): CommandAnswer {
    const said = this.#conversation.said(itemId)
    if (said === undefined) return { is: 'rejected', reason: 'unknown_item' }
    const endMs = said.truncate(heardMs)
    if (this.#answer?.saidAs(itemId) !== undefined) this.#answer.mute()
    if (endMs > 0) this.#emitSoon({ type: 'truncated', source: 'local', itemId, heardMs: endMs })
    return applied
  }

  #commitAudio(): CommandAnswer {
    const ms = this.#listening.bufferedMs
    if (ms < shortestCommitMs) return { is: 'rejected', reason: 'input_audio_buffer_commit_empty' }
    const itemId = newId('item')
    queueMicrotask(() => this.#spoken(itemId, ms, false))
    return accepted
  }

  audio(input: { readonly pcm: Buffer } | { readonly appendFrame: Buffer }): void {
    if (this.#state === 'closed') return
    const pcm = 'pcm' in input ? input.pcm : samplesIn(input.appendFrame)
    if (pcm !== undefined) this.#listening.push(pcm)
    else this.#emit(invalidAudio)
  }

  #speech({ phase, atMs, speechMs, silenceMs }: VadEvent): void {
    if (phase === 'start') this.#speechItem = newId('item')
    const itemId = this.#speechItem
    const { interruptsResponse = true } = this.#brief.settings?.turns ?? {}
    const mayCut = phase === 'start' && interruptsResponse
    const interrupts = mayCut && this.#answer !== undefined && !this.#verdicts.isTold
    if (phase === 'start') this.#verdicts.of(itemId, (isMeant) => isMeant && this.#yield(interruptsResponse))
    const keeps = interruptsResponse ? {} : { keeps: true as const }
    this.#emit({ type: 'userSpeech', source: 'local', phase, itemId, atMs, interrupts, silenceMs, ...keeps })
    if (mayCut) this.#verdicts.of(itemId, (isMeant) => isMeant && this.#answer?.stop('turn_detected'))
    if (phase === 'stop') this.#spoken(itemId, speechMs, true)
  }

  /** The person goes on, and has heard no more than this. */
  #yield(cuts: boolean): void {
    this.#breath?.cancel()
    if (cuts) this.#conversation.last?.cut(this.#needs.clock.monotonicMs())
  }

  /** Speech became an item: its words if they can be had, then the answer. */
  #spoken(itemId: string, speechMs: number, isTurn: boolean): void {
    if (this.#state === 'closed') return
    const pcm = this.#listening.take(speechMs)
    this.#emit({ type: 'userItem', source: 'local', itemId, spoken: true })
    const { clock, times, health, parts } = this.#needs
    const needs = {
      ...{ clock, times, health, ears: parts.ears, ...this.#expected },
      transcribed: (...told: Parameters<CascadeMeters['transcription']>) => {
        this.#meters.transcription(...told)
        this.#meter()
      },
    }
    const words = parts.ears.length === 0 ? Promise.resolve(undefined) : wordsOf(needs, pcm, this.#over.signal)
    this.#listening.inTurn(words, (known) => this.#told(known, { itemId, speechMs, isTurn }))
  }

  /** What helps to find the words. */
  get #expected(): { readonly language: string; readonly hint: string | undefined } {
    const { language = this.#brief.language, prompt: hint } = this.#brief.settings?.transcription ?? {}
    return { language, hint }
  }

  #told(
    words: string | PartFailure | undefined,
    { itemId, speechMs, isTurn }: { readonly itemId: string; readonly speechMs: number; readonly isTurn: boolean },
  ): void {
    if (this.#state === 'closed') return
    const { deafness } = this.#needs
    const base = {
      type: 'userText',
      source: words === undefined ? 'local' : 'provider',
      itemId,
      heardMs: Math.round(speechMs),
    } as const
    if (words instanceof PartFailure) {
      deafness.count++
      if (deafness.count >= deafLimit) {
        this.#finish('lost', words.code, 'no server of the cascade can put speech into words')
        return
      }
      this.#emit({ ...base, failed: words.code })
    } else {
      if (words !== undefined) deafness.count = 0
      this.#emit({ ...base, final: words ?? '' })
    }
    const entry = typeof words === 'string' ? words : unheard(words, speechMs)
    if (!isTurn) this.#heard(entry, itemId)
    else
      this.#verdicts.of(itemId, (isMeant) => {
        if (!isMeant) return
        this.#heard(entry, itemId)
        this.#turnEnded(entry)
        this.#next()
      })
    this.#next()
  }

  #heard(entry: string, itemId: string): void {
    if (entry === '') return
    this.#conversation.user(entry, itemId)
    this.#isUnanswered = true
  }

  /** Everything the person said in one go is answered at once. */
  #turnEnded(words: string): void {
    if (!this.#isUnanswered || this.#listening.speaking || this.#listening.waits) return
    this.#breath?.cancel()
    const { createsResponse = true, eagerness = 'auto' } = this.#brief.settings?.turns ?? {}
    if (!createsResponse) return
    if (this.#brief.turnDetection === 'semantic_vad' && looksUnfinished(words)) {
      this.#breath = this.#needs.clock.after(breathsMs[eagerness], () => this.#ask({ what: 'respond' }))
    } else this.#ask({ what: 'respond' })
  }

  #ask(ask: Asked): CommandAnswer {
    if (this.#asks.length >= waitingAnswers) return { is: 'rejected', reason: 'too_many_answers_waiting' }
    this.#asks.push(ask)
    this.#next()
    return accepted
  }

  #next(): void {
    if (this.#state !== 'ready' || this.#answer !== undefined) return
    // Whoever is speaking is let finish; a sentence that must be said is said.
    const at = this.#asks.findIndex(({ what }) => what !== 'respond' || !this.#listening.speaking)
    const [ask] = at < 0 ? [] : this.#asks.splice(at, 1)
    if (ask === undefined) return
    if (ask.what !== 'say') this.#isUnanswered = false
    const answer = new Answer(this.#answerNeeds(), wishOf(ask, this.#brief, this.#needs.parts.voices.length > 0))
    this.#answer = answer
    // The caller still stands in send(): events come later, never out of it.
    queueMicrotask(() => void this.#run(answer, ask))
  }

  #answerNeeds(): AnswerNeeds {
    const { clock, times, health, parts } = this.#needs
    return {
      clock,
      gate: this.#gate,
      times,
      health,
      llms: parts.llms,
      conversation: this.#conversation,
      mouth: {
        voices: parts.voices,
        voice: this.#brief.voice,
        taken: (characters) => {
          this.#meters.speech(characters)
          this.#meter()
        },
      },
      emit: (event) => this.#emit(event),
      counting: (tally) => void this.#open.add(tally),
      counted: (tally) => this.#count(tally),
    }
  }

  async #run(answer: Answer, ask: Asked): Promise<void> {
    const raw = ask.what === 'respond' && ask.raw !== undefined ? { raw: ask.raw } : {}
    this.#emit({ type: 'responseStarted', source: 'local', responseId: answer.id, ...raw })
    const end = await answer.run()
    this.#answer = undefined
    for (const event of endEvents(answer.id, end)) this.#emit(event)
    this.#next()
  }

  #count(tally: Completion): void {
    if (!this.#open.delete(tally)) return
    this.#meters.completion(tally)
    this.#meter()
  }

  #meter(): void {
    this.#emit({ type: 'usage', source: 'provider', meters: this.#meters.totals })
  }

  pause(): void {
    this.#gate.pause()
  }

  resume(): void {
    this.#gate.resume()
  }

  close(): void {
    if (this.#state !== 'closed') queueMicrotask(() => this.#finish('asked', 'asked', ''))
  }

  #emit(event: EngineEvent): void {
    if (this.#state !== 'closed') this.#options.onEvent(event)
  }

  #emitSoon(event: EngineEvent): void {
    queueMicrotask(() => this.#emit(event))
  }

  #finish(cause: 'asked' | 'refused' | 'lost', code: string, message: string): void {
    if (this.#state === 'closed') return
    // What is under way is charged, and nobody will tell how much.
    for (const tally of this.#open) this.#count(tally)
    this.#state = 'closed'
    this.#breath?.cancel()
    this.#listening.clear()
    this.#over.abort()
    this.#answer?.stop('client_cancelled')
    for (const aside of this.#asides.values()) aside.stop()
    this.#gate.resume()
    this.#options.onEvent({ type: 'closed', source: 'local', cause, code, message })
    if (cause !== 'asked') this.#needs.log.warn({ engine: this.kind, cause, code }, 'engine closed')
  }
}
