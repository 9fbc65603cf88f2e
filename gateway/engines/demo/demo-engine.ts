// One session with the demo: what was heard waits for `respond` or for the end of speech; one answer at a time.

import type { Clock } from '../../platform/clock.ts'
import { newId } from '../../platform/ids.ts'
import type { Log } from '../../platform/log.ts'
import { bytesPerMs } from '../../protocol/realtime.ts'
import { accepted, applied, invalidAudio } from '../answers.ts'
import { type Modality, modalityOf, samplesIn, withFields } from '../client-frame.ts'
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
import { restOf } from '../rest.ts'
import { sentences } from '../sentences.ts'
import { Ears } from '../sound/ears.ts'
import type { VadEvent } from '../sound/vad.ts'
import { Verdicts } from '../verdicts.ts'
import type { Answer, Ask, Raw } from './asked.ts'
import { capabilitiesOf } from './facts.ts'
import { type DemoKnowledge, type Heard, Mind } from './mind.ts'
import { speak } from './mouth.ts'
import { OpenCalls } from './open-calls.ts'
import type { Recogniser } from './recogniser.ts'
import { type Voice, voiceNamed } from './voice.ts'

export interface DemoEngineNeeds {
  readonly knowledge: DemoKnowledge
  readonly log: Log
  readonly clock: Clock
  readonly voice: Voice
  readonly recogniser: Recogniser | undefined
}

const lateText = 'That takes longer than usual. You will have the answer as soon as I do.'
const waitingAnswers = 8
const waitingInputs = 32
/** As the GA wire has it: less is no turn. */
const shortestCommitMs = 100

export class DemoEngine implements Engine {
  readonly kind = 'demo'
  readonly capabilities: Capabilities
  readonly bufferedBytes = 0
  readonly #needs: DemoEngineNeeds
  readonly #options: EngineOptions
  readonly #mind: Mind
  readonly #ears: Ears
  readonly #gate = new Gate()
  readonly #producedMs = new Recent<number>()
  readonly #cutOff = new Recent<true>()
  readonly #calls: OpenCalls
  readonly #verdicts: Verdicts
  #state: 'idle' | 'opening' | 'ready' | 'closed' = 'idle'
  #brief: Pick<EngineBrief, 'voice' | 'outputModality' | 'turnDetection' | 'tools' | 'settings'>
  #heard: Heard[] = []
  #asks: Ask[] = []
  #answer: Answer | undefined
  #speechItem = ''
  #spokenCharacters = 0
  #heardSeconds = 0

  constructor(needs: DemoEngineNeeds, options: EngineOptions) {
    this.#needs = needs
    this.#options = options
    this.#brief = options.brief
    this.#verdicts = new Verdicts(options.brief.interruptions)
    this.#mind = new Mind(options.tenantId, needs.knowledge, options.brief.tools)
    this.#calls = new OpenCalls(needs.clock, () => this.#ask({ what: 'say', text: lateText }))
    this.#ears = new Ears(needs.recogniser !== undefined)
    this.#tune()
    this.capabilities = capabilitiesOf(needs.recogniser === undefined ? 'speech' : 'words')
  }

