// One session of the scripted GPT-Live: its clock is its input, its mouth speaks when it wants to, its work goes elsewhere.

import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LiveFault, LiveReply, LiveState } from './scripted-live.ts'
import { ScriptedBackend } from './scripted-live-backend.ts'
import {
  type Append,
  type ClientEvent,
  readClientEvent,
  type SessionFields,
  type WireError,
  wireError,
} from './scripted-live-wire.ts'

type Json = Readonly<Record<string, unknown>>

const bytesPerMs = 48
const deltaMs = 100
/** RMS above which a 20 ms frame is speech: about -36 dBFS. */
const speechRms = 500
const speechStartMs = 80
const speechEndMs = 500
/** The model hears itself interrupted this late. */
const reactionMs = 60
/** Input that passes before something appended is in the session. */
const injectionMs = 40
const notUnderstood = 'I did not understand that, could you please say it again in other words?'

/** A WebSocket, or everybody who has hold of a call. */
export interface LiveSocket {
  readonly readyState: number
  readonly OPEN: number
  onMessage(listener: (data: Buffer, binary: boolean) => void): void
  onClose(listener: () => void): void
  send(text: string): void
  close(code?: number): void
  terminate(): void
  pause(): void
}

/** A session with a browser: it was told everything when it was made, and its sound is elsewhere. */
export interface LiveMedia {
  readonly session: SessionFields
  play(pcm: Buffer): void
  stop(): void
}

interface Utterance {
  readonly text: string
  readonly audioMs?: number | undefined
  readonly pace?: LiveReply['pace'] | undefined
  stopped: boolean
}

export class ScriptedLiveConnection {
  readonly received: ClientEvent[] = []
  readonly sent: string[] = []
  readonly errors: WireError[] = []
  /** What it spoke, as far as it came. */
  readonly said: string[] = []
  readonly headers: IncomingHttpHeaders
  readonly id = `live_${hex()}`
  readonly #socket: LiveSocket
  readonly #media: LiveMedia | undefined
  readonly #state: LiveState
  readonly #backend: ScriptedBackend
  readonly #delegations = new Set<string>()
  #session: SessionFields | undefined
  #startedAtMs = 0
  /** Of input received: the session's own time. */
  #clockMs = 0
  #pending: { readonly atMs: number; readonly apply: () => void }[] = []
  #queue: Utterance[] = []
  #speaking: Utterance | undefined
  #outEndMs = 0
  #lastInput = ''
  #muted = false
  #loudMs = 0
  #quietMs = 0
  #heardFromMs: number | undefined
  #deaf = false
  #closed = false
  #failNext: { readonly type: ClientEvent['type']; readonly code: string } | undefined
  readonly #timers: ReturnType<typeof setInterval>[] = []

