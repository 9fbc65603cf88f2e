// The OpenAI Realtime GA engine: one WebSocket to the provider per session, and audio frames pass both ways as they are; or the
// control of a call that the person's browser has with the provider itself (`direct/`).

import type { Timer } from '../../platform/clock.ts'
import { newId } from '../../platform/ids.ts'
import type { Log } from '../../platform/log.ts'
import { accepted, applied, audioDropped } from '../answers.ts'
import { withFields } from '../client-frame.ts'
import type {
  Capabilities,
  CloseCause,
  CommandAnswer,
  DirectCall,
  Engine,
  EngineBrief,
  EngineCommand,
  EngineEvent,
  EngineFactory,
  EngineOptions,
} from '../engines.ts'
import { maxDurationMs, needsKey, realtimeAddress } from '../upstream/address.ts'
import { type Gone, Line } from '../upstream/line.ts'
import type { Refusal } from '../upstream/refusal.ts'
import { Beta, modernAudio } from './beta.ts'
import { capabilities } from './capabilities.ts'
import * as commands from './commands.ts'
import { interrupts, waitsMs } from './detection.ts'
import { Direct, type DirectEvents } from './direct/direct.ts'
import * as events from './events.ts'
import { Floor } from './floor.ts'
import { appendFrame, scanAudioDelta } from './frame.ts'
import type { OpenAiRealtimeNeeds } from './needs.ts'
import { Reader } from './reader.ts'

const readyTimeoutMs = 15_000

export function createOpenAiRealtime(needs: OpenAiRealtimeNeeds): EngineFactory {
  const off = (needs.apiKey ?? '') === '' && needsKey(needs.baseUrl) ? 'no API key' : undefined
  return {
    kind: 'openai-realtime',
    ...(off === undefined ? {} : { off }),
    defaultModel: needs.defaultModel,
    hears: 'words',
    open: (options) => new RealtimeEngine(needs, options),
    direct: { dialect: 'openai-realtime-ga', open: (options, call) => new RealtimeEngine(needs, options, call) },
  }
}

type State = 'idle' | 'opening' | 'configuring' | 'ready' | 'closing' | 'closed'

class RealtimeEngine implements Engine {
  readonly kind = 'openai-realtime'
  readonly #needs: OpenAiRealtimeNeeds
  readonly #options: EngineOptions
  readonly #log: Log
  readonly #reader: Reader
  readonly #beta = new Beta()
  readonly #floor: Floor
  /** The sound goes past us. */
  readonly #direct: Direct | undefined
  readonly #line: Pick<Line, 'bufferedBytes' | 'send' | 'release' | 'pause' | 'resume' | 'close' | 'cut'>
  #readyTimer: Timer | undefined
  #state: State = 'idle'
  #overflowed = false
  #voiced = false
  #engineSessionId = ''
  #model: string
  #lifeMs: number
  #brief: EngineBrief
  /** The provider explains a close in an `error` just before it. */
  #lastError: string | undefined

