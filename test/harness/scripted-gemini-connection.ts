// One connection of the scripted Gemini: its conversation, its ears, and the messages of each of its turns.

import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import type { GeminiState } from './scripted-gemini.ts'
import {
  type ClientContent,
  type ClientMessage,
  type RealtimeInput,
  readClientMessage,
  type Setup,
  type ToolResponse,
} from './scripted-gemini-wire.ts'
import type { Fault, ScriptedReply } from './scripted-realtime.ts'

type Json = Readonly<Record<string, unknown>>

const outBytesPerMs = 48
const inBytesPerMs = 32
const deltaMs = 100
/** RMS above which a 20 ms frame is speech: about -36 dBFS. */
const speechRms = 500
const speechStartMs = 80
const silenceMs = 500

/** What a session knows, and a handle brings back. */
export interface Memory {
  readonly contents: { readonly role: string; readonly text: string }[]
  readonly model: string
  lastInput: string
}

interface Turn {
  stopped: boolean
  /** The calls that this turn waits for. */
  readonly open: Set<string>
}

const models = ['gemini-3.8-live', 'gemini-3.8-live-extended-thinking', 'gemini-3.1-flash-live-preview']
const toolNote = /The tool \w+ was called .* has answered: (.*)\]$/s
const otherwise = 'I did not understand that, could you please say it again in other words?'

export class GeminiConnection {
  readonly received: ClientMessage[] = []
  /** The keys of what this side sent, in order. */
  readonly sent: string[] = []
  /** Why it closed the connection, when the client was wrong. */
  readonly faults: string[] = []
  readonly goneOn: { readonly after: string; readonly rest: string | undefined }[] = []
  readonly headers: IncomingHttpHeaders
  readonly #socket: WebSocket
  readonly #state: GeminiState
  #setup: Setup | undefined
  #memory: Memory = { contents: [], model: '', lastInput: '' }
  #seeding = false
  #turn: Turn | undefined
  readonly #calls = new Map<string, string>()
  /** In manual detection: between the two signs. */
  #active = false
  #deltas = 0
  #audioMs = 0
  #loudMs = 0
  #quietMs = 0
  #speaking = false
  #deaf = false
  audioBytes = 0

  constructor(socket: WebSocket, headers: IncomingHttpHeaders, state: GeminiState) {
    this.#socket = socket
    this.#state = state
    this.headers = headers
    socket.on('message', (data: Buffer) => this.#message(data))
    socket.on('error', () => socket.terminate())
  }

  get open(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
  }

  get setup(): Setup {
    if (this.#setup === undefined) throw new Error('no setup')
    return this.#setup
  }

  get contents(): Memory['contents'] {
    return this.#memory.contents
  }

  /** The keys of what the client sent, audio told apart. */
  get asked(): readonly string[] {
    return this.received.map((message) => {
      const [key = ''] = Object.keys(message)
      return 'realtimeInput' in message ? (Object.keys(message.realtimeInput)[0] ?? '') : key
    })
  }

  of<K extends string>(key: K): Extract<ClientMessage, Record<K, unknown>>[] {
    return this.received.filter((message): message is Extract<ClientMessage, Record<K, unknown>> => key in message)
  }

  drop(): void {
    this.#socket.terminate()
  }

  close(code = 1000, reason = ''): void {
    this.#socket.close(code, reason)
  }

  goAway(timeLeft: string): void {
    this.send({ goAway: { timeLeft } })
  }

  /** Binary frames that hold JSON, as the provider sends them. */
  send(message: Json): void {
    if (this.#deaf) return
    this.sent.push(Object.keys(message)[0] ?? '')
    const { fault } = this.#state
    if (fault !== undefined && this.sent.length > fault.at) {
      this.#state.fault = undefined
      this.#break(fault.how)
    }
    if (this.open && !this.#deaf) this.#socket.send(Buffer.from(JSON.stringify(message)), { binary: true })
  }

  sendRaw(text: string): void {
    this.#socket.send(Buffer.from(text), { binary: true })
  }

  #break(how: Fault['how']): void {
    if (how === 'drop') this.drop()
    else if (how === 'silence') {
      this.#deaf = true
      this.#socket.pause()
    } else this.close(how === 'expire' ? 1001 : 1000)
  }

  #wrong(reason: string, code = 1007): void {
    this.faults.push(reason)
    this.close(code, reason.slice(0, 120))
  }

  #message(data: Buffer): void {
    if (this.#state.mute || this.#deaf || !this.open) return
    const message = readClientMessage(data.toString('utf8'))
    if (typeof message === 'string') {
      this.#wrong(message)
      return
    }
    this.received.push(message)
    if ('setup' in message) this.#begin(message.setup)
    else if (this.#setup === undefined)
      this.#wrong('Setup must be the first message and the only one until setupComplete')
    else if ('clientContent' in message) this.#content(message.clientContent)
    else if ('realtimeInput' in message) this.#input(message.realtimeInput)
    else this.#results(message.toolResponse)
  }

  #begin(setup: Setup): void {
    const model = setup.model.slice('models/'.length)
    const handle = setup.sessionResumption?.handle
    const memory = handle === undefined ? undefined : this.#state.memories.get(handle)
    if (this.#setup !== undefined) this.#wrong('setup was sent already')
    else if (!models.includes(model)) {
      this.#wrong(
        `${setup.model} is not found for API version v1beta, or is not supported for bidiGenerateContent.`,
        1008,
      )
    } else if (handle !== undefined && memory === undefined) this.#wrong('BidiGenerateContent session not found', 1008)
    else if (memory !== undefined && memory.model !== model) this.#wrong('The model cannot be changed')
    else if (memory !== undefined && setup.historyConfig !== undefined) this.#wrong('A resumed session has its history')
    else {
      this.#setup = setup
      this.#memory = memory ?? { contents: [], model, lastInput: '' }
      this.#seeding = setup.historyConfig?.initialHistoryInClientContent === true
      this.send({ setupComplete: { sessionId: `s-${hex()}` } })
    }
  }

  get #isManual(): boolean {
    return this.#setup?.realtimeInputConfig?.automaticActivityDetection?.disabled === true
  }

  /** Tools run beside the conversation. */
  get #isAsync(): boolean {
    return this.#memory.model.startsWith('gemini-3.8')
  }

