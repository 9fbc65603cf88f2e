// A provider on loopback that speaks the true GA wire, strictly, and answers by script. It records what clients sent.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { ScriptedCall } from './scripted-call.ts'
import { type ClientSocket, ScriptedConnection } from './scripted-realtime-connection.ts'
import { sessionFields } from './scripted-realtime-wire.ts'

/** What the provider does when a pattern matches what the person said, wrote, or what a tool answered. */
export interface ScriptedReply {
  readonly say?: string
  /** Length of the audio of `say`; default 60 ms per character. */
  readonly audioMs?: number
  readonly call?: { readonly name: string; readonly arguments: unknown; readonly callId?: string }
  readonly status?: 'completed' | 'failed' | 'incomplete'
  readonly error?: { readonly code: string; readonly message: string }
  readonly delayMs?: number
  /** `instant`, or how many times faster than real time the audio leaves. Default: the server's. */
  readonly pace?: 'instant' | number
  /** The response is created and never goes on. */
  readonly silent?: boolean
  /** Tokens of the response; by default made from the lengths. */
  readonly usage?: ScriptedUsage
}

export interface ScriptedUsage {
  readonly inputText: number
  readonly inputAudio: number
  readonly cachedText: number
  readonly cachedAudio: number
  readonly outputText: number
  readonly outputAudio: number
}

export interface Script {
  readonly pattern: RegExp
  readonly reply: ScriptedReply | ((input: string) => ScriptedReply)
}

export interface ScriptedOptions {
  readonly apiKey?: string
  readonly models?: readonly string[]
  readonly pace?: 'instant' | number
  /** Concurrent sessions beyond which the upgrade is answered 429. */
  readonly sessionCap?: number
  /** Events have the names of the beta, as LocalAI, speaches, vLLM, Qwen and StepFun send them. */
  readonly betaNames?: boolean
  /** How long the provider says that a session may live; null: it does not say. */
  readonly lifeMs?: number | null
  /** Milliseconds of silence that end the person's turn. */
  readonly silenceMs?: number
  /** Speaks in the names and shapes of the old interface, as clones of it still do. It reads those of today. */
  readonly beta?: boolean
}

/**
 * Strikes once, the first connection that has sent `at` messages. `drop`: TCP reset. `silence`: the connection stays and
 * nothing passes in either direction, pongs included. `close`: without a word. `expire`: as at the session's time limit.
 */
export interface Fault {
  readonly at: number
  readonly how: 'drop' | 'silence' | 'close' | 'expire'
}

/** Shared with the connections: changes apply to those already open. */
export interface ScriptedState {
  readonly scripts: Script[]
  readonly heard: string[]
  readonly betaNames: boolean
  readonly lifeMs: number | null
  pace: 'instant' | number
  silenceMs: number
  mute: boolean
  dropAt: number | undefined
  fault: Fault | undefined
  readonly beta: boolean
  initialError: { readonly code: string; readonly message: string } | undefined
}

export class ScriptedRealtime {
  readonly connections: ScriptedConnection[] = []
  /** Between browsers and this provider. */
  readonly calls: ScriptedCall[] = []
  /** Requests for a call, whatever came of them. */
  callRequests = 0
  readonly #server: Server = createServer((request, response) => void this.#request(request, response))
  readonly #sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 16 * 1024 * 1024 })
  readonly #options: ScriptedOptions
  readonly #state: ScriptedState
  #refusal: { status: number; body: unknown; headers: Readonly<Record<string, string>> } | undefined
  #refusals = Number.POSITIVE_INFINITY
  #callRefusal: { status: number; code: string } | 'silence' | 'garbage' | undefined
  #sidebandRefusals = 0
  #port = 0