  constructor(needs: OpenAiRealtimeNeeds, options: EngineOptions, call?: DirectCall) {
    this.#needs = needs
    this.#options = options
    this.#log = needs.log.child({ tenantId: options.tenantId, sessionId: options.sessionId, engine: this.kind })
    this.#brief = options.brief
    this.#floor = new Floor(options.brief.interruptions, {
      answering: () => this.#reader.answering,
      brief: () => this.#brief,
      write: (event) => this.#write(event),
    })
    this.#reader = new Reader(true)
    this.#listenAs(options.brief)
    this.#lifeMs = needs.maxDurationMs ?? maxDurationMs(needs.baseUrl)
    this.#model = options.brief.model === '' ? needs.defaultModel : options.brief.model
    const told = {
      frame: (frame: Buffer) => this.#frame(frame),
      refused: (refusal: Refusal) => this.#refused(refusal),
      gone: (gone: Gone & { readonly hungUp?: boolean }) => this.#gone(gone),
    }
    this.#direct = call === undefined ? undefined : this.#directOf(call, told)
    this.#line = this.#direct?.call ?? new Line(needs.clock, told)
  }

  #directOf(direct: DirectCall, told: Pick<DirectEvents, 'frame' | 'refused' | 'gone'>): Direct {
    const { clock } = this.#needs
    const session = commands.callSession(this.#options.brief, this.#model, this.#transcriptionModel)
    return new Direct(
      { provider: this.#needs, clock, session, direct, reader: this.#reader },
      {
        ...told,
        attached: () => this.#configure(),
        gap: (isOver, code) => this.#log.warn({ isOver, code }, 'the control of a direct call was lost or is back'),
        missed: (events) => events.forEach((event) => void this.#follow(event)),
        tampered: (what, isUnbearable) => this.#tampered(what, isUnbearable),
      },
    )
  }

  /** Who has hold of the browser changes the session there. It was put back; whoever goes on is cut off. */
  #tampered(what: string, isUnbearable: boolean): void {
    this.#log.warn(
      { event: 'direct_call_tampered', what, isUnbearable },
      'a browser changed its session at the provider',
    )
    if (isUnbearable) this.#finish('hungUp', 'tampered', what)
    else this.#emit({ type: 'error', source: 'local', code: 'tampered', message: `Put back: ${what}.`, benign: false })
  }

  get capabilities(): Capabilities {
    const media = this.#direct === undefined ? 'relayed' : 'direct'
    return { ...capabilities, media, maxDurationMs: this.#lifeMs }
  }

  get bufferedBytes(): number {
    return this.#line.bufferedBytes
  }

  start(): void {
    if (this.#state !== 'idle') return
    this.#state = 'opening'
    try {
      this.#open()
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

  #open(): void {
    const { baseUrl, apiKey } = this.#needs
    if (this.#direct !== undefined) this.#direct.call.open()
    else if (this.#line instanceof Line) this.#line.open(realtimeAddress(baseUrl, this.#model, apiKey))
  }

  #refused({ code, message, retryAfterMs }: Refusal): void {
    if (code === 'rate_limit_exceeded' || code === 'http_429') {
      this.#emit({ type: 'rateLimited', source: 'provider', retryAfterMs })
    }
    this.#finish('refused', code, message)
  }

  #frame(received: Buffer): void {
    if (this.#state === 'closed') return
    const frame = modernAudio(received)
    const delta = scanAudioDelta(frame)
    if (delta === undefined) {
      this.#parsed(frame)
      return
    }
    this.#voiced = true
    // On the control it is an echo of what the person hears already.
    if (this.#direct !== undefined) return
    const event = this.#reader.audio(delta, frame)
    if (event !== undefined) this.#emit(event)
  }

  #parsed(received: Buffer): void {
    const parsed = events.json(received)
    const modern = this.#beta.frames(parsed)
    if (modern === undefined) this.#read(parsed, received)
    else for (const frame of modern) this.#read(events.json(frame), frame)
  }

  #read(parsed: unknown, frame: Buffer): void {
    const event = events.anyEvent.safeParse(parsed)
    if (!event.success) {
      this.#log.warn({ bytes: frame.length }, 'engine frame is not an event')
      return
    }
    if (this.#state === 'opening' || this.#state === 'configuring') this.#handshake(event.data)
    const read = () => (event.data.type === 'session.created' ? [] : this.#reader.read(event.data, frame))
    for (const each of this.#direct?.read(event.data, frame, read) ?? read()) this.#follow(each)
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
      this.#direct?.call.tellAnswer()
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
    const frames = [commands.sessionUpdate(brief, this.#transcriptionModel, this.capabilities.media)]
    for (const turn of brief.history) {
      const itemId = newId('item')
      this.#reader.own(itemId)
      frames.push(commands.historyItem(itemId, turn))
    }
    this.#line.release(frames.map((frame) => this.#frameOf(frame)))
  }

  /** What an event means for the engine itself, before it is passed on. */
  #follow(event: EngineEvent): void {
    this.#emit(event)
    if (event.type === 'audio') this.#voiced = true
    else if (event.type === 'error') this.#trouble(event)
    else this.#floor.follow(event)
  }

  #trouble(error: Extract<EngineEvent, { type: 'error' }>): void {
    if (this.#floor.waits(error)) return
    const { code } = error
    this.#lastError = code
    if (code === 'session_expired') this.#finish('expired', code, 'the provider ended the session at its time limit')
    else if (this.#state === 'opening' || this.#state === 'configuring') {
      this.#finish('refused', code, 'the provider refused the session')
    } else this.#floor.failed(error)
  }

  send(command: EngineCommand): CommandAnswer {
    if (this.#state === 'closing' || this.#state === 'closed') return { is: 'rejected', reason: 'closed' }
    switch (command.type) {
      case 'userText':
        return this.#write(commands.userText(command))
      case 'respond':
        // A client's own response.create goes as it is: the provider answers it, races included.
        if (command.raw !== undefined) return this.#write({ ...command.raw, type: 'response.create' })
        return this.#floor.ask({ type: 'response.create' })
      case 'say':
        return this.#floor.ask(commands.sayNow(command.text))
      case 'goOn':
        return this.#floor.ask(commands.goOn(command.after, this.#brief.instructions))
      case 'note':
        return this.#note(command.text)
      case 'toolResult':
        if (command.foreign === undefined) return this.#write(commands.toolResult(command))
        return this.#note(commands.foreignResult(command.foreign, command.output))
      case 'cancel':
        return this.#cancel(command)
      case 'truncate':
        return this.#truncate(command.itemId, command.heardMs)
      case 'interrupt':
      case 'ignore':
        this.#floor.judged(command)
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

  #cancel({ responseId, raw }: Extract<EngineCommand, { type: 'cancel' }>): CommandAnswer {
    if (responseId === undefined) this.#floor.clear()
    const answer = this.#write({
      ...(raw ?? commands.cancelOwn('cancel')),
      ...(responseId === undefined ? {} : { response_id: responseId }),
      type: 'response.cancel',
    })
    // What is generated already is at the provider, on its way to the person.
    if (this.#direct === undefined) return answer
    return this.#write({ type: 'output_audio_buffer.clear', event_id: commands.ownEventId('clear') })
  }

  #note(text: string): CommandAnswer {
    const itemId = newId('item')
    this.#reader.own(itemId)
    return this.#write(commands.noteItem(itemId, text))
  }

  #truncate(itemId: string, heardMs: number): CommandAnswer {
    const producedMs = this.#reader.producedMs(itemId)
    this.#reader.cutOff(itemId)
    // The provider knows itself what it has played.
    if (this.#direct !== undefined) return applied
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
    const { fields, eventId } = command
    if (fields.voice !== undefined && this.#voiced) return { is: 'rejected', reason: 'voice_locked' }
    const brief = withFields(this.#brief, fields)
    const change = { fields, brief, transcriptionModel: this.#transcriptionModel, eventId }
    const answer = this.#write(commands.sessionChange(change))
    if ('reason' in answer) return answer
    this.#brief = brief
    this.#listenAs(brief)
    return answer
  }

  #listenAs(brief: EngineBrief): void {
    this.#reader.keeps = !interrupts(brief)
    this.#reader.interrupts = interrupts(brief) && !this.#floor.isTold
    this.#reader.silenceMs = waitsMs(brief)
  }

  get #transcriptionModel(): string {
    return this.#needs.transcriptionModel ?? 'gpt-transcribe'
  }

  #write(event: commands.WireEvent): CommandAnswer {
    if (this.#line.send(this.#frameOf(event))) return accepted
    return { is: 'rejected', reason: 'queue_full' }
  }

  #frameOf(event: commands.WireEvent): string {
    return JSON.stringify(this.#direct?.sent(event) ?? event)
  }

  audio(input: { readonly pcm: Buffer } | { readonly appendFrame: Buffer }): void {
    if (this.#state === 'closing' || this.#state === 'closed' || this.#direct !== undefined) return
    const frame = 'appendFrame' in input ? input.appendFrame : appendFrame(input.pcm)
    if (this.#line.send(frame) || this.#overflowed) return
    this.#overflowed = true
    this.#emit(audioDropped)
  }

  pause(): void {
    this.#line.pause()
  }

  resume(): void {
    this.#line.resume()
  }

  close(): void {
    if (this.#state === 'closing' || this.#state === 'closed') return
    for (const event of this.#reader.close()) this.#emit(event)
    this.#state = 'closing'
    this.#line.close()
  }

  #gone(gone: Gone & { readonly hungUp?: boolean }): void {
    const code = this.#lastError ?? gone.code
    if (this.#state === 'closing') this.#finish('asked', 'asked', '')
    else if (this.#state === 'opening' || this.#state === 'configuring') {
      this.#finish('refused', code, gone.opened ? 'the provider refused the session' : 'the provider cannot be reached')
    } else if (gone.hungUp === true) this.#finish('hungUp', gone.code, 'the call was ended')
    else this.#finish('lost', code, 'the connection to the provider ended')
  }

  /** After a close was asked for only the bill still counts. */
  #emit(event: EngineEvent): void {
    if (this.#state === 'closed') return
    if (this.#state === 'closing' && event.type !== 'usage') return
    this.#options.onEvent(event)
  }

  #finish(cause: CloseCause, code: string, message: string): void {
    if (this.#state === 'closed') return
    for (const event of this.#direct?.close() ?? []) this.#options.onEvent(event)
    this.#state = 'closed'
    this.#readyTimer?.cancel()
    this.#line.cut()
    for (const event of this.#reader.close()) this.#options.onEvent(event)
    this.#options.onEvent({ type: 'closed', source: cause === 'asked' ? 'local' : 'provider', cause, code, message })
    if (cause !== 'asked') this.#log.warn({ cause, code }, 'engine closed')
  }
}