  /** What some call the first models that told when speech begins and ends. */
  get #tellsActivity(): boolean {
    return this.#memory.model.startsWith('gemini-3.1')
  }

  #content({ turns = [], turnComplete = false }: ClientContent): void {
    for (const { role, parts } of turns) this.#add(role, parts.map(({ text }) => text).join(''))
    if (!turnComplete) return
    if (this.#seeding) {
      this.#seeding = false
      return
    }
    this.#interrupt()
    void this.#answer()
  }

  #add(role: string, text: string): void {
    this.#memory.contents.push({ role, text })
    const known = toolNote.exec(text)?.[1]
    if (known !== undefined) this.#memory.lastInput = known
    else if (role === 'user' && !text.startsWith('[')) this.#memory.lastInput = text
  }

  #input(input: RealtimeInput): void {
    if (this.#seeding) {
      this.#wrong('The history is not complete')
      return
    }
    if ('audio' in input) this.#audio(Buffer.from(input.audio.data, 'base64'))
    else if ('audioStreamEnd' in input) this.#streamEnds()
    else if (!this.#isManual) {
      this.#wrong('Explicit activity control is not supported when automatic activity detection is enabled.')
    } else if ('activityStart' in input) this.#activityStarts()
    else this.#activityEnds()
  }

  #activityStarts(): void {
    if (this.#active) {
      this.#wrong('activity was started already')
      return
    }
    this.#active = true
    this.#interrupt()
  }

  #activityEnds(): void {
    if (!this.#active) {
      this.#wrong('no activity was started')
      return
    }
    this.#active = false
    this.#heard()
  }

  #heard(): void {
    const text = this.#state.heard.shift() ?? 'hello'
    this.#add('user', text)
    const { wordsAfterMs } = this.#state
    if (wordsAfterMs !== null && this.#setup?.inputAudioTranscription !== undefined) {
      setTimeout(() => {
        for (const word of words(text)) this.send({ serverContent: { inputTranscription: { text: word } } })
      }, wordsAfterMs)
    }
    void this.#answer(wordsAfterMs === null ? 1 : wordsAfterMs + 1)
  }

  #audio(pcm: Buffer): void {
    this.audioBytes += pcm.length
    if (this.#isManual) {
      if (!this.#active) this.#wrong('audio without activity')
      return
    }
    for (let at = 0; at + 20 * inBytesPerMs <= pcm.length; at += 20 * inBytesPerMs) {
      this.#frame(pcm.subarray(at, at + 20 * inBytesPerMs))
    }
  }

  #frame(pcm: Buffer): void {
    this.#audioMs += 20
    const loud = rms(pcm) > speechRms
    this.#loudMs = loud ? this.#loudMs + 20 : 0
    this.#quietMs = loud ? 0 : this.#quietMs + 20
    if (!this.#speaking && this.#loudMs >= speechStartMs) {
      this.#speaking = true
      if (this.#tellsActivity) this.#activity('ACTIVITY_START', this.#audioMs - speechStartMs)
      this.#interrupt()
    } else if (this.#speaking && this.#quietMs >= silenceMs) this.#speechEnds()
  }

  #speechEnds(): void {
    this.#speaking = false
    if (this.#tellsActivity) this.#activity('ACTIVITY_END', this.#audioMs)
    this.#heard()
  }

  #activity(voiceActivityType: string, ms: number): void {
    this.send({ voiceActivity: { voiceActivityType, audioOffset: `${(ms / 1000).toFixed(3)}s` } })
  }

  #streamEnds(): void {
    if (this.#isManual) this.#wrong('audioStreamEnd needs automatic activity detection')
    else if (this.#speaking) this.#speechEnds()
  }

  #results({ functionResponses }: ToolResponse): void {
    for (const { id = '', name, response, scheduling } of functionResponses) {
      if (this.#calls.get(id) !== name) {
        this.#wrong(`No function call with id ${id}`)
        return
      }
      if (scheduling !== undefined && !this.#isAsync) {
        this.#wrong('scheduling needs a non-blocking function')
        return
      }
      this.#calls.delete(id)
      this.#turn?.open.delete(id)
      this.#memory.lastInput = JSON.stringify(response.output)
    }
    const scheduling = functionResponses.at(-1)?.scheduling
    if (scheduling === 'SILENT' || (this.#turn !== undefined && this.#turn.open.size > 0)) return
    if (this.#isAsync) {
      this.#interrupt()
      void this.#answer()
    } else if (this.#turn !== undefined) void this.#goesOn(this.#turn)
  }

  /** The turn that is running ends here; a blocking call is given up. */
  #interrupt(): void {
    const turn = this.#turn
    if (turn === undefined) return
    turn.stopped = true
    this.#turn = undefined
    const ids = [...turn.open]
    for (const id of ids) this.#calls.delete(id)
    if (ids.length > 0) this.send({ toolCallCancellation: { ids } })
    this.send({ serverContent: { interrupted: true } })
    this.#closeTurn()
  }

  #closeTurn(reason?: string): void {
    const usage = this.#state.usage === undefined ? this.#usage() : this.#state.usage
    const turnCompleteReason = reason === undefined ? {} : { turnCompleteReason: reason }
    this.send({
      serverContent: { turnComplete: true, ...turnCompleteReason },
      ...(usage === null ? {} : { usageMetadata: usage }),
    })
    this.#handle(true)
  }

  /** The prompt of a turn is the whole context. */
  #usage(): Json {
    const prompt = this.#memory.contents.reduce((sum, { text }) => sum + Math.ceil(text.length / 4), 30)
    const audio = Math.ceil((this.audioBytes / inBytesPerMs / 1000) * 32)
    return {
      promptTokenCount: prompt + audio,
      responseTokenCount: this.#deltas * 3 + 1,
      totalTokenCount: prompt + audio + this.#deltas * 3 + 1,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: prompt },
        { modality: 'AUDIO', tokenCount: audio },
      ],
      responseTokensDetails: [{ modality: 'AUDIO', tokenCount: this.#deltas * 3 + 1 }],
    }
  }

  #handle(resumable: boolean): void {
    if (this.#setup?.sessionResumption === undefined || !this.#state.resumable) return
    const newHandle = resumable ? hex() : ''
    const { contents, model, lastInput } = this.#memory
    if (resumable) this.#state.memories.set(newHandle, { contents: [...contents], model, lastInput })
    this.send({ sessionResumptionUpdate: { newHandle, resumable } })
  }

  async #answer(delayMs = 0): Promise<void> {
    const turn: Turn = { stopped: false, open: new Set() }
    this.#turn = turn
    this.#handle(false)
    if (delayMs > 0) await sleep(delayMs)
    await this.#goesOn(turn)
  }

  async #goesOn(turn: Turn): Promise<void> {
    const reply = this.#reply()
    if (reply.delayMs !== undefined) await this.#wait(reply.delayMs, turn)
    if (reply.silent === true) return
    const startedMs = performance.now()
    const audioMs = reply.say === undefined || turn.stopped ? 0 : await this.#speak(reply, reply.say, turn)
    if (reply.call !== undefined && !turn.stopped) this.#call(reply.call, turn)
    if (turn.stopped || turn.open.size > 0) return
    this.send({ serverContent: { generationComplete: true } })
    if (this.#state.plays) await this.#wait(audioMs - (performance.now() - startedMs), turn)
    if (turn.stopped) return
    this.#turn = undefined
    this.#closeTurn(reply.status === 'failed' ? 'MALFORMED_FUNCTION_CALL' : undefined)
  }

  #call(call: NonNullable<ScriptedReply['call']>, turn: Turn): void {
    const id = call.callId ?? `call-${hex()}`
    this.#calls.set(id, call.name)
    if (!this.#isAsync) turn.open.add(id)
    this.send({ toolCall: { functionCalls: [{ id, name: call.name, args: call.arguments }] } })
  }

  #reply(): ScriptedReply {
    const last = this.#memory.contents.at(-1)
    const asked = last?.role === 'user' ? last.text : ''
    const heard = /Heard so far: (".*")\]$/s.exec(asked)?.[1]
    if (heard !== undefined) return this.#goOn(String(JSON.parse(heard)))
    const exact = /^\[Say exactly [^"]*(".*")\]$/s.exec(asked)?.[1]
    return exact === undefined
      ? this.#scripted(this.#memory.lastInput)
      : this.#scripted(String(JSON.parse(exact)), true)
  }

  #scripted(input: string, exact = false): ScriptedReply {
    const script = this.#state.scripts.find(({ pattern }) => pattern.test(input))
    if (script === undefined) return { say: exact ? input : otherwise }
    return typeof script.reply === 'function' ? script.reply(input) : script.reply
  }

  /** As a model that does what it is told: the same answer, from the word after those. */
  #goOn(after: string): ScriptedReply {
    const scripts = this.#state.scripts.flatMap(({ reply }) => (typeof reply === 'function' ? [] : [reply]))
    const own = this.#scripted(this.#memory.lastInput)
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

  /** Words beside their sound, in one message or in two. Returns the length of the sound. */
  async #speak(reply: ScriptedReply, text: string, turn: Turn): Promise<number> {
    const totalMs = reply.audioMs ?? text.length * 60
    const pace = reply.pace ?? this.#state.pace
    const parts = words(text)
    let told = 0
    let sentMs = 0
    while (sentMs < totalMs && !turn.stopped && this.open) {
      const ms = Math.min(deltaMs, totalMs - sentMs)
      const due = Math.ceil((parts.length * (sentMs + ms)) / totalMs)
      const said = parts.slice(told, due).join('')
      told = due
      const outputTranscription = said === '' ? {} : { outputTranscription: { text: said } }
      const inlineData = { mimeType: 'audio/pcm;rate=24000', data: tone(sentMs, ms).toString('base64') }
      const sound = { modelTurn: { role: 'model', parts: [{ inlineData }] } }
      if (this.#deltas % 2 === 0) this.send({ serverContent: { ...sound, ...outputTranscription } })
      else {
        this.send({ serverContent: sound })
        if (said !== '') this.send({ serverContent: outputTranscription })
      }
      sentMs += ms
      this.#deltas++
      if (this.#state.dropAt === this.#deltas) this.drop()
      if (pace !== 'instant') await this.#wait(ms / pace, turn)
    }
    this.#memory.contents.push({ role: 'model', text: parts.slice(0, told).join('') })
    return sentMs
  }

  async #wait(ms: number, turn: Turn): Promise<void> {
    const until = performance.now() + ms
    while (!turn.stopped && this.open && performance.now() < until) {
      await sleep(Math.min(5, Math.max(1, until - performance.now())))
    }
  }
}

function hex(): string {
  return randomBytes(10).toString('hex')
}

function words(text: string): string[] {
  return text.match(/\s*\S+/g) ?? []
}

function rms(pcm: Buffer): number {
  let sum = 0
  for (let i = 0; i + 1 < pcm.length; i += 2) sum += pcm.readInt16LE(i) ** 2
  return Math.sqrt(sum / (pcm.length / 2))
}

/** 440 Hz at -12 dBFS, continuous over the deltas. */
function tone(fromMs: number, ms: number): Buffer {
  const pcm = Buffer.alloc(Math.round(ms) * outBytesPerMs)
  for (let i = 0; i < pcm.length / 2; i++) {
    pcm.writeInt16LE(Math.round(8_000 * Math.sin((2 * Math.PI * 440 * (fromMs * 24 + i)) / 24_000)), i * 2)
  }
  return pcm
}