  start(): void {
    if (this.#state !== 'idle') return
    this.#state = 'opening'
    this.#warm().then(
      () => {
        if (this.#state !== 'opening') return
        this.#state = 'ready'
        this.#emit({ type: 'ready', source: 'provider', engineSessionId: newId('sess'), model: 'demo' })
        this.#next()
      },
      () => this.#finish('refused', 'voice_unavailable', 'this machine cannot run the demo voice'),
    )
  }

  async #warm(): Promise<void> {
    if (this.#brief.outputModality === 'audio') await this.#needs.voice.warm()
  }

  send(command: EngineCommand): CommandAnswer {
    if (this.#state === 'closed') return { is: 'rejected', reason: 'closed' }
    switch (command.type) {
      case 'userText':
        return this.#userText(command.itemId, command.text)
      case 'respond':
        return this.#respond(command.raw)
      case 'say':
        return this.#ask({ what: 'say', text: command.text })
      case 'goOn':
        return this.#ask({ what: 'goOn', after: command.after })
      case 'note':
        this.#mind.note(command.text)
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
        this.#ears.clear()
        return applied
      case 'update':
        return this.#update(command.fields)
      case 'native':
        return { is: 'unsupported', reason: 'the demo engine has no protocol of its own' }
    }
  }

  #userText(itemId: string, text: string): CommandAnswer {
    if (!this.#hear({ kind: 'text', text })) return { is: 'rejected', reason: 'too_many_waiting' }
    this.#emitSoon({ type: 'userItem', source: 'provider', itemId, spoken: false })
    return applied
  }

  #respond(raw: Raw | undefined): CommandAnswer {
    const modality = modalityOf(raw) ?? this.#brief.outputModality
    return this.#ask({ what: 'respond', modality, ...(raw === undefined ? {} : { raw }) })
  }

  #hear(heard: Heard): boolean {
    if (this.#heard.length >= waitingInputs) return false
    this.#heard.push(heard)
    return true
  }

  #toolResult({ callId, output, foreign }: Extract<EngineCommand, { type: 'toolResult' }>): CommandAnswer {
    const question = this.#calls.take(callId) ?? (foreign === undefined ? undefined : (this.#asked ?? foreign))
    if (question === undefined) return { is: 'rejected', reason: 'unknown_call' }
    return this.#hear({ kind: 'result', question, output }) ? applied : { is: 'rejected', reason: 'too_many_waiting' }
  }

