// A provider for chaos runs: the GA wire on loopback, one timer for all answers, nothing else. Gateways reach it under a
// path that names them, so that it can be told whose connections are open.

import { createServer, type IncomingMessage } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import { z } from 'zod'
import { answerWords, tagOf } from './script.ts'

const tickMs = 25
/** Of audio in one delta; speech leaves twice as fast as it is played. */
const deltaMs = 100
const ticksPerDelta = 2
const msPerWord = 200
const silence = Buffer.alloc(deltaMs * 48).toString('base64')
const appendHead = '{"type":"input_audio_buffer.append"'

const clientEvent = z.looseObject({
  type: z.string(),
  event_id: z.string().optional(),
  session: z.looseObject({ output_modalities: z.array(z.string()).optional() }).optional(),
  item: z
    .looseObject({
      id: z.string().optional(),
      type: z.string(),
      role: z.string().optional(),
      content: z.array(z.looseObject({ text: z.string().optional() })).optional(),
    })
    .optional(),
  item_id: z.string().optional(),
  audio_end_ms: z.number().optional(),
  response: z
    .looseObject({ instructions: z.string().optional(), output_modalities: z.array(z.string()).optional() })
    .optional(),
})
type ClientEvent = z.output<typeof clientEvent>

interface Answer {
  readonly responseId: string
  readonly itemId: string
  readonly words: readonly string[]
  readonly spoken: boolean
  readonly part: Readonly<Record<string, unknown>>
  at: number
  sentMs: number
  ticks: number
  cancelled: boolean
}

/** One session of the provider as the harness sees it afterwards. */
export interface Upstream {
  readonly gateway: string
  /** Clients whose questions it heard, e.g. `c3`. */
  readonly clients: ReadonlySet<string>
  readonly openedAtMs: number
  closedAtMs: number | undefined
  /** Words said per question since it opened. */
  readonly said: ReadonlyMap<string, number>
}

let numbers = 0
const id = (prefix: string): string => `${prefix}_c${(++numbers).toString(36)}`

class Connection implements Upstream {
  readonly gateway: string
  readonly clients = new Set<string>()
  readonly said = new Map<string, number>()
  readonly openedAtMs = performance.now()
  closedAtMs: number | undefined
  readonly #socket: WebSocket
  readonly #items: { role: string; text: string }[] = []
  #modality = 'audio'
  #answer: Answer | undefined
  #last: string | null = null
  /** What this engine could make no sense of. */
  readonly puzzles: string[] = []

  constructor(socket: WebSocket, gateway: string) {
    this.#socket = socket
    this.gateway = gateway
    socket.on('message', (data: Buffer) => this.#message(data))
    socket.on('error', () => socket.terminate())
    socket.on('close', () => {
      this.closedAtMs = performance.now()
    })
    this.#send('session.created', { session: this.#session() })
  }

  #session(): object {
    const pcm = { type: 'audio/pcm', rate: 24_000 }
    return {
      type: 'realtime',
      object: 'realtime.session',
      id: id('sess'),
      model: 'gpt-realtime-2.1',
      output_modalities: [this.#modality],
      instructions: '',
      tools: [],
      tool_choice: 'auto',
      audio: {
        input: { format: pcm, turn_detection: { type: 'server_vad' } },
        output: { format: pcm, voice: 'marin' },
      },
    }
  }

  #send(type: string, fields: object): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    this.#socket.send(JSON.stringify({ type, event_id: id('event'), ...fields }))
  }

  #message(data: Buffer): void {
    // Nobody listens to the microphone here.
    if (data.toString('latin1', 0, appendHead.length) === appendHead) return
    const event = clientEvent.parse(JSON.parse(data.toString()))
    if (event.type === 'session.update') {
      this.#modality = event.session?.output_modalities?.[0] ?? this.#modality
      this.#send('session.updated', { session: this.#session() })
    } else if (event.type === 'conversation.item.create' && event.item !== undefined) this.#item(event.item)
    else if (event.type === 'response.create') this.#respond(event)
    else if (event.type === 'response.cancel') {
      if (this.#answer === undefined) this.#error(event, 'response_cancel_not_active')
      else this.#answer.cancelled = true
    } else if (event.type === 'conversation.item.truncate') {
      const { item_id, audio_end_ms } = event
      this.#send('conversation.item.truncated', { item_id, content_index: 0, audio_end_ms })
    }
  }