  constructor(socket: LiveSocket, state: LiveState, headers: IncomingHttpHeaders, media?: LiveMedia) {
    this.#socket = socket
    this.#media = media
    this.#state = state
    this.headers = headers
    this.#backend = new ScriptedBackend({
      send: (event) => this.send(event),
      replyTo: (input) => this.#replyTo(input, true),
      model: () => (this.#session?.delegation?.type === 'responses' ? this.#session.delegation.responses.model : ''),
      say: (text) => this.#say({ say: text }),
      refuse: (code, message, from) => this.#refuse(code, message, from),
      delegations: this.#delegations,
    })
    socket.onMessage((data, binary) => this.#message(data, binary))
    socket.onClose(() => {
      for (const timer of this.#timers) clearInterval(timer)
    })
    if (media !== undefined) this.#begin(media.session)
    if (state.initialError !== undefined) {
      this.#refuse(state.initialError, state.initialError)
      socket.close(1000)
    }
  }

  get open(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
  }
  get session(): SessionFields {
    if (this.#session === undefined) throw new Error('not started')
    return this.#session
  }
  get clockMs(): number {
    return this.#clockMs
  }

  of<T extends ClientEvent['type']>(type: T): Extract<ClientEvent, { type: T }>[] {
    return this.received.filter((event): event is Extract<ClientEvent, { type: T }> => event.type === type)
  }

  drop(): void {
    this.#socket.terminate()
  }

  /** The next client event of this type is answered with an error instead of being done. */
  failNext(type: ClientEvent['type'], code: string): void {
    this.#failNext = { type, code }
  }

  usage(seconds: number): void {
    this.send({ type: 'session.usage.updated', usage: { seconds }, context_window: { usage_ratio: 0.1 } })
  }

  /** The model speaks of its own accord. */
  speak(reply: LiveReply): void {
    this.#say(reply)
  }

  /** Work for the application. Returns its id. */
  delegate(): string {
    const id = `dlg_${hex()}`
    this.#delegations.add(id)
    this.send({
      type: 'session.delegation.created',
      offset_ms: Math.round(this.#clockMs),
      delegation: { id, type: 'delegation', target: 'client' },
    })
    return id
  }

  transcribe(delta: string, startMs: number, endMs: number): void {
    this.send({ type: 'session.input_transcript.delta', delta, start_ms: startMs, end_ms: endMs })
  }

  end(reason: string): void {
    if (this.#closed) return
    this.#closed = true
    for (const utterance of [this.#speaking, ...this.#queue]) if (utterance !== undefined) utterance.stopped = true
    const seconds = this.#state.finalSeconds ?? (performance.now() - this.#startedAtMs) / 1000
    this.send({ type: 'session.closed', reason, session: this.#resource(), usage: { seconds } })
    this.#socket.close(1000)
  }

  /** Any event in the wire's key order; audio has no id. */
  send(event: Json & { readonly type: string }): void {
    const { type, ...rest } = event
    if (this.#deaf) return
    this.sent.push(type)
    if (this.#state.fault !== undefined && this.sent.length > this.#state.fault.at) {
      const { how } = this.#state.fault
      this.#state.fault = undefined
      this.#break(how)
    }
    const id = type === 'session.output_audio.delta' ? {} : { event_id: `event_${hex()}` }
    if (this.open && !this.#deaf) this.#socket.send(JSON.stringify({ type, ...id, ...rest }))
  }

  sendRaw(text: string): void {
    this.#socket.send(text)
  }

  #break(how: LiveFault['how']): void {
    if (how === 'drop') this.drop()
    else if (how === 'close') this.#socket.close(1000)
    else if (how === 'silence') {
      this.#deaf = true
      this.#socket.pause()
    } else this.end(how === 'expire' ? 'expired' : 'content')
  }

  #refuse(code: string, message: string, from?: string | null, param?: string): void {
    const error = wireError(code, message, from, param)
    this.errors.push(error)
    this.send({ type: 'error', error })
  }

  #message(data: Buffer, binary: boolean): void {
    if (this.#state.mute || this.#deaf || this.#closed) return
    const read = binary ? readClientEvent('') : readClientEvent(data.toString('utf8'))
    if ('error' in read) {
      this.errors.push(read.error)
      this.send({ type: 'error', error: read.error })
      return
    }
    const { event } = read
    this.received.push(event)
    if (this.#failNext?.type === event.type) {
      this.#refuse(this.#failNext.code, this.#failNext.code, event.event_id)
      this.#failNext = undefined
    } else if (event.type === 'session.start') this.#start(event)
    else if (this.#session === undefined) {
      this.#refuse('session_not_started', 'The first event must be session.start.', event.event_id)
    } else this.#apply(event)
  }

  #start({ session, event_id }: Extract<ClientEvent, { type: 'session.start' }>): void {
    const { models } = this.#state.options
    if (this.#session !== undefined) {
      this.#refuse('session_already_started', 'The session has started.', event_id)
      return
    }
    if (models !== undefined && !models.includes(session.model)) {
      this.#refuse('model_not_found', `No model ${session.model}.`, event_id, 'session.model')
      this.#socket.close(1000)
      return
    }
    this.#begin(session)
    this.send({ type: 'session.started', session: this.#resource(), ...this.#from(event_id) })
  }

  /** The media of a call is there. */
  started(): void {
    this.send({ type: 'session.started', session: this.#resource() })
  }

  #begin(session: SessionFields): void {
    const { lifeMs, streamsSilence } = this.#state.options
    this.#session = session
    this.#startedAtMs = performance.now()
    this.#lastInput = session.input?.findLast(({ role }) => role === 'user')?.content[0].text ?? ''
    if (lifeMs !== undefined) this.#timers.push(setTimeout(() => this.end('expired'), lifeMs))
    if (streamsSilence === true) this.#timers.push(setInterval(() => this.#silence(), deltaMs))
  }

  /** Sound of a call's own track. */
  hear(pcm: Buffer): void {
    if (this.open) this.#take(pcm)
  }

  #silence(): void {
    if (this.#speaking !== undefined) return
    this.send({ type: 'session.output_audio.delta', delta: Buffer.alloc(deltaMs * bytesPerMs).toString('base64') })
  }

  #resource(): Json {
    const { lifeMs = 3_600_000 } = this.#state.options
    const expires_at = Math.floor((Date.now() + lifeMs) / 1000)
    return { ...this.#session, id: this.id, status: 'active', expires_at }
  }

  #from(eventId: string | null | undefined): Json {
    return eventId == null || this.#state.options.namesCommands === false ? {} : { client_event_id: eventId }
  }

  #apply(event: Exclude<ClientEvent, { type: 'session.start' }>): void {
    const mode = this.#session?.delegation?.type ?? 'client'
    switch (event.type) {
      case 'session.update': {
        const type = event.session.delegation?.type
        if (event.session.delegation === null || (type !== undefined && type !== mode)) {
          this.#refuse('immutable_field_update', 'The delegation type cannot change.', event.event_id)
          return
        }
        this.send({ type: 'session.updated', session: this.#resource(), ...this.#from(event.event_id) })
        return
      }
      case 'session.input_audio.append':
        if (this.#media !== undefined) this.#refuse('invalid_request', 'Its sound is on a track.', event.event_id)
        else this.#listen(Buffer.from(event.audio, 'base64'), event)
        return
      case 'session.input_audio.mute':
      case 'session.input_audio.unmute':
        this.#muted = event.type.endsWith('.mute')
        this.send({ type: `${event.type}d`, ...this.#from(event.event_id) })
        return
      case 'session.instructions.append':
      case 'session.thinking.append':
      case 'session.commentary.append':
        this.#append(event, mode)
        return
      case 'response.item.create':
      case 'response.create':
        if (mode === 'responses') this.#backend.apply(event)
        else this.#refuse('invalid_request', 'The session does not delegate to Responses.', event.event_id)
        return
      case 'session.close':
        if (this.#state.closesAfterMs !== 'never')
          setTimeout(() => this.end('close_requested'), this.#state.closesAfterMs)
        return
    }
  }

  #append(event: Append, mode: string): void {
    const { delegation_id: delegation } = event
    if (delegation !== null && (mode !== 'client' || !this.#delegations.has(delegation))) {
      this.#refuse('invalid_value', `No delegation ${delegation}.`, event.event_id, 'delegation_id')
      return
    }
    const start = Math.round(this.#clockMs)
    this.#pending.push({
      atMs: start + injectionMs,
      apply: () => {
        const type = `${event.type}ed`
        this.send({ type, start_ms: start, end_ms: start + injectionMs, ...this.#from(event.event_id) })
        this.#told(event)
      },
    })
  }

  #told({ type, content }: Append): void {
    if (type === 'session.commentary.append') this.#say({ say: content })
    if (type !== 'session.instructions.append') return
    const exact = /^Say exactly [^"]*(".*")$/s.exec(content)?.[1]
    const heard = /Heard so far: (".*")$/s.exec(content)?.[1]
    if (exact !== undefined) this.#sayNow(this.#exact(String(JSON.parse(exact))))
    else if (heard !== undefined) this.#sayNow(this.#rest(String(JSON.parse(heard))))
    else if (content.startsWith('Answer')) this.#answer(this.#lastInput)
    else if (content.startsWith('Stop')) this.#stop()
  }

  #exact(text: string): LiveReply {
    const script = this.#state.scripts.find(({ pattern }) => pattern.test(text))
    return script === undefined ? { say: text } : resolved(script.reply, text)
  }

  /** As a model that does what it is told: the same answer, from the word after those. */
  #rest(after: string): LiveReply {
    const scripts = this.#state.scripts.flatMap(({ reply }) => (typeof reply === 'function' ? [] : [reply]))
    const own = this.#replyTo(this.#lastInput)
    const whole = own.say?.startsWith(after) === true ? own : (scripts.find(({ say }) => say?.startsWith(after)) ?? own)
    const text = whole.say ?? ''
    return { ...whole, say: text.startsWith(after) ? text.slice(after.length).trim() : text }
  }

  /** `working`: what the backend does, which delegates to nobody. */
  #replyTo(input: string, working = false): LiveReply {
    const script = this.#state.scripts.find(
      ({ pattern, reply }) => pattern.test(input) && !(working && typeof reply === 'object' && reply.delegate === true),
    )
    return script === undefined ? { say: notUnderstood } : resolved(script.reply, input)
  }

  #answer(input: string): void {
    const reply = this.#replyTo(input)
    if (reply.delegate !== true) {
      this.#say(reply)
      return
    }
    if (this.#session?.delegation?.type === 'responses') this.#backend.delegated(input)
    else this.delegate()
    if (reply.say !== undefined) this.#say(reply)
  }

  #stop(): void {
    this.#queue = []
    this.#media?.stop()
    if (this.#speaking !== undefined) this.#speaking.stopped = true
  }

  #sayNow(reply: LiveReply): void {
    this.#stop()
    this.#say(reply)
  }

  #say({ say, audioMs, pace }: LiveReply): void {
    if (say === undefined || say === '' || this.#closed) return
    this.#queue.push({ text: say, audioMs, pace, stopped: false })
    if (this.#speaking === undefined) void this.#speakAll()
  }

  async #speakAll(): Promise<void> {
    for (let next = this.#queue.shift(); next !== undefined && this.open; next = this.#queue.shift()) {
      this.#speaking = next
      await this.#speak(next)
      // As people do between sentences.
      await sleep(next.pace === 'instant' || this.#state.pace === 'instant' ? 0 : 20)
      this.#speaking = undefined
    }
  }

  /** The words come a little before their sound. */
  async #speak(utterance: Utterance): Promise<void> {
    const { text } = utterance
    const totalMs = utterance.audioMs ?? text.length * 60
    const pace = utterance.pace ?? this.#state.pace
    const words = text.match(/\s*\S+/g) ?? []
    const from = Math.max(Math.round(this.#clockMs), this.#outEndMs)
    let sentMs = 0
    let spoken = 0
    const index = this.said.push('') - 1
    while (sentMs < totalMs && !utterance.stopped && this.open) {
      const ms = Math.min(deltaMs, totalMs - sentMs)
      for (const due = Math.ceil((words.length * (sentMs + ms)) / totalMs); spoken < due; spoken++) {
        const at = (n: number) => from + Math.round((totalMs * n) / words.length)
        const delta = words[spoken] ?? ''
        this.said[index] += delta
        const span = { start_ms: at(spoken), end_ms: at(spoken + 1) }
        this.send({ type: 'session.output_transcript.delta', delta, ...span })
      }
      const pcm = tone(sentMs, ms)
      this.#media?.play(pcm)
      const span = this.#media === undefined ? {} : { start_ms: from + sentMs, end_ms: from + sentMs + ms }
      this.send({ type: 'session.output_audio.delta', delta: pcm.toString('base64'), ...span })
      sentMs += ms
      if (pace !== 'instant') await sleep(ms / pace)
    }
    this.#outEndMs = from + sentMs
  }

  #listen(pcm: Buffer, event: ClientEvent): void {
    const { format } = this.#session?.audio ?? {}
    if (format !== undefined && (format.type !== 'audio/pcm' || format.rate !== 24_000)) throw new Error('24 kHz only')
    if (pcm.length % 2 !== 0) {
      this.#refuse('invalid_audio', 'PCM must be whole samples.', event.event_id, 'audio')
      return
    }
    this.#take(pcm)
  }

  #take(pcm: Buffer): void {
    for (let at = 0; at < pcm.length; at += 20 * bytesPerMs) this.#frame(pcm.subarray(at, at + 20 * bytesPerMs))
    const due = this.#pending.filter(({ atMs }) => atMs <= this.#clockMs)
    this.#pending = this.#pending.filter(({ atMs }) => atMs > this.#clockMs)
    for (const { apply } of due) apply()
  }

  #frame(pcm: Buffer): void {
    const ms = pcm.length / bytesPerMs
    this.#clockMs += ms
    const loud = !this.#muted && rms(pcm) > speechRms
    this.#loudMs = loud ? this.#loudMs + ms : 0
    this.#quietMs = loud ? 0 : this.#quietMs + ms
    if (this.#heardFromMs === undefined && this.#loudMs >= speechStartMs) {
      this.#heardFromMs = Math.round(this.#clockMs - speechStartMs)
      if (!this.#state.talksOn) setTimeout(() => this.#stop(), reactionMs)
    }
    if (this.#heardFromMs === undefined || this.#quietMs < speechEndMs) return
    const text = this.#state.heard.shift() ?? 'hello'
    this.transcribe(text, this.#heardFromMs, Math.round(this.#clockMs - speechEndMs))
    this.#heardFromMs = undefined
    this.#lastInput = text
    setTimeout(() => this.#answer(text), reactionMs + 10)
  }
}

function resolved(reply: LiveReply | ((input: string) => LiveReply), input: string): LiveReply {
  return typeof reply === 'function' ? reply(input) : reply
}

function hex(): string {
  return randomBytes(10).toString('hex')
}

function rms(pcm: Buffer): number {
  let sum = 0
  for (let i = 0; i + 1 < pcm.length; i += 2) sum += pcm.readInt16LE(i) ** 2
  return Math.sqrt(sum / Math.max(1, pcm.length / 2))
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
