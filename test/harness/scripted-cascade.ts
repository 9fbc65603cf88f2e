// A server on loopback of the three endpoints of a cascade: form in and words out, streamed chat, streamed speech. It answers by
// script, breaks as it is told to, and keeps what it was asked and what it would charge.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeWav } from '../../gateway/platform/resample.ts'
import {
  type ChatBody,
  type ChatMessage,
  type Form,
  readChat,
  readForm,
  readSpeech,
  type SpeechBody,
  type WireError,
} from './scripted-cascade-wire.ts'

export interface ChatReply {
  readonly say?: string
  readonly calls?: readonly { readonly name: string; readonly arguments: string; readonly id?: string }[]
  readonly finish?: 'stop' | 'length' | 'content_filter'
  /** Between two words. */
  readonly wordMs?: number
  /** Sent as they are instead of an answer, each one event. */
  readonly raw?: readonly string[]
}

export type Part = 'chat' | 'speech' | 'transcription'

/** What goes wrong with one request. Events or chunks of sound are counted from the first. */
export type Break =
  | { readonly how: 'status'; readonly status: number; readonly code?: string; readonly retryAfter?: string }
  /** The socket is destroyed. */
  | { readonly how: 'cut'; readonly after: number }
  /** Nothing more comes, and the socket stays. */
  | { readonly how: 'stall'; readonly after: number }
  /** An error in the stream, as OpenRouter tells of a failure after the 200. */
  | { readonly how: 'error'; readonly after: number }
  | { readonly how: 'garbage'; readonly after: number }

export interface ScriptedCascadeOptions {
  readonly apiKey?: string
  /** Fields (`stream_options`) or values (`response_format=pcm`) that are answered 400. */
  readonly refuses?: readonly string[]
  /** Times real time at which sound leaves. */
  readonly pace?: number
  /** When usage is told: with the last chunk as OpenAI, with every one, with every one after the finish too, or never. */
  readonly usage?: 'last' | 'every' | 'twice' | 'never'
  readonly rateHz?: number
  readonly models?: readonly string[]
}

export interface Charged {
  input: number
  cached: number
  output: number
  characters: number
  seconds: number
}

const msPerChar = 60
/** Odd, so that samples are cut in two. */
const chunkBytes = 4_801
const goOnNow = '(Go on.)'

export class ScriptedCascade {
  readonly chats: ChatBody[] = []
  readonly speeches: SpeechBody[] = []
  readonly forms: Form[] = []
  readonly refused: WireError[] = []
  /** By the provider's own count, of everything it began. */
  readonly charged: Charged = { input: 0, cached: 0, output: 0, characters: 0, seconds: 0 }
  /** Answers whose last event was sent. */
  answered = 0
  /** Streams that were not read to their end. */
  cutOff = 0
  readonly #options: ScriptedCascadeOptions
  readonly #server: Server
  readonly #scripts: { pattern: RegExp; reply: ChatReply | ((input: string) => ChatReply) }[] = []
  readonly #heard: string[] = []
  readonly #breaks: Record<Part, Break[]> = { chat: [], speech: [], transcription: [] }
  readonly #refuses: Set<string>
  #always: Partial<Record<Part, Break>> = {}
  #port = 0

