// One session of the scripted provider: its conversation, its ears, and the train of events of each response.

import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault, ScriptedReply, ScriptedState, ScriptedUsage } from './scripted-realtime.ts'
import { betaOf } from './scripted-realtime-beta.ts'
import {
  type ClientEvent,
  type ClientItem,
  type ResponseFields,
  readClientEvent,
  type SessionFields,
  type WireError,
} from './scripted-realtime-wire.ts'

type Json = Readonly<Record<string, unknown>>

const bytesPerMs = 48
const deltaMs = 100
const prefixMs = 300
/** RMS above which a 20 ms frame is speech: about -36 dBFS. */
const speechRms = 500
const speechStartMs = 80

/** A WebSocket, or everybody who has hold of a call. */
export interface ClientSocket {
  readonly readyState: number
  readonly OPEN: number
  onMessage(listener: (data: Buffer, binary: boolean) => void): void
  send(text: string): void
  close(code?: number): void
  terminate(): void
  pause(): void
}

/** Where sound goes in a call. */
export interface CallMedia {
  play(place: { readonly responseId: string; readonly itemId: string }, pcm: Buffer): void
  /** Stops it; what was heard of the item that was being played. */
  cut(): { readonly itemId: string; readonly heardMs: number } | undefined
}

interface Running {
  readonly id: string
  readonly outOfBand: boolean
  stopped: 'turn_detected' | 'client_cancelled' | undefined
}

/** What a model reads as the result of a tool. */
const toolNote = /^The tool \w+ was called .* has answered: (.*)$/s
const longReply = 'I did not understand that, could you please say it again in other words?'

export class ScriptedConnection {
  readonly received: ClientEvent[] = []
  /** Types this side sent, in order. */
  readonly sent: string[] = []
  readonly errors: WireError[] = []
  /** Answers it was asked to go on with: the words before, and what it said then; undefined when they were not its own. */
  readonly goneOn: { readonly after: string; readonly rest: string | undefined }[] = []
  readonly headers: IncomingHttpHeaders
  readonly model: string
  readonly #socket: ClientSocket
  readonly #media: CallMedia | undefined
  readonly #state: ScriptedState
  readonly #id = `sess_${hex()}`
  readonly #items = new Map<string, { item: Json; audioMs: number }>()
  #session: SessionFields = { type: 'realtime' }
  #lastItem: string | null = null
  #running: Running | undefined
  #lastInput = ''
  #deltas = 0
  #heardMs = 0
  #bufferMs = 0
  #loudMs = 0
  #quietMs = 0
  #deaf = false
  #speaking: string | undefined
  #failNext: { readonly type: ClientEvent['type']; readonly code: string } | undefined

