// The OpenAI Realtime GA engine: one WebSocket to the provider per session. Audio frames pass both ways as they are.

import type { Clock, Timer } from '../../platform/clock.ts'
import { newId } from '../../platform/ids.ts'
import type { Log } from '../../platform/log.ts'
import type {
  Capabilities,
  CommandAnswer,
  Engine,
  EngineCommand,
  EngineEvent,
  EngineFactory,
  EngineOptions,
} from '../engines.ts'
import { maxDurationMs, needsKey, realtimeAddress } from '../upstream/address.ts'
import { type Gone, Line } from '../upstream/line.ts'
import type { Refusal } from '../upstream/refusal.ts'
import * as commands from './commands.ts'
import * as events from './events.ts'
import { appendFrame, scanAudioDelta } from './frame.ts'
import { Reader } from './reader.ts'
import { Speech } from './speech.ts'
import { cannotBeAnswer, Turns } from './turns.ts'

export interface OpenAiRealtimeNeeds {
  readonly apiKey: string | undefined
  /** http(s) or ws(s), e.g. `https://api.openai.com/v1`. */
  readonly baseUrl: string
  readonly defaultModel: string
  readonly transcriptionModel?: string
  /** The provider's cap of a session; by default OpenAI's 60 minutes, Azure's 30. */
  readonly maxDurationMs?: number
  readonly log: Log
  readonly clock: Clock
}

const capabilities: Omit<Capabilities, 'maxDurationMs'> = {
  conversation: 'turn',
  cancelSpeech: 'exact',
  truncate: 'native',
  say: 'wording',
  tools: 'inline',
  usage: 'cumulative',
  media: 'relayed',
  hears: 'words',
  inputAudio: 'pcm16_24k',
  outputAudio: 'pcm16_24k',
  /** The voice only until the first audio. */
  mutable: ['instructions', 'tools', 'voice', 'turnDetection', 'outputModality'],
  dialect: 'openai-realtime-ga',
}

const readyTimeoutMs = 15_000

const applied: CommandAnswer = { is: 'applied' }
const accepted: CommandAnswer = { is: 'accepted' }

export function createOpenAiRealtime(needs: OpenAiRealtimeNeeds): EngineFactory {
  const off = (needs.apiKey ?? '') === '' && needsKey(needs.baseUrl) ? 'no API key' : undefined
  return {
    kind: 'openai-realtime',
    ...(off === undefined ? {} : { off }),
    defaultModel: needs.defaultModel,
    hears: 'words',
    open: (options) => new RealtimeEngine(needs, options),
  }
}

type State = 'idle' | 'opening' | 'configuring' | 'ready' | 'closing' | 'closed'

class RealtimeEngine implements Engine {
  readonly kind = 'openai-realtime'
  readonly #needs: OpenAiRealtimeNeeds
  readonly #options: EngineOptions
  readonly #log: Log
  readonly #reader: Reader
  readonly #turns = new Turns()
  readonly #speech: Speech
  readonly #line: Line
  #readyTimer: Timer | undefined
  #state: State = 'idle'
  #cutsNext = false
  #overflowed = false
  #voiced = false
  #engineSessionId = ''
  #model: string
  #lifeMs: number
  /** An answer's own instructions replace the session's: what is added to them needs them. */
  #instructions: string
  /** The provider explains a close in an `error` just before it. */
  #lastError: string | undefined

