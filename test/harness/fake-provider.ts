// A provider's HTTP API on loopback: what all fakes have in common. They keep what they were asked, break as they are told to,
// before or after the effect, and leave the wire itself to each of them.

import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
}

export interface Answered {
  readonly status: number
  readonly json?: unknown
  readonly text?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** `cut` destroys the socket, `hang` never answers; `after`: what was asked for has happened by then. */
export type Fault = 'cut-before' | 'cut-after' | 'hang-after' | { readonly status: number; readonly json?: unknown }

export abstract class FakeProvider implements AsyncDisposable {
  readonly received: Received[] = []
  readonly #server: Server
  readonly #faults: Fault[] = []

  constructor() {
    this.#server = createServer(
      (request, response) => void this.#serve(request, response).catch(() => response.destroy()),
    )
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo
    return `http://127.0.0.1:${port}`
  }

  /** The next requests, one after the other; only those that `matches`. */
  breaks(...faults: readonly Fault[]): this {
    this.#faults.push(...faults)
    return this
  }

  /** Whether a fault is meant for it: tokens and certificates are left alone. */
  protected isMatter(_request: Received): boolean {
    return true
  }

  protected abstract answer(request: Received): Answered

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const { method = '', url = '', headers } = request
    const received: Received = { method, path: url, headers, bytes: Buffer.concat(parts) }
    this.received.push(received)
    const fault = this.isMatter(received) ? this.#faults.shift() : undefined
    if (fault === 'cut-before') return void response.destroy()
    if (typeof fault === 'object') return send(response, fault)
    const answer = this.answer(received)
    if (fault === 'cut-after') return void response.destroy()
    if (fault !== 'hang-after') send(response, answer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

function send(response: ServerResponse, { status, json, text, headers }: Answered): void {
  const body = json === undefined ? text : JSON.stringify(json)
  response.writeHead(status, {
    ...(json === undefined ? {} : { 'content-type': 'application/json' }),
    ...headers,
  })
  response.end(body)
}

/** Answers by idempotency key: the same key with another body is an error of the caller. */
export class KeyedAnswers {
  readonly #known = new Map<string, { readonly body: string; readonly answer: Answered }>()

  /** `other`: the key was used for something else. */
  of(key: string, body: string): Answered | 'other' | undefined {
    const known = this.#known.get(key)
    if (known === undefined) return undefined
    return known.body === body ? known.answer : 'other'
  }

  keep(key: string, body: string, answer: Answered): Answered {
    this.#known.set(key, { body, answer })
    return answer
  }
}