  #error({ event_id = null }: { event_id?: string | null | undefined }, code: string): void {
    this.#send('error', { error: { type: 'invalid_request_error', code, message: code, param: null, event_id } })
  }

  #item(item: NonNullable<ClientEvent['item']>): void {
    const text = item.content?.map((part) => part.text ?? '').join('') ?? ''
    if (item.type === 'message') this.#items.push({ role: item.role ?? 'user', text })
    const client = tagOf(text)?.split('q')[0]
    if (client !== undefined) this.clients.add(client)
    const itemId = item.id ?? id('item')
    const whole = { ...item, id: itemId, object: 'realtime.item', status: 'completed' }
    this.#added(whole, itemId)
    this.#send('conversation.item.done', { previous_item_id: this.#last, item: whole })
  }

  #added(item: object, itemId: string): void {
    this.#send('conversation.item.added', { previous_item_id: this.#last, item })
    this.#last = itemId
  }

  /** The words still to be said of the answer to the last question. */
  #wordsFor(instructions: string | undefined): readonly string[] {
    const quoted = /"(?:[^"\\]|\\.)*"/g
    if (instructions !== undefined && /^Say exactly/.test(instructions)) {
      const text = instructions.match(quoted)?.at(-1)
      return text === undefined ? [] : String(JSON.parse(text)).split(/(?= )/)
    }
    const asked = this.#items.findLastIndex(({ role, text }) => role === 'user' && tagOf(text) !== undefined)
    const tag = tagOf(this.#items[asked]?.text ?? '')
    if (tag === undefined) return ['Hello.']
    const told =
      /Heard so far: ("(?:[^"\\]|\\.)*")/
        .exec(instructions ?? '')
        ?.slice(1)
        .map((text) => String(JSON.parse(text))) ?? []
    const before = this.#items.slice(asked + 1).flatMap(({ role, text }) => (role === 'assistant' ? [text] : []))
    const words = answerWords(tag)
    const after = [...told, ...before].join(' ')
    const saidTo = words.findLastIndex((word) => new RegExp(`\\b${word.trim().replace('.', '')}\\b`).test(after))
    if (told.length > 0 && saidTo < 0) this.puzzles.push(`${tag}: asked to go on after ${JSON.stringify(told)}`)
    return words.slice(saidTo + 1)
  }

  #respond(event: ClientEvent): void {
    if (this.#answer !== undefined) {
      this.#error(event, 'conversation_already_has_active_response')
      return
    }
    const words = this.#wordsFor(event.response?.instructions)
    const responseId = id('resp')
    const itemId = id('item')
    const spoken = (event.response?.output_modalities?.[0] ?? this.#modality) === 'audio'
    const part = { response_id: responseId, item_id: itemId, output_index: 0, content_index: 0 }
    this.#answer = { responseId, itemId, words, spoken, part, at: 0, sentMs: 0, ticks: 0, cancelled: false }
    this.#send('response.created', { response: this.#response(responseId, 'in_progress') })
    if (words.length === 0) {
      this.#finish(this.#answer)
      return
    }
    const item = { id: itemId, object: 'realtime.item', type: 'message', role: 'assistant', status: 'in_progress' }
    this.#send('response.output_item.added', {
      response_id: responseId,
      output_index: 0,
      item: { ...item, content: [] },
    })
    this.#added({ ...item, content: [] }, itemId)
    const empty = spoken ? { type: 'audio', transcript: '' } : { type: 'text', text: '' }
    this.#send('response.content_part.added', { ...part, part: empty })
  }

  tick(): void {
    const answer = this.#answer
    if (answer === undefined) return
    if (answer.cancelled || (answer.at >= answer.words.length && !this.#speaks(answer))) this.#finish(answer)
    else if (!answer.spoken) this.#word(answer, 'response.output_text.delta')
    else if (answer.ticks++ % ticksPerDelta === 0) this.#speak(answer)
  }

  #speaks(answer: Answer): boolean {
    return answer.spoken && answer.sentMs < answer.words.length * msPerWord
  }

  #word(answer: Answer, type: string): void {
    const delta = answer.words[answer.at++] ?? ''
    const tag = /([a-z]\d+q\d+)w/.exec(delta)?.[1]
    if (tag !== undefined) this.said.set(tag, (this.said.get(tag) ?? 0) + 1)
    this.#send(type, { ...answer.part, delta })
  }

  /** The transcript runs ahead of the audio, as it does in life. */
  #speak(answer: Answer): void {
    const due = Math.ceil((answer.sentMs + deltaMs) / msPerWord)
    while (answer.at < Math.min(due, answer.words.length)) this.#word(answer, 'response.output_audio_transcript.delta')
    this.#send('response.output_audio.delta', { ...answer.part, delta: silence })
    answer.sentMs += deltaMs
  }

  #finish(answer: Answer): void {
    this.#answer = undefined
    const { part, responseId, itemId, spoken } = answer
    const text = answer.words.slice(0, answer.at).join('')
    if (text !== '') this.#items.push({ role: 'assistant', text })
    const status = answer.cancelled ? 'cancelled' : 'completed'
    const content = [spoken ? { type: 'output_audio', transcript: text } : { type: 'output_text', text }]
    const done = { id: itemId, object: 'realtime.item', type: 'message', role: 'assistant', content }
    const item = { ...done, status: answer.cancelled ? 'incomplete' : 'completed' }
    if (answer.words.length > 0) {
      if (spoken) {
        this.#send('response.output_audio.done', part)
        this.#send('response.output_audio_transcript.done', { ...part, transcript: text })
      } else this.#send('response.output_text.done', { ...part, text })
      const full = spoken ? { type: 'audio', transcript: text } : { type: 'text', text }
      this.#send('response.content_part.done', { ...part, part: full })
      this.#send('conversation.item.done', { previous_item_id: null, item })
      this.#send('response.output_item.done', { response_id: responseId, output_index: 0, item })
    }
    const usage = usageOf(answer)
    this.#send('response.done', { response: { ...this.#response(responseId, status), output: [item], usage } })
  }

  #response(responseId: string, status: string): object {
    return {
      object: 'realtime.response',
      id: responseId,
      status,
      status_details: status === 'cancelled' ? { type: 'cancelled', reason: 'client_cancelled' } : null,
      output: [],
      conversation_id: 'conv_chaos',
      output_modalities: [this.#modality],
      usage: null,
      metadata: null,
    }
  }

  end(): void {
    this.#socket.terminate()
  }
}

