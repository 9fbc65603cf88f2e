// GPT-Live on loopback: the true wire of `/v1/live/sessions`, strictly, answering by script. It records what clients sent.

import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { ScriptedLiveConnection } from './scripted-live-connection.ts'

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
  readonly #server: Server = createServer((_, response) => response.writeHead(404).end())
  readonly #sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 16 * 1024 * 1024 })
  readonly state: LiveState
  #refusal: { status: number; code: string; headers: Readonly<Record<string, string>> } | undefined
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
    this.#sockets.close()
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = new URL(request.url ?? '/', 'http://loopback')
    const { apiKey, sessionCap } = this.state.options
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
    const open = this.connections.filter((connection) => connection.open).length
    if (this.#refusal !== undefined) refuse(socket, this.#refusal.status, this.#refusal.code, this.#refusal.headers)
    else if (url.pathname !== '/v1/live/sessions' || url.search !== '') refuse(socket, 404, 'not_found')
    else if (apiKey !== undefined && bearer !== apiKey) refuse(socket, 401, 'invalid_api_key')
    else if (sessionCap !== undefined && open >= sessionCap) {
      refuse(socket, 429, 'rate_limit_exceeded', { 'retry-after': '2' })
    } else {
      this.#sockets.handleUpgrade(request, socket, head, (ws) => {
        this.connections.push(new ScriptedLiveConnection(ws, this.state, request.headers))
      })
    }
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
