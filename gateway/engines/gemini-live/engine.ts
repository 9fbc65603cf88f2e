// One session with Gemini Live: what is asked of it and what comes of it.

import type { Clock, Timer } from '../../platform/clock.ts'
import { newId } from '../../platform/ids.ts'
import type { Log } from '../../platform/log.ts'
import { accepted, applied, audioDropped, invalidAudio } from '../answers.ts'
import { modalityOf, samplesIn, withFields } from '../client-frame.ts'
import type {
  Capabilities,
  CommandAnswer,
  Engine,
  EngineBrief,
  EngineCommand,
  EngineEvent,
  EngineOptions,
} from '../engines.ts'
import type { Gone } from '../upstream/line.ts'
import type { Refusal } from '../upstream/refusal.ts'
import { geminiAddress } from './address.ts'
import { Asking } from './asking.ts'
import * as commands from './commands.ts'
import { Connection } from './connection.ts'
import { endingOf } from './endings.ts'
import { type ServerMessage, unknownIn } from './events.ts'
import { Listening } from './listening.ts'
import { traitsOf } from './models.ts'
import { type Ask, Pending } from './pending.ts'
import { Reader } from './reader.ts'
import type { Beginning } from './said.ts'

type Of<T extends EngineCommand['type']> = Extract<EngineCommand, { type: T }>

export interface GeminiLiveNeeds {
  readonly apiKey: string | undefined
  /** http(s) or ws(s), e.g. `https://generativelanguage.googleapis.com`. */
  readonly baseUrl: string
  readonly defaultModel: string
  readonly log: Log
  readonly clock: Clock
}

const readyTimeoutMs = 15_000

const tooMany: CommandAnswer = { is: 'rejected', reason: 'too_many_waiting' }

export class GeminiEngine implements Engine {
  readonly kind = 'gemini-live'
  readonly capabilities: Capabilities
  readonly #needs: GeminiLiveNeeds
  readonly #options: EngineOptions
  readonly #log: Log
  readonly #model: string
  readonly #connection: Connection
  readonly #reader: Reader
  readonly #listening: Listening
  readonly #pending: Pending
  readonly #asking: Asking
  #state: 'idle' | 'opening' | 'ready' | 'closing' | 'closed' = 'idle'
  #brief: EngineBrief
  /** Something was said that only the provider knows. */
  #touched = false
  #overflowed = false
  #readyTimer: Timer | undefined
  /** The port promises `ready` before anything else. */
  #early: EngineEvent[] = []

