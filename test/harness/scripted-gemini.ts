// Gemini Live on loopback: speaks the true wire, strictly, and answers by script. It records what clients sent.

import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { GeminiConnection, type Memory } from './scripted-gemini-connection.ts'
import type { Fault, Script, ScriptedReply } from './scripted-realtime.ts'

export interface GeminiOptions {
  readonly apiKey?: string
  readonly pace?: 'instant' | number
  /** Each connection is told to go after `goAwayMs`, and is cut `cutMs` later. */
  readonly cap?: { readonly goAwayMs: number; readonly timeLeft: string; readonly cutMs: number }
}

/** What a turn costs, as the wire tells it. */
export interface GeminiUsage {
  readonly promptTokenCount?: number
  readonly responseTokenCount?: number
  readonly thoughtsTokenCount?: number
  readonly promptTokensDetails?: readonly { readonly modality: string; readonly tokenCount: number }[]
  readonly responseTokensDetails?: readonly { readonly modality: string; readonly tokenCount: number }[]
}

export interface GeminiState {
  readonly scripts: Script[]
  readonly heard: string[]
  /** By handle: what a session of before knew. */
  readonly memories: Map<string, Memory>
  pace: 'instant' | number
  mute: boolean
  dropAt: number | undefined
  fault: Fault | undefined
  /** Close code and sentence right after the upgrade. */
  initialClose: { readonly code: number; readonly reason: string } | undefined
  /** The turn is closed when the answer was played in real time, not when it was generated. */
  plays: boolean
  /** What turns cost; null: nothing is said of it. */
  usage: GeminiUsage | null | undefined
  /** Handles are given out. */
  resumable: boolean
  /** The person's words are told this long after the end of speech; null: never. */
  wordsAfterMs: number | null
}

const path = '/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent'

export class ScriptedGemini {
  readonly connections: GeminiConnection[] = []
  readonly state: GeminiState
  readonly #options: GeminiOptions
  readonly #server: Server = createServer((_, response) => response.writeHead(404).end())
  readonly #sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 16 * 1024 * 1024 })
  #refusal: { status: number; headers: Readonly<Record<string, string>> } | undefined
  #refusals = Number.POSITIVE_INFINITY
  #port = 0

  constructor(options: GeminiOptions = {}) {
    this.#options = options
    this.state = {
      scripts: [],
      heard: [],
      memories: new Map(),
      pace: options.pace ?? 'instant',
      mute: false,
      dropAt: undefined,
      fault: undefined,
      initialClose: undefined,
      plays: false,
      usage: undefined,
      resumable: true,
      wordsAfterMs: 1,
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

  /** What `createGeminiLive` takes as `baseUrl`. */
  get baseUrl(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get last(): GeminiConnection {
    const last = this.connections.at(-1)
    if (last === undefined) throw new Error('nobody connected')
    return last
  }

  /** Later patterns win over earlier ones. */
  on(pattern: RegExp, reply: ScriptedReply | ((input: string) => ScriptedReply)): this {
    this.state.scripts.unshift({ pattern, reply })
    return this
  }

  /** What the next stretches of speech will be transcribed as. */
  hears(...texts: readonly string[]): this {
    this.state.heard.push(...texts)
    return this
  }

  /** Every further upgrade is answered with this status, until `accept()`. */
  refuse(status: number, _code?: string, headers: Readonly<Record<string, string>> = {}): this {
    this.#refusal = { status, headers }
    this.#refusals = Number.POSITIVE_INFINITY
    return this
  }

  /** Only that many upgrades are refused. */
  times(count: number): this {
    this.#refusals = count
    return this
  }

  /** As an unknown model shows. */
  refuseAfterOpen(_code?: string): this {
    return this.closeAfterOpen(1008, 'models/x is not found for API version v1beta, or is not supported for bidi.')
  }

  closeAfterOpen(code: number, reason: string): this {
    this.state.initialClose = { code, reason }
    return this
  }

  breakAt(at: number, how: Fault['how']): this {
    this.state.fault = { at, how }
    return this
  }

  /** The TCP connection breaks after the n-th stretch of audio of a connection. */
  dropAt(deltas: number): this {
    this.state.dropAt = deltas
    return this
  }

  /** Accepts sockets and says nothing at all. */
  silent(): this {
    this.state.mute = true
    return this
  }

  accept(): this {
    this.#refusal = undefined
    this.state.mute = false
    this.state.initialClose = undefined
    return this
  }

  drop(): void {
    for (const connection of this.connections) connection.drop()
  }

  async stop(): Promise<void> {
    this.drop()
    this.#sockets.close()
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = new URL(request.url ?? '/', 'http://loopback')
    if (this.#refusal !== undefined && this.#refusals-- > 0) refuse(socket, this.#refusal.status, this.#refusal.headers)
    else if (url.pathname !== path) refuse(socket, 404, {})
    else {
      this.#sockets.handleUpgrade(request, socket, head, (ws) => {
        const connection = new GeminiConnection(ws, request.headers, this.state)
        this.connections.push(connection)
        const { apiKey } = this.#options
        const given = request.headers['x-goog-api-key'] ?? url.searchParams.get('key')
        if (this.state.mute) return
        if (this.#options.cap !== undefined) cap(connection, this.#options.cap)
        const { initialClose } = this.state
        if (initialClose !== undefined) connection.close(initialClose.code, initialClose.reason)
        else if (apiKey !== undefined && given !== apiKey) {
          connection.close(1007, 'API key not valid. Please pass a valid API key.')
        }
      })
    }
  }
}

export async function startScriptedGemini(options: GeminiOptions = {}): Promise<ScriptedGemini> {
  return new ScriptedGemini(options).start()
}

function cap(connection: GeminiConnection, { goAwayMs, timeLeft, cutMs }: NonNullable<GeminiOptions['cap']>): void {
  setTimeout(() => {
    if (!connection.open) return
    connection.goAway(timeLeft)
    setTimeout(() => connection.close(1001), cutMs)
  }, goAwayMs)
}

function refuse(socket: Duplex, status: number, headers: Readonly<Record<string, string>>): void {
  const text = JSON.stringify({ error: { code: status, message: 'Refused.', status: 'RESOURCE_EXHAUSTED' } })
  const extra = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(
    `HTTP/1.1 ${status} Refused\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n` +
      `${extra.join('')}connection: close\r\n\r\n${text}`,
  )
}