  #cancel(responseId: string | undefined): CommandAnswer {
    if (responseId === undefined) this.#asks = []
    if (this.#answer === undefined || (responseId !== undefined && responseId !== this.#answer.id)) {
      return { is: 'rejected', reason: 'nothing_to_cancel' }
    }
    this.#stop('client_cancelled')
    return accepted
  }

  #truncate(itemId: string, heardMs: number): CommandAnswer {
    const producedMs = this.#producedMs.get(itemId)
    if (producedMs === undefined) return { is: 'rejected', reason: 'unknown_item' }
    this.#cutOff.set(itemId, true)
    const endMs = Math.max(0, Math.min(Math.floor(heardMs), Math.floor(producedMs)))
    if (endMs > 0) this.#emitSoon({ type: 'truncated', source: 'provider', itemId, heardMs: endMs })
    return applied
  }

  #commitAudio(): CommandAnswer {
    const ms = this.#ears.bufferedMs
    if (ms < shortestCommitMs) return { is: 'rejected', reason: 'input_audio_buffer_commit_empty' }
    void this.#spoken(newId('item'), ms, false)
    return accepted
  }

  #update(fields: Extract<EngineCommand, { type: 'update' }>['fields']): CommandAnswer {
    this.#brief = withFields(this.#brief, fields)
    this.#tune()
    if (fields.tools !== undefined || fields.settings?.toolChoice !== undefined)
      this.#mind.tools(this.#brief.settings?.toolChoice === 'none' ? [] : this.#brief.tools)
    return applied
  }

  #tune(): void {
    this.#ears.tune(this.#brief.settings?.turns ?? {})
  }

  audio(input: { readonly pcm: Buffer } | { readonly appendFrame: Buffer }): void {
    if (this.#state === 'closed') return
    const pcm = 'pcm' in input ? input.pcm : samplesIn(input.appendFrame)
    if (pcm === undefined) {
      this.#emit(invalidAudio)
      return
    }
    const events = this.#ears.push(pcm)
    if (this.#brief.turnDetection !== 'none') for (const event of events) this.#speech(event)
  }

  #speech({ phase, atMs, speechMs, silenceMs }: VadEvent): void {
    if (phase === 'start') this.#speechItem = newId('item')
    const itemId = this.#speechItem
    const { interruptsResponse = true, createsResponse = true } = this.#brief.settings?.turns ?? {}
    const mayCut = phase === 'start' && interruptsResponse
    const interrupts = mayCut && this.#answer !== undefined && !this.#verdicts.isTold
    const keeps = interruptsResponse ? {} : { keeps: true as const }
    this.#emit({ type: 'userSpeech', source: 'local', phase, itemId, atMs, interrupts, silenceMs, ...keeps })
    if (mayCut) this.#verdicts.of(itemId, (isMeant) => isMeant && this.#stop('turn_detected'))
    if (phase === 'stop') void this.#spoken(itemId, speechMs, createsResponse)
  }

  /** Speech became an item: its words if they can be had, then the answer. */
  async #spoken(itemId: string, speechMs: number, answer: boolean): Promise<void> {
    const { pcm } = this.#ears.take(speechMs)
    this.#emit({ type: 'userItem', source: 'local', itemId, spoken: true })
    this.#heardSeconds += speechMs / 1000
    this.#meter()
    const words = await this.#needs.recogniser?.hear(pcm)
    if (this.#state === 'closed') return
    this.#emit({ type: 'userText', source: 'local', itemId, final: words ?? '', heardMs: Math.round(speechMs) })
    const hear = () =>
      this.#hear(words === undefined ? { kind: 'speech', ms: speechMs } : { kind: 'text', text: words })
    if (!answer) hear()
    else
      this.#verdicts.of(itemId, (isMeant) => {
        if (!isMeant || this.#state === 'closed') return
        hear()
        this.#ask({ what: 'respond', modality: this.#brief.outputModality })
      })
  }

  #ask(ask: Ask): CommandAnswer {
    if (this.#asks.length >= waitingAnswers) return { is: 'rejected', reason: 'too_many_answers_waiting' }
    this.#asks.push(ask)
    this.#next()
    return accepted
  }

  #next(): void {
    if (this.#state !== 'ready' || this.#answer !== undefined) return
    const ask = this.#asks.shift()
    if (ask === undefined) return
    const answer: Answer = { id: newId('resp'), stop: new AbortController(), reason: undefined }
    this.#answer = answer
    // The caller still stands in send(): events come later, never out of it.
    queueMicrotask(() => void this.#run(answer, ask))
  }

  async #run(answer: Answer, ask: Ask): Promise<void> {
    const raw = ask.what === 'respond' && ask.raw !== undefined ? { raw: ask.raw } : {}
    this.#emit({ type: 'responseStarted', source: 'provider', responseId: answer.id, ...raw })
    try {
      if (ask.what === 'say') await this.#deliver(answer, ask.text, this.#brief.outputModality)
      else if (ask.what === 'goOn') await this.#goOn(answer, ask.after)
      else await this.#think(answer, ask.modality)
    } catch (thrown) {
      this.#needs.log.warn({ err: thrown }, 'demo answer failed')
      this.#finish('lost', 'voice_lost', 'the demo voice stopped working')
      return
    }
    this.#answer = undefined
    const { id: responseId, reason } = answer
    const end = reason === undefined ? { status: 'completed' as const } : { status: 'cancelled' as const, reason }
    this.#emit({ type: 'responseDone', source: 'provider', responseId, ...end })
    this.#next()
  }

  async #think(answer: Answer, modality: Modality): Promise<void> {
    const heard = this.#heard
    this.#heard = []
    const thought = await this.#mind.think(heard)
    if (answer.stop.signal.aborted) return
    if (thought.do === 'say') await this.#deliver(answer, thought.text, modality)
    else this.#call(answer, thought)
  }

  /** Another engine began this answer: it is thought of anew, and only what follows is said. */
  async #goOn(answer: Answer, after: string): Promise<void> {
    const question = this.#asked
    const asked: Heard[] = question === undefined ? [] : [{ kind: 'text', text: question }]
    const heard = this.#heard.length > 0 ? this.#heard : asked
    this.#heard = []
    if (heard.length === 0) return
    const thought = await this.#mind.think(heard)
    if (answer.stop.signal.aborted) return
    if (thought.do === 'say') {
      const rest = restOf(thought.text, after)
      if (rest !== '') await this.#deliver(answer, rest, this.#brief.outputModality)
      // Who has begun to answer has asked its tools: no tool runs twice for one question.
    } else if (after === '') this.#call(answer, thought)
  }

  /** What the person asked last before this engine was there. */
  get #asked(): string | undefined {
    return this.#options.brief.history.findLast(({ role }) => role === 'user')?.text
  }

  #call(answer: Answer, thought: { tool: string; args: Readonly<Record<string, unknown>>; question: string }): void {
    this.#emit({
      type: 'toolCall',
      source: 'provider',
      responseId: answer.id,
      itemId: newId('item'),
      callId: this.#calls.open(thought.question),
      name: thought.tool,
      arguments: JSON.stringify(thought.args),
    })
  }

  async #deliver(answer: Answer, text: string, modality: Modality): Promise<void> {
    const item = { source: 'provider', responseId: answer.id, itemId: newId('item') } as const
    const { itemId } = item
    this.#emit({ type: 'agentItem', ...item })
    const spoken = modality === 'audio'
    let said = ''
    const words = (delta: string) => {
      said += delta
      if (!this.#cutOff.has(itemId)) this.#emit({ type: 'agentText', ...item, spoken, delta })
    }
    this.#producedMs.set(itemId, 0)
    if (spoken) await this.#speak(answer, text, { item, words })
    else for (const [i, piece] of sentences(text).entries()) words(i === 0 ? piece : ` ${piece}`)
    if (this.#state === 'closed') return
    if (spoken) this.#emit({ type: 'audioDone', ...item })
    this.#emit({ type: 'agentText', ...item, spoken, final: said })
    if (spoken) this.#meter()
  }

  #speak(
    answer: Answer,
    text: string,
    {
      item,
      words,
    }: { item: { readonly source: 'provider'; responseId: string; itemId: string }; words(delta: string): void },
  ): Promise<void> {
    const { voice, clock } = this.#needs
    const on = {
      words,
      audio: (pcm: Buffer) => {
        if (this.#cutOff.has(item.itemId)) return
        const ms = pcm.length / bytesPerMs
        this.#producedMs.set(item.itemId, (this.#producedMs.get(item.itemId) ?? 0) + ms)
        this.#emit({ type: 'audio', ...item, pcm, ms })
      },
      spoken: (characters: number) => {
        this.#spokenCharacters += characters
      },
    }
    const needs = { voice, clock, gate: this.#gate, name: voiceNamed(this.#brief.voice) }
    return speak(needs, text, on, answer.stop.signal)
  }

  #stop(reason: 'turn_detected' | 'client_cancelled'): void {
    if (this.#answer === undefined) return
    this.#answer.reason ??= reason
    this.#answer.stop.abort()
  }

  #meter(): void {
    const meters = { 'speech.characters': this.#spokenCharacters, 'transcription.seconds': this.#heardSeconds }
    this.#emit({ type: 'usage', source: 'local', meters })
  }

  pause(): void {
    this.#gate.pause()
  }

  resume(): void {
    this.#gate.resume()
  }

  close(): void {
    if (this.#state === 'closed') return
    queueMicrotask(() => this.#finish('asked', 'asked', ''))
  }

  #emit(event: EngineEvent): void {
    if (this.#state !== 'closed') this.#options.onEvent(event)
  }

  #emitSoon(event: EngineEvent): void {
    queueMicrotask(() => this.#emit(event))
  }

  #finish(cause: 'asked' | 'refused' | 'lost', code: string, message: string): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#calls.clear()
    this.#answer?.stop.abort()
    this.#gate.resume()
    this.#options.onEvent({ type: 'closed', source: 'local', cause, code, message })
  }
}