  constructor(needs: GeminiLiveNeeds, capabilities: Capabilities, options: EngineOptions) {
    const { clock, log } = needs
    this.#needs = needs
    this.#options = options
    this.capabilities = capabilities
    this.#log = log.child({ tenantId: options.tenantId, sessionId: options.sessionId, engine: this.kind })
    this.#brief = options.brief
    this.#model = options.brief.model === '' ? needs.defaultModel : options.brief.model
    this.#pending = new Pending(traitsOf(this.#model).asyncTools)
    this.#reader = this.#makeReader()
    this.#listening = new Listening({
      clock,
      detection: options.brief.turnDetection,
      interruptions: options.brief.interruptions,
      emit: (event) => this.#emit(event),
      send: (frame) => this.#write(frame),
      answering: () => this.#reader.answering,
      on: {
        starts: () => this.#speechStarts(),
        asks: () => this.#asking.speechEnded(),
        overflows: () => this.#overflows(),
      },
    })
    this.#listening.tune(options.brief.settings?.turns ?? {})
    this.#connection = this.#makeConnection()
    this.#asking = new Asking({
      clock,
      reader: this.#reader,
      pending: this.#pending,
      ready: () => this.#state === 'ready',
      speaking: () => this.#listening.speaking,
      write: (frame) => this.#write(frame),
      sent: (itemId) => this.#listening.sent(itemId),
      idle: () => this.#connection.look(),
    })
  }

  #makeReader(): Reader {
    return new Reader({
      clock: this.#needs.clock,
      emit: (event) => this.#emit(event),
      begins: () => this.#beginning(),
      on: {
        called: (call) => this.#pending.called(call),
        cancelled: (ids) => this.#pending.cancelled(ids),
        heard: (words) => this.#listening.words(words, this.#reader.idle),
        interrupted: () => this.#listening.interrupted(),
        speechOver: () => this.#listening.speechOver(),
        turnOver: ({ answered, metered }) => {
          if (!metered) this.#log.warn('a turn came without its cost')
          this.#listening.turnOver(answered)
          this.#asking.next()
        },
        free: () => queueMicrotask(() => this.#asking.next()),
      },
    })
  }

  #makeConnection(): Connection {
    return new Connection({
      clock: this.#needs.clock,
      address: () => geminiAddress(this.#needs.baseUrl, this.#needs.apiKey),
      setup: (handle) => this.#setup(handle),
      quiet: () => this.#asking.quiet,
      untouched: () => !this.#touched,
      on: {
        ready: (sessionId) => this.#ready(sessionId),
        message: (message) => this.#message(message),
        unreadable: (bytes) => this.#unreadable(bytes),
        refused: (refusal) => this.#refused(refusal),
        gone: (gone) => this.#gone(gone),
        moved: () => {
          this.#listening.detection = this.#brief.turnDetection
          this.#log.info('session moved to another connection')
        },
        unmoved: () => this.#trouble('update_failed', 'the settings could not be changed'),
        expired: () => this.#finish('expired', 'go_away', 'the provider ended the connection at its time limit'),
      },
    })
  }

  #setup(handle: string | undefined): ReturnType<ConstructorParameters<typeof Connection>[0]['setup']> {
    const { history, turnDetection } = this.#brief
    const seeded = handle === undefined && history.length > 0
    const facts = { model: this.#model, handle, detects: turnDetection === 'semantic_vad', seeded }
    const first = seeded ? [JSON.stringify(commands.history(history))] : []
    return { setup: commands.setup(this.#brief, facts), first }
  }

  get bufferedBytes(): number {
    return this.#connection.bufferedBytes
  }

  start(): void {
    if (this.#state !== 'idle') return
    this.#state = 'opening'
    try {
      this.#connection.open()
    } catch (thrown) {
      this.#log.warn({ err: thrown }, 'engine address unusable')
      // The caller still stands in start(): events come later, never out of it.
      queueMicrotask(() => this.#finish('refused', 'bad_address', 'the engine address is unusable'))
      return
    }
    this.#readyTimer = this.#needs.clock.after(readyTimeoutMs, () => {
      if (this.#state === 'opening') this.#finish('refused', 'timeout', 'the provider did not get ready in time')
    })
  }

  // From the provider

  #ready(sessionId: string | undefined): void {
    if (this.#state !== 'opening') return
    this.#state = 'ready'
    this.#readyTimer?.cancel()
    const engineSessionId = sessionId ?? newId('sess')
    this.#options.onEvent({ type: 'ready', source: 'provider', engineSessionId, model: this.#model })
    for (const event of this.#early.splice(0)) this.#emit(event)
    this.#asking.next()
  }

  #message(message: ServerMessage): void {
    if (this.#state === 'closed') return
    const { voiceActivity } = message
    if (voiceActivity !== undefined) {
      this.#listening.activity(voiceActivity.voiceActivityType, voiceActivity.audioOffset)
    }
    this.#reader.read(message)
    for (const name of unknownIn(message)) this.#emit({ type: 'native', source: 'provider', name })
  }

  #unreadable(bytes: number): void {
    this.#log.warn({ bytes }, 'engine frame is no message')
    this.#trouble('invalid_frame', 'the provider sent what is no message')
  }

  #trouble(code: string, message: string): void {
    this.#emit({ type: 'error', source: 'provider', code, message, benign: true })
  }

  #refused({ code, message, retryAfterMs }: Refusal): void {
    if (code === 'http_429') this.#emitNow({ type: 'rateLimited', source: 'provider', retryAfterMs })
    this.#finish('refused', code, message)
  }

  #gone(gone: Gone): void {
    const { code, limited } = endingOf(gone)
    if (this.#state === 'closing') {
      this.#finish('asked', 'asked', '')
      return
    }
    if (limited) this.#emitNow({ type: 'rateLimited', source: 'provider', retryAfterMs: null })
    if (this.#state === 'ready') this.#finish('lost', code, 'the connection to the provider ended')
    else {
      this.#finish('refused', code, gone.opened ? 'the provider refused the session' : 'the provider cannot be reached')
    }
  }

  // What is asked

  send(command: EngineCommand): CommandAnswer {
    if (this.#state === 'closing' || this.#state === 'closed') return { is: 'rejected', reason: 'closed' }
    switch (command.type) {
      case 'userText':
        return this.#userText(command)
      case 'respond':
        return this.#ask({ what: 'respond', ...(command.raw === undefined ? {} : { raw: command.raw }) })
      case 'say':
        return this.#ask({ what: 'say', text: command.text })
      case 'goOn':
        return this.#ask({ what: 'goOn', after: command.after })
      case 'note':
        return this.#pending.text(commands.noteText(command.text)) ? applied : tooMany
      case 'toolResult':
        return this.#toolResult(command)
      case 'cancel':
        return this.#cancel(command.responseId)
      case 'truncate':
        return this.#truncate(command)
      case 'interrupt':
      case 'ignore':
        this.#listening.judged(command)
        return applied
      case 'commitAudio':
        return this.#commit()
      case 'clearAudio':
        return this.#listening.clear() ? applied : { is: 'rejected', reason: 'speech_under_way' }
      case 'update':
        return this.#update(command.fields)
      case 'native':
        return { is: 'unsupported', reason: 'the engine takes no events of another protocol' }
    }
  }

  #userText({ itemId, text }: Of<'userText'>): CommandAnswer {
    if (!this.#pending.text(text)) return tooMany
    this.#emitSoon({ type: 'userItem', source: 'local', itemId, spoken: false })
    return applied
  }

  #toolResult({ callId, output, foreign }: Of<'toolResult'>): CommandAnswer {
    if (foreign !== undefined) return this.#pending.text(commands.foreignText(foreign, output)) ? applied : tooMany
    return this.#pending.result(callId, output) ? accepted : { is: 'rejected', reason: 'unknown_call' }
  }

  #ask(ask: Ask): CommandAnswer {
    if (!this.#pending.ask(ask)) return { is: 'rejected', reason: 'too_many_answers_waiting' }
    queueMicrotask(() => this.#asking.next())
    return accepted
  }

  #cancel(responseId: string | undefined): CommandAnswer {
    if (responseId === undefined) this.#pending.forgetAsks()
    const now = this.#reader.responseId
    const isNow = now === undefined ? this.#reader.expecting : responseId === undefined || responseId === now
    if (!isNow) return { is: 'rejected', reason: 'nothing_to_cancel' }
    queueMicrotask(() => {
      if (this.#reader.responseId === now) this.#reader.cut('client_cancelled')
    })
    return accepted
  }

  #truncate({ itemId, heardMs, text }: Of<'truncate'>): CommandAnswer {
    const said = this.#reader.item(itemId)
    if (said === undefined) return { is: 'rejected', reason: 'unknown_item' }
    const endMs = Math.max(0, Math.min(Math.floor(heardMs), Math.floor(said.producedMs)))
    if (!said.isCut && endMs < said.producedMs) {
      this.#pending.text(commands.heardText(text?.heard ?? said.heardBy(endMs)))
    }
    said.cutOff()
    if (endMs > 0) this.#emitSoon({ type: 'truncated', source: 'local', itemId, heardMs: endMs })
    return applied
  }

  #commit(): CommandAnswer {
    const turn = this.#listening.commit()
    if (turn === undefined) return { is: 'rejected', reason: 'input_audio_buffer_commit_empty' }
    if (turn === 'ended') return accepted
    this.#pending.turn(turn)
    this.#emitSoon({ type: 'userItem', source: 'local', itemId: turn.itemId, spoken: true })
    return accepted
  }

  #update(fields: Of<'update'>['fields']): CommandAnswer {
    const before = this.#brief
    this.#brief = withFields(before, fields)
    this.#listening.tune(this.#brief.settings?.turns ?? {})
    const detects = (brief: EngineBrief) => brief.turnDetection === 'semantic_vad'
    const isOther = detects(before) !== detects(this.#brief)
    if (!isOther || !this.#connection.configured) this.#listening.detection = this.#brief.turnDetection
    const { instructions, tools, voice, settings } = fields
    const given = [instructions, tools, voice, settings?.toolChoice, settings?.maxOutputTokens]
    const isSetUp = given.some((each) => each !== undefined) || isOther
    if (!isSetUp || !this.#connection.configured) return applied
    this.#connection.reconfigure()
    return accepted
  }

  /** Of the answer that begins: the client's request behind it, and whether it is for ears. */
  #beginning(): Beginning {
    const raw = this.#asking.takeRequest()
    const isSpoken = (modalityOf(raw) ?? this.#brief.outputModality) === 'audio'
    return { isSpoken, ...(raw === undefined ? {} : { raw }) }
  }

  #speechStarts(): void {
    this.#reader.cut('turn_detected')
    // The provider answers what it hears: what it should know for that goes before.
    const background = this.#pending.background()
    if (background !== undefined) this.#write(background)
  }

  #write(frame: string): void {
    this.#touched = true
    if (!this.#connection.send(frame)) this.#overflows()
  }

  #overflows(): void {
    if (this.#overflowed) return
    this.#overflowed = true
    this.#emitNow(audioDropped)
  }

  audio(input: { readonly pcm: Buffer } | { readonly appendFrame: Buffer }): void {
    if (this.#state === 'closing' || this.#state === 'closed') return
    const pcm = 'pcm' in input ? input.pcm : samplesIn(input.appendFrame)
    if (pcm !== undefined) this.#listening.push(pcm)
    else this.#emit(invalidAudio)
  }

  pause(): void {
    this.#connection.pause()
  }

  resume(): void {
    this.#connection.resume()
  }

  close(): void {
    if (this.#state === 'closing' || this.#state === 'closed') return
    this.#reader.stop()
    this.#state = 'closing'
    this.#connection.close()
  }

  /** After a close was asked for only the bill still counts. */
  #emit(event: EngineEvent): void {
    if (this.#state === 'idle' || this.#state === 'opening') this.#early.push(event)
    else if (this.#state === 'ready' || (this.#state === 'closing' && event.type === 'usage')) this.#emitNow(event)
  }

  #emitNow(event: EngineEvent): void {
    if (this.#state !== 'closed') this.#options.onEvent(event)
  }

  #emitSoon(event: EngineEvent): void {
    queueMicrotask(() => this.#emit(event))
  }

  #finish(cause: 'asked' | 'refused' | 'lost' | 'expired', code: string, message: string): void {
    if (this.#state === 'closed') return
    this.#reader.stop()
    this.#state = 'closed'
    this.#readyTimer?.cancel()
    this.#asking.stop()
    this.#listening.stop()
    this.#connection.cut()
    this.#options.onEvent({ type: 'closed', source: cause === 'asked' ? 'local' : 'provider', cause, code, message })
    if (cause !== 'asked') this.#log.warn({ cause, code }, 'engine closed')
  }
}
