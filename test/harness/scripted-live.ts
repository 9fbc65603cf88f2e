// GPT-Live on loopback: the true wire of `/v1/live/sessions`, strictly, answering by script. It records what clients sent.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { ScriptedLiveCall } from './scripted-live-call.ts'
import { type LiveSocket, ScriptedLiveConnection } from './scripted-live-connection.ts'
import { callRequest } from './scripted-live-wire.ts'

/** What the model does when a pattern matches what it heard, what was written to its backend, or what a tool answered. */
export interface LiveReply {
  readonly say?: string
  /** Length of the audio of `say`; default 60 ms per character. */
  readonly audioMs?: number
  /** It hands the work to whoever the session delegates to; `say` is then what it says meanwhile. */
  readonly delegate?: boolean
  /** The Responses backend calls this. */
  readonly calls?: readonly { readonly name: string; readonly arguments: unknown; readonly callId?: string }[]
  /** How the backend's response ends when it calls nothing. */
  readonly status?: 'completed' | 'failed' | 'incomplete'
  readonly usage?: {
    readonly input: number
    readonly cached: number
    readonly output: number
    readonly reasoning?: number
  }
  /** How many times faster than real time the audio leaves. Default: the server's. */
  readonly pace?: 'instant' | number
}

export interface LiveScript {
  readonly pattern: RegExp
  readonly reply: LiveReply | ((input: string) => LiveReply)
}

/** As in `scripted-realtime.ts`: strikes once, the first connection that has sent `at` messages. */
export interface LiveFault {
  readonly at: number
  readonly how: 'drop' | 'silence' | 'close' | 'expire' | 'content'
}

export interface LiveOptions {
  readonly apiKey?: string
  readonly models?: readonly string[]
  readonly pace?: 'instant' | number
  readonly sessionCap?: number
  /** How long a session lives. */
  readonly lifeMs?: number
  /** Silence is sent between utterances, in real time. */
  readonly streamsSilence?: boolean
  /** Acknowledgements name the command they are for. Not every deployment does that. */
  readonly namesCommands?: boolean
}

export interface LiveState {
  readonly scripts: LiveScript[]
  readonly heard: string[]
  readonly options: LiveOptions
  pace: 'instant' | number
  mute: boolean
  fault: LiveFault | undefined
  initialError: string | undefined
  /** What `session.closed` reports; by default the time the session lasted. */
  finalSeconds: number | undefined
  /** `session.close` is answered after this, or never. */
  closesAfterMs: number | 'never'
  /** A person who speaks does not stop the model. */
  talksOn: boolean
}

export class ScriptedLive {
  readonly connections: ScriptedLiveConnection[] = []
  /** Sessions with browsers. */
  readonly calls: ScriptedLiveCall[] = []
  callRequests = 0
  readonly #server: Server = createServer((request, response) => void this.#request(request, response))
  readonly #sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 16 * 1024 * 1024 })
  readonly state: LiveState
  #refusal: { status: number; code: string; headers: Readonly<Record<string, string>> } | undefined
  #callRefusal: number | 'silence' | 'garbage' | undefined
  #port = 0