  constructor(options: ScriptedCascadeOptions = {}) {
    this.#options = options
    this.#refuses = new Set(options.refuses)
    this.#server = createServer(
      (request, response) => void this.#serve(request, response).catch(() => response.destroy()),
    )
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    this.#port = address.port
    return this
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.#port}/v1`
  }

  /** Later patterns win over earlier ones. */
  on(pattern: RegExp, reply: ChatReply | ((input: string) => ChatReply)): this {
    this.#scripts.unshift({ pattern, reply })
    return this
  }

  /** What the next forms hold; after them nothing. */
  hears(...texts: readonly string[]): this {
    this.#heard.push(...texts)
    return this
  }

  /** The next requests of this part, one after the other. */
  breaks(part: Part, ...how: readonly Break[]): this {
    this.#breaks[part].push(...how)
    return this
  }

  /** Every request of this part, until undefined. */
  always(part: Part, how: Break | undefined): this {
    if (how === undefined) delete this.#always[part]
    else this.#always[part] = how
    return this
  }

  get lastChat(): ChatBody {
    const last = this.chats.at(-1)
    if (last === undefined) throw new Error('nobody asked')
    return last
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bytesOf(request)
    const { apiKey } = this.#options
    if (apiKey !== undefined && request.headers.authorization !== `Bearer ${apiKey}`) {
      this.#refuse(response, {
        status: 401,
        error: {
          type: 'invalid_request_error',
          code: 'invalid_api_key',
          message: `Incorrect API key provided: ${request.headers.authorization ?? ''}`,
          param: null,
        },
      })
      return
    }
    if (request.method === 'GET' && request.url === '/v1/models') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ object: 'list', data: [] }))
      return
    }
    const part = (
      {
        '/v1/chat/completions': 'chat',
        '/v1/audio/speech': 'speech',
        '/v1/audio/transcriptions': 'transcription',
      } as const
    )[request.url ?? '']
    if (request.method !== 'POST' || part === undefined) {
      this.#refuse(response, {
        status: 404,
        error: { type: 'invalid_request_error', code: 'not_found', message: 'Not found', param: null },
      })
      return
    }
    const how = this.#breaks[part].shift() ?? this.#always[part]
    if (how?.how === 'status') {
      const { status, code = 'server_error', retryAfter } = how
      this.#refuse(
        response,
        { status, error: { type: code, code, message: `Refused: ${code}`, param: null } },
        retryAfter,
      )
    } else if (part === 'chat') await this.#chat(body, response, how)
    else if (part === 'speech') await this.#speech(body, response, how)
    else await this.#transcription(body, request, response, how)
  }

  #refuse(response: ServerResponse, error: WireError, retryAfter?: string): void {
    this.refused.push(error)
    const headers = {
      'content-type': 'application/json',
      ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
    }
    response.writeHead(error.status, headers).end(JSON.stringify({ error: error.error }))
  }

  #unknownModel(model: string): WireError | undefined {
    const { models } = this.#options
    if (models === undefined || models.includes(model)) return undefined
    return {
      status: 404,
      error: {
        type: 'invalid_request_error',
        code: 'model_not_found',
        message: `The model ${model} does not exist`,
        param: null,
      },
    }
  }

  async #chat(raw: Buffer, response: ServerResponse, how: Break | undefined): Promise<void> {
    const body = readChat(JSON.parse(raw.toString('utf8')), this.#refuses)
    const error = 'status' in body ? body : this.#unknownModel(body.model)
    if (error !== undefined || 'status' in body) {
      this.#refuse(response, error ?? (body as WireError))
      return
    }
    this.chats.push(body)
    const reply = this.#replyTo(body.messages)
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
    const events = reply.raw ?? this.#events(body, reply)
    await this.#stream(response, how, events, {
      betweenMs: reply.wordMs ?? 0,
      garbage: 'data: {"choices": [{"delta": nonsense\n\n',
    })
    if (response.writableEnded) this.answered++
  }

  *#events(body: ChatBody, reply: ChatReply): Generator<string> {
    const usage = usageOf(body, reply)
    this.charged.input += usage.prompt_tokens
    this.charged.cached += usage.prompt_tokens_details.cached_tokens
    this.charged.output += usage.completion_tokens
    const { usage: when = 'last' } = this.#options
    const partial =
      when === 'every' ? { usage: { ...usage, completion_tokens: Math.floor(usage.completion_tokens / 2) } } : {}
    const chunk = (delta: unknown, finish: string | null = null) =>
      event({ ...base(body), choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }], ...partial })
    yield ': keep-alive\n\n'
    yield chunk({ role: 'assistant', content: '', refusal: null })
    for (const word of reply.say?.match(/\s*\S+/gu) ?? []) yield chunk({ content: word })
    for (const [index, call] of (reply.calls ?? []).entries()) {
      const id = call.id ?? `call_${this.chats.length}_${index}`
      yield chunk({ tool_calls: [{ index, id, type: 'function', function: { name: call.name, arguments: '' } }] })
      for (const part of call.arguments.match(/.{1,7}/gs) ?? [])
        yield chunk({ tool_calls: [{ index, function: { arguments: part } }] })
    }
    yield chunk({}, reply.finish ?? ((reply.calls?.length ?? 0) > 0 ? 'tool_calls' : 'stop'))
    const asked = body.stream_options?.include_usage === true
    const last = event({ ...base(body), choices: [], usage })
    if ((when === 'last' && asked) || when === 'every') yield last
    if (when === 'twice') yield last + last
    yield 'data: [DONE]\n\n'
  }

  #replyTo(messages: readonly ChatMessage[]): ChatReply {
    const heard = /Heard so far: (".*")$/s.exec(messages[0]?.role === 'system' ? messages[0].content : '')?.[1]
    const asked = messages.findLast(
      (each) => (each.role === 'user' && each.content !== goOnNow) || each.role === 'tool',
    )
    // What was said last, where several things were said in one go.
    const input = asked?.content?.split('\n').at(-1) ?? ''
    const script = this.#scripts.find(({ pattern }) => pattern.test(input))
    const reply =
      typeof script?.reply === 'function' ? script.reply(input) : (script?.reply ?? { say: 'I do not know.' })
    if (heard === undefined) return reply
    // As a model that does what it is told: the same answer, from the word after those.
    const after = String(JSON.parse(heard))
    const whole = reply.say ?? ''
    return whole.startsWith(after) ? { ...reply, say: whole.slice(after.length).trim() } : { ...reply, say: '' }
  }

  async #speech(raw: Buffer, response: ServerResponse, how: Break | undefined): Promise<void> {
    const body = readSpeech(JSON.parse(raw.toString('utf8')), this.#refuses)
    const error = 'status' in body ? body : this.#unknownModel(body.model)
    if (error !== undefined || 'status' in body) {
      this.#refuse(response, error ?? (body as WireError))
      return
    }
    this.speeches.push(body)
    this.charged.characters += body.input.length
    const { rateHz = 24_000, pace } = this.#options
    const pcm = tone(body.input.length * msPerChar, rateHz)
    const isWav = body.response_format === 'wav'
    const rate = rateHz === 24_000 ? '' : `;rate=${rateHz}`
    response.writeHead(200, { 'content-type': isWav ? 'audio/wav' : `audio/pcm${rate}` })
    const bytes = isWav ? endless(encodeWav(pcm, rateHz)) : Buffer.from(pcm.buffer)
    const chunks = Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, i) =>
      bytes.subarray(i * chunkBytes, (i + 1) * chunkBytes),
    )
    const chunkMs = chunkBytes / (rateHz / 500)
    await this.#stream(response, how, chunks, {
      betweenMs: pace === undefined ? 0 : chunkMs / pace,
      garbage: undefined,
    })
  }

  async #stream(
    response: ServerResponse,
    how: Break | undefined,
    pieces: Iterable<string | Buffer>,
    { betweenMs, garbage }: { readonly betweenMs: number; readonly garbage: string | undefined },
  ): Promise<void> {
    let count = 0
    for (const piece of pieces) {
      if (how !== undefined && how.how !== 'status' && count === how.after) {
        if (how.how === 'stall') return
        // What was written has to arrive first.
        await sleep(5)
        if (how.how === 'error')
          response.write(
            event({
              error: { code: 502, message: 'Provider disconnected' },
              choices: [{ index: 0, delta: { content: '' }, finish_reason: 'error' }],
            }),
          )
        if (how.how === 'garbage' && garbage !== undefined) response.write(garbage)
        else if (how.how === 'cut' || how.how === 'garbage') {
          response.destroy()
          return
        }
        if (how.how === 'error') {
          response.end('data: [DONE]\n\n')
          return
        }
      }
      count++
      if (response.destroyed) {
        this.cutOff++
        return
      }
      response.write(piece)
      if (betweenMs > 0) await sleep(betweenMs)
    }
    response.end()
  }

  async #transcription(
    raw: Buffer,
    request: IncomingMessage,
    response: ServerResponse,
    how: Break | undefined,
  ): Promise<void> {
    if (how?.how === 'stall') return
    if (how?.how === 'cut') {
      response.destroy()
      return
    }
    const form = await readForm(raw, request.headers['content-type'] ?? '', this.#refuses)
    const error = 'status' in form ? form : this.#unknownModel(form.model)
    if (error !== undefined || 'status' in form) {
      this.#refuse(response, error ?? (form as WireError))
      return
    }
    this.forms.push(form)
    const seconds = (form.wav.length - 44) / 48_000
    this.charged.seconds += seconds
    const text = this.#heard.shift() ?? ''
    if (how?.how === 'garbage') response.writeHead(200, { 'content-type': 'application/json' }).end('{"text": ')
    else if (form.responseFormat === 'text') response.writeHead(200, { 'content-type': 'text/plain' }).end(`${text}\n`)
    else
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ text, usage: { type: 'duration', seconds } }))
  }
}