  constructor(needs: OpenAiRealtimeNeeds, options: EngineOptions) {
    this.#needs = needs
    this.#options = options
    this.#log = needs.log.child({ tenantId: options.tenantId, sessionId: options.sessionId, engine: this.kind })
    this.#speech = new Speech(options.brief.interruptions, {
      cut: () => this.#cut(),
      answer: () => this.#answerSpeech(),
      remove: (itemId) => this.#write(commands.removeItem(itemId)),
    })
    this.#reader = new Reader(options.brief.turnDetection !== 'none' && !this.#speech.isTold)
    this.#line = new Line(needs.clock, {
      frame: (frame) => this.#frame(frame),
      refused: (refusal) => this.#refused(refusal),
      gone: (gone) => this.#gone(gone),
    })
    this.#lifeMs = needs.maxDurationMs ?? maxDurationMs(needs.baseUrl)
    this.#instructions = options.brief.instructions
    this.#model = options.brief.model === '' ? needs.defaultModel : options.brief.model
  }

  get capabilities(): Capabilities {
    return { ...capabilities, maxDurationMs: this.#lifeMs }
  }

  get bufferedBytes(): number {
    return this.#line.bufferedBytes
  }

  start(): void {
    if (this.#state !== 'idle') return
    this.#state = 'opening'
    try {
      this.#line.open(realtimeAddress(this.#needs.baseUrl, this.#model, this.#needs.apiKey))
    } catch (thrown) {
      this.#log.warn({ err: thrown }, 'engine address unusable')
      // The caller still stands in start(): events come later, never out of it.
      queueMicrotask(() => this.#finish('refused', 'bad_address', 'the engine address is unusable'))
      return
    }
    this.#readyTimer = this.#needs.clock.after(readyTimeoutMs, () => {
      if (this.#state === 'opening' || this.#state === 'configuring') {
        this.#finish('refused', 'timeout', 'the provider did not get ready in time')
      }
    })
  }

  #refused({ code, message, retryAfterMs }: Refusal): void {
    if (code === 'rate_limit_exceeded' || code === 'http_429') {
      this.#emit({ type: 'rateLimited', source: 'provider', retryAfterMs })
    }
    this.#finish('refused', code, message)
  }

  #frame(frame: Buffer): void {
    if (this.#state === 'closed') return
    const delta = scanAudioDelta(frame)
    if (delta === undefined) {
      this.#parsed(frame)
      return
    }
    this.#voiced = true
    const event = this.#reader.audio(delta, frame)
    if (event !== undefined) this.#emit(event)
  }

  #parsed(frame: Buffer): void {
    const event = events.anyEvent.safeParse(json(frame))
    if (!event.success) {
      this.#log.warn({ bytes: frame.length }, 'engine frame is not an event')
      return
    }
    if (this.#state === 'opening' || this.#state === 'configuring') this.#handshake(event.data)
    if (event.data.type === 'session.created') return
    for (const read of this.#reader.read(event.data, frame)) this.#follow(read)
  }

  #handshake(event: { readonly type: string }): void {
    if (event.type !== 'session.created' && event.type !== 'session.updated') return
    const session = events.session.safeParse(event)
    if (session.success && session.data.session.id !== '') this.#engineSessionId = session.data.session.id
    if (session.success && session.data.session.model !== '') this.#model = session.data.session.model
    if (session.success) this.#told(session.data.session.expires_at)
    if (event.type === 'session.created' && this.#state === 'opening') this.#configure()
    else if (event.type === 'session.updated' && this.#state === 'configuring') {
      this.#state = 'ready'
      const engineSessionId = this.#engineSessionId
      this.#emit({ type: 'ready', source: 'provider', engineSessionId, model: this.#model })
    }
  }

  /** The provider knows best how long a session lives; a time that is over already tells nothing. */
  #told(expiresAt: number | undefined): void {
    const leftMs = (expiresAt ?? 0) * 1000 - this.#needs.clock.now()
    if (this.#needs.maxDurationMs === undefined && leftMs > 0) this.#lifeMs = Math.min(this.#lifeMs, leftMs)
  }

  /** The provider works in order, so the queue may follow its configuration without waiting for the echo. */
  #configure(): void {
    this.#state = 'configuring'
    const { brief } = this.#options
    const frames = [commands.sessionUpdate(brief, this.#needs.transcriptionModel ?? 'gpt-transcribe')]
    for (const turn of brief.history) {
      const itemId = newId('item')
      this.#reader.own(itemId)
      frames.push(commands.historyItem(itemId, turn))
    }
    this.#line.release(frames.map((frame) => JSON.stringify(frame)))
  }

  /** What an event means for the engine itself, before it is passed on. */
  #follow(event: EngineEvent): void {
    this.#emit(event)
    if (event.type === 'responseStarted') this.#started()
    else if (event.type === 'responseDone') this.#nextTurn()
    else if (event.type === 'audio') this.#voiced = true
    else if (event.type === 'error') this.#trouble(event)
    else if (event.type === 'userSpeech' && event.phase === 'start') this.#speech.begins(event.itemId)
    else if (event.type === 'userItem' && event.spoken) this.#speech.ends(event.itemId)
  }

  /** An answer that was asked for and has not begun is cut as it begins. */
  #cut(): void {
    if (this.#reader.answering) this.#write(commands.cancelOwn('interrupt'))
    else this.#cutsNext = this.#turns.isAsking
  }

  #answerSpeech(): void {
    const create = this.#turns.ask({ type: 'response.create' }, this.#reader.answering, true)
    if (create !== undefined && create !== false) this.#write(create)
  }

  #started(): void {
    this.#turns.started()
    if (this.#cutsNext) this.#write(commands.cancelOwn('interrupt'))
    this.#cutsNext = false
  }

  #nextTurn(): void {
    const create = this.#turns.next(this.#reader.answering)
    if (create !== undefined) this.#line.send(JSON.stringify(create))
  }

  #trouble({ code, eventId }: Extract<EngineEvent, { type: 'error' }>): void {
    if (code === 'conversation_already_has_active_response') this.#turns.refused(eventId)
    else this.#lastError = code
    if (code === 'session_expired') this.#finish('expired', code, 'the provider ended the session at its time limit')
    else if (this.#state === 'opening' || this.#state === 'configuring') {
      this.#finish('refused', code, 'the provider refused the session')
    } else if (code !== 'conversation_already_has_active_response' && !cannotBeAnswer.has(code)) {
      this.#turns.failed(eventId)
      this.#nextTurn()
    }
  }

  send(command: EngineCommand): CommandAnswer {
    if (this.#state === 'closing' || this.#state === 'closed') return { is: 'rejected', reason: 'closed' }
    switch (command.type) {
      case 'userText':
        return this.#write(commands.userText(command))
      case 'respond':
        // A client's own response.create goes as it is: the provider answers it, races included.
        if (command.raw !== undefined) return this.#write({ ...command.raw, type: 'response.create' })
        return this.#ask({ type: 'response.create' })
      case 'say':
        return this.#ask(commands.sayNow(command.text))
      case 'goOn':
        return this.#ask(commands.goOn(command.after, this.#instructions))
      case 'note':
        return this.#note(command.text)
      case 'toolResult':
        if (command.foreign === undefined) return this.#write(commands.toolResult(command))
        return this.#note(commands.foreignResult(command.foreign, command.output))
      case 'cancel':
        if (command.responseId === undefined) this.#turns.clear()
        return this.#write({
          ...(command.raw ?? commands.cancelOwn('cancel')),
          ...(command.responseId === undefined ? {} : { response_id: command.responseId }),
          type: 'response.cancel',
        })
      case 'truncate':
        return this.#truncate(command.itemId, command.heardMs)
      case 'interrupt':
      case 'ignore':
        this.#speech.judged(command)
        return applied
      case 'commitAudio':
        return this.#write({ ...command.raw, type: 'input_audio_buffer.commit' })
      case 'clearAudio':
        return this.#write({ ...command.raw, type: 'input_audio_buffer.clear' })
      case 'update':
        return this.#update(command)
      case 'native':
        return this.#write(command.event)
    }
  }

  #note(text: string): CommandAnswer {
    const itemId = newId('item')
    this.#reader.own(itemId)
    return this.#write(commands.noteItem(itemId, text))
  }

  #ask(create: commands.WireEvent): CommandAnswer {
    const now = this.#turns.ask(create, this.#reader.answering)
    if (now === false) return { is: 'rejected', reason: 'too_many_answers_waiting' }
    return now === undefined ? accepted : this.#write(now)
  }

  #truncate(itemId: string, heardMs: number): CommandAnswer {
    const producedMs = this.#reader.producedMs(itemId)
    this.#reader.cutOff(itemId)
    // Beyond the produced audio, or at none of it, the provider answers with an error.
    const endMs = Math.min(Math.floor(heardMs), producedMs)
    if (endMs <= 0) return applied
    return this.#write({
      type: 'conversation.item.truncate',
      item_id: itemId,
      content_index: 0,
      audio_end_ms: endMs,
    })
  }

  #update(command: Extract<EngineCommand, { type: 'update' }>): CommandAnswer {
    const { fields } = command
    if (fields.voice !== undefined && this.#voiced) return { is: 'rejected', reason: 'voice_locked' }
    if (fields.instructions !== undefined) this.#instructions = fields.instructions
    if (fields.turnDetection !== undefined)
      this.#reader.interrupts = fields.turnDetection !== 'none' && !this.#speech.isTold
    return this.#write(commands.sessionChange(fields, command.eventId, this.#options.brief))
  }

  #write(event: commands.WireEvent): CommandAnswer {
    const frame = JSON.stringify(event)
    if (this.#line.send(frame)) return accepted
    return { is: 'rejected', reason: 'queue_full' }
  }

  audio(input: { readonly pcm: Buffer } | { readonly appendFrame: Buffer }): void {
    if (this.#state === 'closing' || this.#state === 'closed') return
    const frame = 'appendFrame' in input ? input.appendFrame : appendFrame(input.pcm)
    if (this.#line.send(frame) || this.#overflowed) return
    this.#overflowed = true
    const message = 'audio was dropped: the provider does not take it'
    this.#emit({ type: 'error', source: 'local', code: 'queue_full', message, benign: false })
  }

  pause(): void {
    this.#line.pause()
  }

  resume(): void {
    this.#line.resume()
  }

  close(): void {
    if (this.#state === 'closing' || this.#state === 'closed') return
    this.#state = 'closing'
    this.#line.close()
  }

  #gone(gone: Gone): void {
    const code = this.#lastError ?? gone.code
    if (this.#state === 'closing') this.#finish('asked', 'asked', '')
    else if (this.#state === 'opening' || this.#state === 'configuring') {
      this.#finish('refused', code, gone.opened ? 'the provider refused the session' : 'the provider cannot be reached')
    } else this.#finish('lost', code, 'the connection to the provider ended')
  }

  /** After a close was asked for only the bill still counts. */
  #emit(event: EngineEvent): void {
    if (this.#state === 'closed') return
    if (this.#state === 'closing' && event.type !== 'usage') return
    this.#options.onEvent(event)
  }

  #finish(cause: 'asked' | 'refused' | 'lost' | 'expired', code: string, message: string): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#readyTimer?.cancel()
    this.#line.cut()
    this.#options.onEvent({ type: 'closed', source: cause === 'asked' ? 'local' : 'provider', cause, code, message })
    if (cause !== 'asked') this.#log.warn({ cause, code }, 'engine closed')
  }
}

function json(frame: Buffer): unknown {
  try {
    return JSON.parse(frame.toString('utf8'))
  } catch {
    return undefined
  }
}