  constructor(options: LiveOptions = {}) {
    this.state = {
      scripts: [],
      heard: [],
      options,
      pace: options.pace ?? 'instant',
      mute: false,
      fault: undefined,
      initialError: undefined,
      finalSeconds: undefined,
      closesAfterMs: 0,
      talksOn: false,
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

  get baseUrl(): string {
    return `http://127.0.0.1:${this.#port}/v1`
  }

  get last(): ScriptedLiveConnection {
    const last = this.connections.at(-1)
    if (last === undefined) throw new Error('nobody connected')
    return last
  }

  /** Later patterns win over earlier ones. */
  on(pattern: RegExp, reply: LiveScript['reply']): this {
    this.state.scripts.unshift({ pattern, reply })
    return this
  }

  /** What the next stretches of speech will be understood as. */
  hears(...texts: readonly string[]): this {
    this.state.heard.push(...texts)
    return this
  }

  /** Every further upgrade is answered with this status. */
  refuse(status: number, code = 'server_error', headers: Readonly<Record<string, string>> = {}): this {
    this.#refusal = { status, code, headers }
    return this
  }

  /** Every further call is answered with this status; or with nothing, or nothing that makes sense. */
  refuseCalls(how: number | 'silence' | 'garbage' | undefined): this {
    this.#callRefusal = how
    return this
  }

  get lastCall(): ScriptedLiveCall {
    const last = this.calls.at(-1)
    if (last === undefined) throw new Error('nobody called')
    return last
  }

  accept(): this {
    this.#refusal = undefined
    this.state.initialError = undefined
    this.state.mute = false
    return this
  }

  breakAt(at: number, how: LiveFault['how']): this {
    this.state.fault = { at, how }
    return this
  }

  async stop(): Promise<void> {
    for (const connection of this.connections) connection.drop()
    for (const call of this.calls) call.end()
    this.#sockets.close()
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  async #request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://loopback')
    const { apiKey, models } = this.state.options
    const reply = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(body === undefined ? '' : JSON.stringify(body))
    }
    const problem = (status: number, code: string, message = code): void =>
      reply(status, { error: { type: 'invalid_request_error', code, message } })
    const hungUp = /^\/v1\/live\/sessions\/([^/]+)\/hangup$/.exec(pathname)?.[1]
    if (request.method !== 'POST' || (pathname !== '/v1/live/sessions' && hungUp === undefined)) return reply(404, {})
    if (apiKey !== undefined && request.headers.authorization !== `Bearer ${apiKey}`)
      return problem(401, 'invalid_api_key')
    if (hungUp !== undefined) {
      const call = this.calls.find(({ id, isOver }) => id === hungUp && !isOver)
      if (call === undefined) return problem(404, 'session_not_found')
      call.hangUps++
      if (this.state.closesAfterMs !== 'never') call.connection.end('close_requested')
      call.end()
      return reply(200, undefined)
    }
    this.callRequests++
    if (this.#callRefusal === 'silence') return
    if (this.#callRefusal === 'garbage') return reply(201, { hello: 'world' })
    if (this.#callRefusal !== undefined) return problem(this.#callRefusal, 'server_error')
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    const parsed = callRequest.safeParse(JSON.parse(Buffer.concat(pieces).toString('utf8')))
    if (!parsed.success) return problem(400, 'invalid_value', JSON.stringify(parsed.error.issues))
    const { session, transport } = parsed.data
    if (models !== undefined && !models.includes(session.model)) return problem(404, 'model_not_found')
    const call = new ScriptedLiveCall(session, this.state)
    this.calls.push(call)
    reply(201, { session: { id: call.id }, transport: { type: 'webrtc', sdp: await call.answer(transport.sdp) } })
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = new URL(request.url ?? '/', 'http://loopback')
    const { apiKey, sessionCap } = this.state.options
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
    const open = this.connections.filter((connection) => connection.open).length
    const attached = /^\/v1\/live\/sessions\/([^/]+)\/attach$/.exec(url.pathname)?.[1]
    const call = this.calls.find(({ id, isOver }) => id === attached && !isOver)
    if (attached !== undefined && this.#refusal === undefined && (apiKey === undefined || bearer === apiKey)) {
      if (call === undefined) refuse(socket, 404, 'session_not_found')
      else this.#sockets.handleUpgrade(request, socket, head, (ws) => call.attach(ws))
    } else if (this.#refusal !== undefined)
      refuse(socket, this.#refusal.status, this.#refusal.code, this.#refusal.headers)
    else if (url.pathname !== '/v1/live/sessions' || url.search !== '') refuse(socket, 404, 'not_found')
    else if (apiKey !== undefined && bearer !== apiKey) refuse(socket, 401, 'invalid_api_key')
    else if (sessionCap !== undefined && open >= sessionCap) {
      refuse(socket, 429, 'rate_limit_exceeded', { 'retry-after': '2' })
    } else {
      this.#sockets.handleUpgrade(request, socket, head, (ws) => {
        this.connections.push(new ScriptedLiveConnection(liveSocket(ws), this.state, request.headers))
      })
    }
  }
}

function liveSocket(ws: WebSocket): LiveSocket {
  ws.on('error', () => ws.terminate())
  return {
    OPEN: ws.OPEN,
    get readyState() {
      return ws.readyState
    },
    onMessage: (listener) => void ws.on('message', listener),
    onClose: (listener) => void ws.on('close', () => listener()),
    send: (text) => ws.send(text),
    close: (code) => ws.close(code),
    terminate: () => ws.terminate(),
    pause: () => ws.pause(),
  }
}

export async function startScriptedLive(options: LiveOptions = {}): Promise<ScriptedLive> {
  return new ScriptedLive(options).start()
}

function refuse(socket: Duplex, status: number, code: string, headers: Readonly<Record<string, string>> = {}): void {
  const text = JSON.stringify({ error: { type: 'invalid_request_error', code, message: `Refused: ${code}` } })
  const extra = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(
    `HTTP/1.1 ${status} Refused\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n` +
      `${extra.join('')}connection: close\r\n\r\n${text}`,
  )
}
