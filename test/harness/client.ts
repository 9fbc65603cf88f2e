// A client of /v1/realtime that keeps what it received and can wait for more.

import { once } from 'node:events'
import WebSocket from 'ws'
import { decodeAudio, subprotocol } from '../../gateway/protocol/realtime.ts'

export type ServerEvent = { readonly type: string } & Readonly<Record<string, unknown>>

export class TestClient implements AsyncDisposable {
  readonly socket: WebSocket
  readonly events: ServerEvent[] = []
  /** PCM bytes received per item, whether as binary frames or base64. */
  readonly audioBytes = new Map<string, number>()
  closed: { readonly code: number; readonly reason: string } | undefined
  readonly #wakers = new Set<() => void>()

  constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data: Buffer, binary: boolean) => {
      if (binary) this.#binary(data)
      else this.#json(JSON.parse(data.toString('utf8')))
      this.#wake()
    })
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() }
      this.#wake()
    })
    socket.on('error', () => this.#wake())
  }

  #wake(): void {
    for (const wake of this.#wakers) wake()
  }

  #binary(data: Buffer): void {
    const audio = decodeAudio(data)
    if (audio === undefined) throw new Error('a binary frame that is no audio')
    this.#heard(audio.itemId, audio.pcm.length)
  }

  #json(event: ServerEvent): void {
    if (event.type === 'response.output_audio.delta')
      this.#heard(String(event.item_id), Buffer.from(String(event.delta), 'base64').length)
    if (event.type === 'parley.heartbeat') this.send({ type: 'parley.heartbeat', n: event.n })
    this.events.push(event)
  }

  #heard(itemId: string, bytes: number): void {
    this.audioBytes.set(itemId, (this.audioBytes.get(itemId) ?? 0) + bytes)
  }

  send(event: Readonly<Record<string, unknown>>): void {
    this.socket.send(JSON.stringify(event))
  }

  /** A typed question; asks for the answer too. */
  ask(text: string): void {
    this.send({
      type: 'conversation.item.create',
      item: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
    })
    this.send({ type: 'response.create' })
  }

  ofType(type: string): ServerEvent[] {
    return this.events.filter((event) => event.type === type)
  }

  /** Waits until `find` gives something other than undefined, also for what came before. */
  async until<T>(find: (client: TestClient) => T | undefined, what: string, timeoutMs = 15_000): Promise<T> {
    const deadline = Date.now() + timeoutMs
    for (;;) {
      const found = find(this)
      if (found !== undefined) return found
      const left = deadline - Date.now()
      if (left <= 0)
        throw new Error(
          `waited ${timeoutMs} ms for ${what}; got ${this.events.map((event) => event.type).join(', ')}; closed ${JSON.stringify(this.closed)}`,
        )
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer)
          this.#wakers.delete(wake)
          resolve()
        }
        const timer = setTimeout(wake, Math.min(left, 1_000))
        this.#wakers.add(wake)
      })
    }
  }

  /** The `count`-th event of this type. */
  event(type: string, count = 1): Promise<ServerEvent> {
    return this.until((client) => client.ofType(type)[count - 1], `${type} × ${count}`)
  }

  ended(): Promise<{ readonly code: number; readonly reason: string }> {
    return this.until((client) => client.closed, 'the close')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.closed === undefined) {
      this.socket.terminate()
      await this.ended()
    }
  }
}

export interface ConnectOptions {
  readonly token?: string
  /** `parley`: our own protocol. Default: the stock one. */
  readonly parley?: boolean
  readonly query?: string
  readonly origin?: string
  readonly headers?: Readonly<Record<string, string>>
}

export async function connect(wsUrl: string, options: ConnectOptions): Promise<TestClient> {
  const protocols: string[] = [options.parley === true ? subprotocol.parley : subprotocol.openai]
  if (options.token !== undefined) protocols.push(`${subprotocol.tokenPrefix}${options.token}`)
  const socket = new WebSocket(`${wsUrl}/v1/realtime${options.query ?? ''}`, protocols, {
    headers: { ...options.headers },
    ...(options.origin === undefined ? {} : { origin: options.origin }),
  })
  const client = new TestClient(socket)
  await once(socket, 'open')
  return client
}