  constructor(
    socket: ClientSocket,
    options: {
      readonly model: string
      readonly headers: IncomingHttpHeaders
      readonly state: ScriptedState
      readonly session?: SessionFields
      readonly media?: CallMedia
    },
  ) {
    this.#socket = socket
    this.#media = options.media
    if (options.session !== undefined) this.#session = options.session
    this.#state = options.state
    this.model = options.model
    this.headers = options.headers
    socket.onMessage((data, binary) => this.#message(data, binary))
  }

  get open(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
  }

  get session(): SessionFields {
    return this.#session
  }

  get isAnswering(): boolean {
    return this.#running !== undefined
  }

  /** What every connection hears first. */
  createdFrame(): string {
    return JSON.stringify({ type: 'session.created', event_id: `event_${hex()}`, session: this.#effective() })
  }

  /** Sound of a call's own track. */
  hear(pcm: Buffer): void {
    if (this.open) this.#listen(pcm)
  }

  /** Events of one type the client sent. */
  of<T extends ClientEvent['type']>(type: T): Extract<ClientEvent, { type: T }>[] {
    return this.received.filter((event): event is Extract<ClientEvent, { type: T }> => event.type === type)
  }

  begin(): void {
    this.send({ type: 'session.created', session: this.#effective() })
  }

  fail(code: string, message: string): void {
    this.#error({ type: 'invalid_request_error', code, message, param: null, event_id: null })
    this.#socket.close(1000)
  }

  expire(): void {
    this.#error({
      type: 'invalid_request_error',
      code: 'session_expired',
      message: 'Your session hit the maximum duration of 60 minutes.',
      param: null,
      event_id: null,
    })
    this.#socket.close(1001)
  }

  /** The next client event of this type is answered with an error instead of being done. */
  failNext(type: ClientEvent['type'], code: string): void {
    this.#failNext = { type, code }
  }

  drop(): void {
    this.#socket.terminate()
  }

  close(code = 1000): void {
    this.#socket.close(code)
  }

  /** Any event, in the wire's key order: type, event_id, the rest. */
  send(event: { readonly type: string } & Json): void {
    const { type: name, ...rest } = event
    const type = this.#state.betaNames ? betaName(name) : name
    if (this.#deaf || type === undefined) return
    this.sent.push(type)
    if (this.#state.fault !== undefined && this.sent.length > this.#state.fault.at) {
      const { how } = this.#state.fault
      this.#state.fault = undefined
      this.#break(how)
    }
    if (!this.open || this.#deaf) return
    const whole = { type, event_id: `event_${hex()}`, ...rest }
    const sent = this.#state.beta ? betaOf(whole) : whole
    if (sent !== undefined) this.#socket.send(JSON.stringify(sent))
  }

  #break(how: Fault['how']): void {
    if (how === 'drop') this.drop()
    else if (how === 'close') this.close()
    else if (how === 'expire') this.expire()
    else {
      this.#deaf = true
      this.#socket.pause()
    }
  }

  sendRaw(text: string): void {
    this.#socket.send(text)
  }

  #error(error: WireError): void {
    this.errors.push(error)
    this.send({ type: 'error', error })
  }

  #refuse(code: string, message: string, event: ClientEvent, param: string | null = null): void {
    this.#error({ type: 'invalid_request_error', code, message, param, event_id: event.event_id ?? null })
  }

  #message(data: Buffer, binary: boolean): void {
    if (this.#state.mute || this.#deaf) return
    const read = binary ? readClientEvent('') : readClientEvent(data.toString('utf8'))
    if ('error' in read) {
      this.#error(read.error)
      return
    }
    this.received.push(read.event)
    if (this.#failNext?.type === read.event.type) {
      this.#refuse(this.#failNext.code, this.#failNext.code, read.event)
      this.#failNext = undefined
    } else this.#apply(read.event)
  }

  #apply(event: ClientEvent): void {
    switch (event.type) {
      case 'session.update':
        this.#session = merge(this.#session, event.session)
        this.send({ type: 'session.updated', session: this.#effective() })
        return
      case 'input_audio_buffer.append':
        this.#listen(Buffer.from(event.audio, 'base64'))
        return
      case 'input_audio_buffer.commit':
        if (this.#bufferMs < 100) {
          const message = `Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer only has ${this.#bufferMs.toFixed(2)}ms of audio.`
          this.#refuse('input_audio_buffer_commit_empty', message, event)
        } else this.#commit(`item_${hex()}`, false)
        return
      case 'input_audio_buffer.clear':
        this.#bufferMs = 0
        this.#speaking = undefined
        this.send({ type: 'input_audio_buffer.cleared' })
        return
      case 'conversation.item.create':
        this.#create(event.item, event)
        return
      case 'conversation.item.retrieve':
      case 'conversation.item.delete':
        this.#lookUp(event)
        return
      case 'conversation.item.truncate':
        this.#truncate(event)
        return
      case 'response.create':
        void this.#respond(event.response ?? {}, event)
        return
      case 'response.cancel':
        this.#cancel(event)
        return
      case 'output_audio_buffer.clear':
        if (this.#media === undefined)
          this.#refuse('invalid_value', 'Only WebRTC and SIP have that buffer.', event, 'type')
        else this.#cutSound()
        return
    }
  }

  #lookUp(event: Extract<ClientEvent, { type: 'conversation.item.retrieve' | 'conversation.item.delete' }>): void {
    const found = this.#items.get(event.item_id)
    if (found === undefined) {
      this.#refuse('item_not_found', `Item with id '${event.item_id}' not found.`, event, 'item_id')
    } else if (event.type === 'conversation.item.delete') {
      this.#items.delete(event.item_id)
      this.send({ type: 'conversation.item.deleted', item_id: event.item_id })
    } else this.send({ type: 'conversation.item.retrieved', item: found.item })
  }

  #create(item: ClientItem, event: ClientEvent): void {
    const id = item.id ?? `item_${hex()}`
    if (this.#items.has(id)) {
      this.#refuse('item_create_duplicate_id', `Item with id '${id}' already exists.`, event, 'item.id')
      return
    }
    if (item.type === 'message' && item.role === 'assistant' && item.content.some((p) => p.type !== 'output_text')) {
      this.#refuse('invalid_value', 'Assistant messages take output_text only.', event, 'item.content')
      return
    }
    if (item.type === 'function_call_output' && !this.#hasCall(item.call_id)) {
      this.#refuse('invalid_value', `Tool call ID '${item.call_id}' not found in conversation.`, event, 'item.call_id')
      return
    }
    if (item.type === 'function_call_output') this.#lastInput = item.output
    if (item.type === 'message' && item.role === 'user') this.#lastInput = textOf(item)
    const known = item.type === 'message' && item.role === 'system' ? toolNote.exec(textOf(item))?.[1] : undefined
    if (known !== undefined) this.#lastInput = known
    this.#add({ ...item, id, object: 'realtime.item', status: 'completed' })
  }

  #hasCall(callId: string): boolean {
    return [...this.#items.values()].some(({ item }) => item.type === 'function_call' && item.call_id === callId)
  }

  #add(item: Json & { readonly id: string }, audioMs = 0): void {
    this.#items.set(item.id, { item, audioMs })
    const previous = this.#lastItem
    this.#lastItem = item.id
    this.send({ type: 'conversation.item.added', previous_item_id: previous, item })
    this.send({ type: 'conversation.item.done', previous_item_id: previous, item })
  }

  #truncate(event: Extract<ClientEvent, { type: 'conversation.item.truncate' }>): void {
    const found = this.#items.get(event.item_id)
    if (found === undefined) {
      this.#refuse('item_truncate_invalid_item_id', `Item with item_id ${event.item_id} not found.`, event, 'item_id')
    } else if (found.audioMs === 0) {
      this.#refuse('unsupported_content_type', 'Only model output audio messages can be truncated', event)
    } else if (event.audio_end_ms > found.audioMs) {
      const message = `Audio content of ${found.audioMs}ms is already shorter than ${event.audio_end_ms}ms`
      this.#refuse('invalid_value', message, event, 'audio_end_ms')
    } else {
      found.audioMs = event.audio_end_ms
      this.send({
        type: 'conversation.item.truncated',
        item_id: event.item_id,
        content_index: 0,
        audio_end_ms: event.audio_end_ms,
      })
    }
  }