  constructor(options: ScriptedOptions = {}) {
    this.#options = options
    this.#state = {
      scripts: [],
      heard: [],
      betaNames: options.betaNames ?? false,
      lifeMs: options.lifeMs === undefined ? 3_600_000 : options.lifeMs,
      pace: options.pace ?? 'instant',
      silenceMs: options.silenceMs ?? 500,
      mute: false,
      beta: options.beta === true,
      dropAt: undefined,
      fault: undefined,
      initialError: undefined,
    }
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    this.#port = address.port
    return this
  }

  /** What `createOpenAiRealtime` takes as `baseUrl`. */
  get baseUrl(): string {
    return `http://127.0.0.1:${this.#port}/v1`
  }

  get last(): ScriptedConnection {
    const last = this.connections.at(-1)
    if (last === undefined) throw new Error('nobody connected')
    return last
  }

  get openConnections(): number {
    return this.connections.filter((connection) => connection.open).length
  }

  /** Later patterns win over earlier ones. */
  on(pattern: RegExp, reply: Script['reply']): this {
    this.#state.scripts.unshift({ pattern, reply })
    return this
  }

  /** What the next committed stretches of audio will be transcribed as. */
  hears(...texts: readonly string[]): this {
    this.#state.heard.push(...texts)
    return this
  }

  pace(pace: 'instant' | number): this {
    this.#state.pace = pace
    return this
  }

  /** Every further upgrade is answered with this status, until `accept()`. */
  refuse(status: number, code = defaultCode(status), headers: Readonly<Record<string, string>> = {}): this {
    const body = { error: { type: 'invalid_request_error', code, message: `Refused: ${code}`, param: null } }
    this.#refusal = { status, body, headers }
    this.#refusals = Number.POSITIVE_INFINITY
    return this
  }

  /** Every further call is answered with this status; or with nothing, or nothing that makes sense. */
  refuseCalls(status: number | 'silence' | 'garbage', code = defaultCode(Number(status))): this {
    this.#callRefusal = typeof status === 'string' ? status : { status, code }
    return this
  }

  /** So many sidebands find no call yet. */
  hidesCalls(times: number): this {
    this.#sidebandRefusals = times
    return this
  }

  get lastCall(): ScriptedCall {
    const last = this.calls.at(-1)
    if (last === undefined) throw new Error('nobody called')
    return last
  }

  /** Only that many upgrades are refused. */
  times(count: number): this {
    this.#refusals = count
    return this
  }

  breakAt(at: number, how: Fault['how']): this {
    this.#state.fault = { at, how }
    return this
  }

  accept(): this {
    this.#refusal = undefined
    this.#callRefusal = undefined
    this.#state.initialError = undefined
    this.#state.mute = false
    this.#state.dropAt = undefined
    this.#state.fault = undefined
    return this
  }

  /** Accepts the socket, then one `error` and a close: how a wrong model or an empty account shows. */
  refuseAfterOpen(code: string, message = code): this {
    this.#state.initialError = { code, message }
    return this
  }

  /** The TCP connection breaks after the n-th audio delta of a connection. */
  dropAt(deltas: number): this {
    this.#state.dropAt = deltas
    return this
  }

  /** Accepts sockets and says nothing at all. */
  silent(): this {
    this.#state.mute = true
    return this
  }

  expire(): void {
    for (const connection of this.connections) connection.expire()
  }

  drop(): void {
    for (const connection of this.connections) connection.drop()
  }

  async stop(): Promise<void> {
    this.drop()
    for (const call of this.calls) call.end()
    this.#sockets.close()
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = new URL(request.url ?? '/', 'http://loopback')
    const { apiKey, models, sessionCap } = this.#options
    if (this.#refusal !== undefined && this.#refusals-- > 0) {
      refuse(socket, this.#refusal.status, this.#refusal.body, this.#refusal.headers)
    } else if (url.pathname !== '/v1/realtime') {
      refuse(socket, 404, { error: { type: 'invalid_request_error', code: 'not_found', message: 'Not found' } })
    } else if (apiKey !== undefined && bearerOf(request) !== apiKey) {
      refuse(socket, 401, wireError('invalid_api_key', `Incorrect API key provided: ${bearerOf(request) ?? 'none'}`))
    } else if (url.searchParams.has('call_id') && url.searchParams.size === 1) {
      this.#sideband(url.searchParams.get('call_id') ?? '', { request, socket, head })
    } else if (!url.searchParams.has('model')) {
      refuse(socket, 400, wireError('missing_model', 'You must provide a model parameter.'))
    } else if (sessionCap !== undefined && this.openConnections >= sessionCap) {
      refuse(socket, 429, wireError('rate_limit_exceeded', 'Too many sessions'), { 'retry-after': '2' })
    } else {
      this.#sockets.handleUpgrade(request, socket, head, (ws) => this.#accept(ws, request, url, models))
    }
  }

  #sideband(
    callId: string,
    { request, socket, head }: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
  ): void {
    const call = this.calls.find(({ id, isOver }) => id === callId && !isOver)
    if (call === undefined || this.#sidebandRefusals-- > 0)
      refuse(socket, 404, wireError('call_id_not_found', 'No such call.'))
    else this.#sockets.handleUpgrade(request, socket, head, (ws) => call.attach(ws))
  }

  async #request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://loopback')
    const { apiKey } = this.#options
    const reply = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(typeof body === 'string' ? body : JSON.stringify(body))
    }
    const hungUp = /^\/v1\/realtime\/calls\/([^/]+)\/hangup$/.exec(pathname)?.[1]
    if (request.method !== 'POST' || (pathname !== '/v1/realtime/calls' && hungUp === undefined)) reply(404, {})
    else if (apiKey !== undefined && bearerOf(request) !== apiKey)
      reply(401, wireError('invalid_api_key', 'Wrong key.'))
    else if (hungUp !== undefined) {
      const call = this.calls.find(({ id, isOver }) => id === hungUp && !isOver)
      if (call !== undefined) call.hangUps++
      call?.end()
      reply(call === undefined ? 404 : 200, call === undefined ? wireError('call_id_not_found', 'No such call.') : '')
    } else await this.#create(request, reply)
  }

  async #create(
    request: IncomingMessage,
    reply: (status: number, body: unknown, headers?: Readonly<Record<string, string>>) => void,
  ): Promise<void> {
    this.callRequests++
    const refusal = this.#callRefusal
    if (refusal === 'silence') return
    if (refusal === 'garbage') return reply(201, 'hello', { location: '/v1/realtime/calls/rtc_nothing' })
    if (refusal !== undefined) return reply(refusal.status, wireError(refusal.code, `Refused: ${refusal.code}`))
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    const form = await formOf(request, Buffer.concat(pieces))
    const [sdp, session] = [await part(form, 'sdp', 'application/sdp'), await part(form, 'session', 'application/json')]
    if (sdp?.startsWith('v=0') !== true) return reply(400, wireError('invalid_offer', 'The sdp part is no offer.'))
    const parsed = sessionFields.safeParse(JSON.parse(session ?? 'null'))
    if (!parsed.success) return reply(400, wireError('invalid_value', JSON.stringify(parsed.error.issues)))
    const { model, ...fields } = parsed.data
    const { models } = this.#options
    if (model === undefined) return reply(400, wireError('missing_model', 'You must provide a model parameter.'))
    if (models !== undefined && !models.includes(model)) return reply(404, wireError('model_not_found', `No ${model}.`))
    const call = new ScriptedCall(model, fields, this.#state)
    this.calls.push(call)
    const answer = await call.answer(sdp)
    reply(201, answer, { 'content-type': 'application/sdp', location: `/v1/realtime/calls/${call.id}` })
  }

  #accept(ws: WebSocket, request: IncomingMessage, url: URL, models: readonly string[] | undefined): void {
    const model = url.searchParams.get('model') ?? ''
    const connection = new ScriptedConnection(clientSocket(ws), { model, headers: request.headers, state: this.#state })
    this.connections.push(connection)
    if (this.#state.mute) return
    const { initialError } = this.#state
    if (request.headers['openai-beta'] !== undefined) connection.fail('beta_api_shape_disabled', 'The beta is gone.')
    else if (models !== undefined && !models.includes(model)) connection.fail('invalid_model', `No model ${model}.`)
    else if (initialError !== undefined) connection.fail(initialError.code, initialError.message)
    else connection.begin()
  }
}

export async function startScriptedRealtime(options: ScriptedOptions = {}): Promise<ScriptedRealtime> {
  return new ScriptedRealtime(options).start()
}

function clientSocket(ws: WebSocket): ClientSocket {
  ws.on('error', () => ws.terminate())
  return {
    OPEN: ws.OPEN,
    get readyState() {
      return ws.readyState
    },
    onMessage: (listener) => void ws.on('message', listener),
    send: (text) => ws.send(text),
    close: (code) => ws.close(code),
    terminate: () => ws.terminate(),
    pause: () => ws.pause(),
  }
}

async function formOf(request: IncomingMessage, bytes: Buffer): Promise<FormData | undefined> {
  const type = request.headers['content-type'] ?? ''
  if (!type.startsWith('multipart/form-data')) return undefined
  return new Response(bytes, { headers: { 'content-type': type } }).formData().catch(() => undefined)
}

/** Both parts tell their type. */
async function part(form: FormData | undefined, name: string, type: string): Promise<string | undefined> {
  const found = form?.get(name)
  if (found === undefined || found === null) return undefined
  // Without a file name it is a field, which has lost its type on the way: what it holds tells.
  if (typeof found === 'string') return found
  return found.type === type ? found.text() : undefined
}

function bearerOf(request: IncomingMessage): string | undefined {
  return /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
}

function wireError(code: string, message: string): unknown {
  return { error: { type: 'invalid_request_error', code, message, param: null } }
}

function refuse(socket: Duplex, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
  const text = JSON.stringify(body)
  const extra = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(
    `HTTP/1.1 ${status} Refused\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n` +
      `${extra.join('')}connection: close\r\n\r\n${text}`,
  )
}

function defaultCode(status: number): string {
  if (status === 401) return 'invalid_api_key'
  if (status === 404) return 'model_not_found'
  return status === 429 ? 'rate_limit_exceeded' : 'server_error'
}