function usageOf({ at, spoken, sentMs }: Answer): object {
  const audio = spoken ? Math.ceil(sentMs / 50) : 0
  return {
    total_tokens: 20 + at + audio,
    input_tokens: 20,
    output_tokens: at + audio,
    input_token_details: { text_tokens: 20, audio_tokens: 0, image_tokens: 0, cached_tokens: 0 },
    output_token_details: { text_tokens: at, audio_tokens: audio },
  }
}

export class ChaosEngine implements AsyncDisposable {
  readonly #connections: Connection[] = []
  readonly #server = createServer((_, response) => response.writeHead(404).end())
  readonly #sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  readonly #open = new Set<Connection>()
  readonly #timer = setInterval(() => {
    for (const connection of this.#open) connection.tick()
  }, tickMs)
  #port = 0

  async start(): Promise<this> {
    this.#server.on('upgrade', (request, socket, head) => {
      this.#sockets.handleUpgrade(request, socket, head, (ws) => this.#accept(ws, request))
    })
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const address = this.#server.address()
    this.#port = typeof address === 'object' && address !== null ? address.port : 0
    return this
  }

  #accept(socket: WebSocket, { url = '' }: IncomingMessage): void {
    const connection = new Connection(socket, url.split('/')[1] ?? '')
    this.#connections.push(connection)
    this.#open.add(connection)
    socket.on('close', () => this.#open.delete(connection))
  }

  baseUrl(gateway: string): string {
    return `http://127.0.0.1:${this.#port}/${gateway}/v1`
  }

  get upstreams(): readonly Upstream[] {
    return this.#connections
  }

  get puzzles(): readonly string[] {
    return this.#connections.flatMap((connection) => connection.puzzles)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    for (const connection of this.#open) connection.end()
    this.#sockets.close()
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}