export async function startScriptedCascade(options: ScriptedCascadeOptions = {}): Promise<ScriptedCascade> {
  return new ScriptedCascade(options).start()
}

function event(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`
}

function base(body: ChatBody) {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1_790_000_000,
    model: body.model,
    system_fingerprint: null,
    obfuscation: 'x7',
  }
}

function usageOf(body: ChatBody, reply: ChatReply) {
  const prompt = Math.ceil(JSON.stringify(body.messages).length / 4)
  const output = Math.ceil(((reply.say?.length ?? 0) + JSON.stringify(reply.calls ?? '').length) / 4)
  const cached = prompt > 128 ? 128 : 0
  return {
    prompt_tokens: prompt,
    completion_tokens: output,
    total_tokens: prompt + output,
    prompt_tokens_details: { cached_tokens: cached, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
  }
}

function tone(ms: number, rateHz: number): Int16Array<ArrayBuffer> {
  return Int16Array.from({ length: Math.round((ms * rateHz) / 1000) }, (_, i) =>
    Math.round(8_000 * Math.sin((2 * Math.PI * 300 * i) / rateHz)),
  )
}

/** A stream does not know its length. */
function endless(wav: Buffer): Buffer {
  wav.writeUInt32LE(0xff_ff_ff_ff, 4)
  wav.writeUInt32LE(0xff_ff_ff_ff, 40)
  return wav
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts)
}