  #cancel(event: Extract<ClientEvent, { type: 'response.cancel' }>): void {
    const running = this.#running
    if (running === undefined || (event.response_id !== undefined && event.response_id !== running.id)) {
      this.#refuse('response_cancel_not_active', 'Cancellation failed: no active response found', event)
    } else running.stopped = 'client_cancelled'
  }

  /** In a call the provider knows itself what was heard. */
  #cutSound(): void {
    const cut = this.#media?.cut()
    if (cut === undefined) return
    const found = this.#items.get(cut.itemId)
    if (found !== undefined) found.audioMs = cut.heardMs
    this.send({
      type: 'conversation.item.truncated',
      item_id: cut.itemId,
      content_index: 0,
      audio_end_ms: Math.round(cut.heardMs),
    })
  }

  #listen(pcm: Buffer): void {
    this.#bufferMs += pcm.length / bytesPerMs
    const detection = this.#session.audio?.input?.turn_detection
    const off = detection === null
    for (let at = 0; at + 960 <= pcm.length && !off; at += 960) this.#frame(pcm.subarray(at, at + 960))
  }

  #frame(pcm: Buffer): void {
    this.#heardMs += 20
    if (rms(pcm) > speechRms) {
      this.#quietMs = 0
      this.#loudMs += 20
      if (this.#speaking === undefined && this.#loudMs >= speechStartMs) this.#speechStarts()
      return
    }
    this.#loudMs = 0
    this.#quietMs += 20
    if (this.#speaking === undefined || this.#quietMs < this.#state.silenceMs) return
    const itemId = this.#speaking
    this.#speaking = undefined
    this.send({ type: 'input_audio_buffer.speech_stopped', audio_end_ms: this.#heardMs, item_id: itemId })
    this.#commit(itemId, true)
  }

  #speechStarts(): void {
    this.#speaking = `item_${hex()}`
    this.send({
      type: 'input_audio_buffer.speech_started',
      audio_start_ms: Math.max(0, this.#heardMs - speechStartMs - prefixMs),
      item_id: this.#speaking,
    })
    const detection = this.#session.audio?.input?.turn_detection
    if (detection?.interrupt_response === false) return
    if (this.#running !== undefined) this.#running.stopped = 'turn_detected'
    this.#cutSound()
  }

  #commit(itemId: string, detected: boolean): void {
    const previous = this.#lastItem
    const seconds = this.#bufferMs / 1000
    this.#bufferMs = 0
    this.send({ type: 'input_audio_buffer.committed', previous_item_id: previous, item_id: itemId })
    const content = [{ type: 'input_audio', transcript: null }]
    this.#add({ id: itemId, object: 'realtime.item', type: 'message', status: 'completed', role: 'user', content })
    const text = this.#state.heard.shift() ?? 'hello'
    this.#lastInput = text
    if (this.#session.audio?.input?.transcription != null) void this.#transcribe(itemId, text, seconds)
    if (detected && this.#session.audio?.input?.turn_detection?.create_response !== false) void this.#respond({})
  }

  async #transcribe(itemId: string, text: string, seconds: number): Promise<void> {
    const base = { item_id: itemId, content_index: 0 }
    const type = 'conversation.item.input_audio_transcription'
    await sleep(1)
    this.send({ type: `${type}.delta`, ...base, delta: text })
    const usage = { type: 'duration', seconds }
    this.send({ type: `${type}.completed`, ...base, transcript: text, usage })
  }

  async #respond(fields: ResponseFields, event?: ClientEvent): Promise<void> {
    const outOfBand = fields.conversation === 'none'
    if (!outOfBand && this.#running !== undefined) {
      const message = `Conversation already has an active response in progress: ${this.#running.id}.`
      if (event !== undefined) this.#refuse('conversation_already_has_active_response', message, event)
      // Speech that ends while the interrupted answer is still being wound up is answered after it.
      else setTimeout(() => void this.#respond(fields), 5)
      return
    }
    const running: Running = { id: `resp_${hex()}`, outOfBand, stopped: undefined }
    if (!outOfBand) this.#running = running
    const reply = this.#replyTo(fields)
    this.send({ type: 'response.created', response: this.#response(running, 'in_progress', { fields }) })
    this.send({ type: 'rate_limits.updated', rate_limits: rateLimits })
    if (reply.delayMs !== undefined) await this.#wait(reply.delayMs, running)
    if (reply.silent === true) while (running.stopped === undefined && this.open) await sleep(5)
    const outputs: Json[] = []
    if (reply.say !== undefined && running.stopped === undefined) {
      outputs.push(await this.#answer(reply, running, fields))
    }
    if (reply.call !== undefined && running.stopped === undefined) outputs.push(await this.#call(reply.call, running))
    if (this.#running === running) this.#running = undefined
    const status = running.stopped === undefined ? (reply.status ?? 'completed') : 'cancelled'
    const details = { fields, output: outputs, reply, usage: usageOf(reply.usage ?? guess(reply, this.#lastInput)) }
    this.send({ type: 'response.done', response: this.#response(running, status, details) })
  }

  #replyTo(fields: ResponseFields): ScriptedReply {
    const heard = /Heard so far: (".*")$/s.exec(fields.instructions ?? '')?.[1]
    if (heard !== undefined) return this.#goOn(String(JSON.parse(heard)))
    const exact = /^Say exactly [^"]*(".*")$/s.exec(fields.instructions ?? '')?.[1]
    const input = exact === undefined ? this.#lastInput : String(JSON.parse(exact))
    const script = this.#state.scripts.find(({ pattern }) => pattern.test(input))
    if (script === undefined) return { say: exact === undefined ? longReply : input }
    return typeof script.reply === 'function' ? script.reply(input) : script.reply
  }

  /** As a model that does what it is told: the same answer, from the word after those. */
  #goOn(after: string): ScriptedReply {
    const scripts = this.#state.scripts.flatMap(({ reply }) => (typeof reply === 'function' ? [] : [reply]))
    const own = this.#replyTo({})
    // Without the question the words themselves tell what was being said.
    const begun = scripts.find((reply) => after !== '' && reply.say?.startsWith(after))
    const whole = own.say?.startsWith(after) === true ? own : (begun ?? own)
    const text = whole.say ?? ''
    const rest = text.startsWith(after) ? text.slice(after.length).trim() : undefined
    this.goneOn.push({ after, rest })
    const { audioMs, ...reply } = whole
    if (rest === undefined || rest === '') return {}
    return {
      ...reply,
      say: rest,
      ...(audioMs === undefined ? {} : { audioMs: Math.ceil((audioMs * rest.length) / text.length) }),
    }
  }

  async #answer(reply: ScriptedReply, running: Running, fields: ResponseFields): Promise<Json> {
    const text = reply.say ?? ''
    const id = `item_${hex()}`
    const spoken = (fields.output_modalities ?? this.#session.output_modalities ?? ['audio'])[0] === 'audio'
    const base = { id, object: 'realtime.item', type: 'message', role: 'assistant' }
    const at = { response_id: running.id, output_index: 0 }
    const previous = this.#lastItem
    const begun = { ...base, status: 'in_progress', content: [] }
    this.send({ type: 'response.output_item.added', ...at, item: begun })
    if (!running.outOfBand) {
      this.#items.set(id, { item: begun, audioMs: 0 })
      this.#lastItem = id
      this.send({ type: 'conversation.item.added', previous_item_id: previous, item: begun })
    }
    const part = { response_id: running.id, item_id: id, output_index: 0, content_index: 0 }
    const empty = spoken ? { type: 'audio', transcript: '' } : { type: 'text', text: '' }
    this.send({ type: 'response.content_part.added', ...part, part: empty })
    const said = spoken ? await this.#speak(text, reply, running, part) : this.#write(text, part)
    const full = spoken ? { type: 'audio', transcript: said } : { type: 'text', text: said }
    this.send({ type: 'response.content_part.done', ...part, part: full })
    const content = [spoken ? { type: 'output_audio', transcript: said } : { type: 'output_text', text: said }]
    const item = { ...base, status: running.stopped === undefined ? 'completed' : 'incomplete', content }
    const kept = this.#items.get(id)
    if (kept !== undefined) kept.item = item
    if (!running.outOfBand) this.send({ type: 'conversation.item.done', previous_item_id: previous, item })
    this.send({ type: 'response.output_item.done', ...at, item })
    return item
  }

  #write(text: string, part: Json): string {
    for (const word of words(text)) this.send({ type: 'response.output_text.delta', ...part, delta: word })
    this.send({ type: 'response.output_text.done', ...part, text })
    return text
  }

  /** The transcript runs ahead of the audio, as it does in life. Returns what was said before a stop. */
  async #speak(
    text: string,
    reply: ScriptedReply,
    running: Running,
    part: Json & { item_id: string },
  ): Promise<string> {
    const totalMs = reply.audioMs ?? text.length * 60
    const pace = reply.pace ?? this.#state.pace
    const parts = words(text)
    let said = ''
    let sentMs = 0
    const kept = this.#items.get(part.item_id)
    while (sentMs < totalMs && running.stopped === undefined && this.open) {
      const ms = Math.min(deltaMs, totalMs - sentMs)
      const due = Math.ceil((parts.length * (sentMs + ms)) / totalMs)
      while (said.length < parts.slice(0, due).join('').length) {
        const word = parts[words(said).length] ?? ''
        said += word
        this.send({ type: 'response.output_audio_transcript.delta', ...part, delta: word })
      }
      const pcm = tone(sentMs, ms)
      if (this.#media !== undefined) this.#media.play({ responseId: running.id, itemId: part.item_id }, pcm)
      else this.send({ type: 'response.output_audio.delta', ...part, delta: pcm.toString('base64') })
      sentMs += ms
      if (kept !== undefined) kept.audioMs = sentMs
      this.#deltas++
      if (this.#state.dropAt === this.#deltas) this.drop()
      if (pace !== 'instant') await this.#wait(ms / pace, running)
    }
    this.send({ type: 'response.output_audio.done', ...part })
    this.send({ type: 'response.output_audio_transcript.done', ...part, transcript: said })
    return said
  }

  async #call(call: NonNullable<ScriptedReply['call']>, running: Running): Promise<Json> {
    const id = `item_${hex()}`
    const callId = call.callId ?? `call_${hex()}`
    const text = typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments)
    const base = { id, object: 'realtime.item', type: 'function_call', name: call.name, call_id: callId }
    const at = { response_id: running.id, output_index: 0 }
    const begun = { ...base, status: 'in_progress', arguments: '' }
    const previous = this.#lastItem
    this.send({ type: 'response.output_item.added', ...at, item: begun })
    this.send({ type: 'conversation.item.added', previous_item_id: previous, item: begun })
    const ids = { ...at, item_id: id, call_id: callId }
    for (let i = 0; i < text.length; i += 16) {
      const delta = text.slice(i, i + 16)
      this.send({ type: 'response.function_call_arguments.delta', ...ids, delta })
    }
    await sleep(1)
    this.send({ type: 'response.function_call_arguments.done', ...ids, name: call.name, arguments: text })
    const item = { ...base, status: running.stopped === undefined ? 'completed' : 'incomplete', arguments: text }
    this.#items.set(id, { item, audioMs: 0 })
    this.#lastItem = id
    this.send({ type: 'conversation.item.done', previous_item_id: previous, item })
    this.send({ type: 'response.output_item.done', ...at, item })
    return item
  }

  async #wait(ms: number, running: Running): Promise<void> {
    const until = performance.now() + ms
    while (running.stopped === undefined && this.open && performance.now() < until) {
      await sleep(Math.min(5, Math.max(1, until - performance.now())))
    }
  }

  #response(
    running: Running,
    status: string,
    more: {
      readonly fields: ResponseFields
      readonly output?: readonly Json[]
      readonly reply?: ScriptedReply
      readonly usage?: Json
    },
  ): Json {
    const error = more.reply?.error
    const details =
      status === 'cancelled'
        ? { type: 'cancelled', reason: running.stopped }
        : status === 'failed'
          ? { type: 'failed', error: { type: 'server_error', ...error } }
          : status === 'incomplete'
            ? { type: 'incomplete', reason: error?.code ?? 'max_output_tokens' }
            : null
    return {
      object: 'realtime.response',
      id: running.id,
      status,
      status_details: details,
      output: more.output ?? [],
      conversation_id: running.outOfBand ? null : `conv_${this.#id.slice(5)}`,
      output_modalities: more.fields.output_modalities ?? this.#session.output_modalities ?? ['audio'],
      max_output_tokens: 'inf',
      audio: { output: this.#session.audio?.output ?? {} },
      usage: more.usage ?? null,
      metadata: more.fields.metadata ?? null,
    }
  }

  #effective(): Json {
    const pcm = { type: 'audio/pcm', rate: 24_000 }
    const { audio, ...session } = this.#session
    const { lifeMs } = this.#state
    const vad = { type: 'server_vad', threshold: 0.5, create_response: true, interrupt_response: true }
    return {
      output_modalities: ['audio'],
      instructions: '',
      tools: [],
      tool_choice: 'auto',
      max_output_tokens: 'inf',
      ...session,
      object: 'realtime.session',
      id: this.#id,
      model: this.model,
      ...(lifeMs === null ? {} : { expires_at: Math.floor((Date.now() + lifeMs) / 1000) }),
      audio: {
        input: { format: pcm, transcription: null, noise_reduction: null, turn_detection: vad, ...audio?.input },
        output: { format: pcm, voice: 'marin', speed: 1, ...audio?.output },
      },
    }
  }
}

const rateLimits = [
  { name: 'requests', limit: 500, remaining: 499, reset_seconds: 0.12 },
  { name: 'tokens', limit: 200_000, remaining: 190_000, reset_seconds: 3 },
]

/** Undefined where the beta has no such event. */
function betaName(type: string): string | undefined {
  if (type === 'conversation.item.done') return undefined
  if (type === 'conversation.item.added') return 'conversation.item.created'
  return type
    .replace('response.output_audio_transcript', 'response.audio_transcript')
    .replace('response.output_audio', 'response.audio')
    .replace('response.output_text', 'response.text')
}

function hex(): string {
  return randomBytes(10).toString('hex')
}

function words(text: string): string[] {
  return text.match(/\s*\S+/g) ?? []
}

function textOf(item: Extract<ClientItem, { type: 'message' }>): string {
  return item.content.map((p) => ('text' in p ? p.text : '')).join(' ')
}

function merge(session: SessionFields, change: SessionFields): SessionFields {
  const input = { ...session.audio?.input, ...change.audio?.input }
  const output = { ...session.audio?.output, ...change.audio?.output }
  return { ...session, ...change, audio: { input, output } }
}

function rms(pcm: Buffer): number {
  let sum = 0
  for (let i = 0; i + 1 < pcm.length; i += 2) sum += pcm.readInt16LE(i) ** 2
  return Math.sqrt(sum / (pcm.length / 2))
}

/** 440 Hz at -12 dBFS, continuous over the deltas. */
function tone(fromMs: number, ms: number): Buffer {
  const samples = Math.round(ms * 24)
  const pcm = Buffer.alloc(samples * 2)
  for (let i = 0; i < samples; i++) {
    pcm.writeInt16LE(Math.round(8_000 * Math.sin((2 * Math.PI * 440 * (fromMs * 24 + i)) / 24_000)), i * 2)
  }
  return pcm
}

function guess(reply: ScriptedReply, input: string): ScriptedUsage {
  const outputAudio = Math.ceil((reply.audioMs ?? (reply.say?.length ?? 0) * 60) / 50)
  return {
    inputText: 100 + Math.ceil(input.length / 4),
    inputAudio: 40,
    cachedText: 64,
    cachedAudio: 16,
    outputText: Math.ceil((reply.say?.length ?? 20) / 4),
    outputAudio,
  }
}

function usageOf(usage: ScriptedUsage): Json {
  const input = usage.inputText + usage.inputAudio
  const output = usage.outputText + usage.outputAudio
  return {
    total_tokens: input + output,
    input_tokens: input,
    output_tokens: output,
    input_token_details: {
      text_tokens: usage.inputText,
      audio_tokens: usage.inputAudio,
      image_tokens: 0,
      cached_tokens: usage.cachedText + usage.cachedAudio,
      cached_tokens_details: { text_tokens: usage.cachedText, audio_tokens: usage.cachedAudio, image_tokens: 0 },
    },
    output_token_details: { text_tokens: usage.outputText, audio_tokens: usage.outputAudio },
  }
}
