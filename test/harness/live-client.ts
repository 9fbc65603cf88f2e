// A raw client of /v1/live/sessions and …/attach: keeps what it received, as it came, and can wait for more.

import { once } from 'node:events'
import WebSocket from 'ws'
import { pieces, silencePcm, speechPcm } from './speech.ts'

export type LiveEvent = { readonly type: string } & Readonly<Record<string, unknown>>

export class LiveClient implements AsyncDisposable {
  readonly socket: WebSocket
  readonly events: LiveEvent[] = []
  /** Of `session.output_audio.delta`, decoded. */
  readonly sound: Buffer[] = []
  closed: { readonly code: number; readonly reason: string } | undefined

  constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data: Buffer, binary: boolean) => {
      if (binary) throw new Error('a binary frame')
      const event = JSON.parse(data.toString('utf8'))
      if (event.type === 'session.output_audio.delta') this.sound.push(Buffer.from(String(event.delta), 'base64'))
      this.events.push(event)
    })
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() }
    })
    socket.on('error', () => {})
  }

  get soundBytes(): number {
    return this.sound.reduce((sum, each) => sum + each.length, 0)
  }

  send(event: Readonly<Record<string, unknown>>): void {
    this.socket.send(JSON.stringify(event))
  }

  hear(bytes: Buffer): void {
    this.send({ type: 'session.input_audio.append', audio: bytes.toString('base64') })
  }

  /** Speech and the silence after it, in PCM 24 kHz: at once, or as a person speaks. */
  async speak(text: string, pace: 'at once' | 'real time' = 'at once'): Promise<void> {
    const pcm = Buffer.concat([silencePcm(200), await speechPcm(text), silencePcm(1_000)])
    const beganMs = performance.now()
    let sentMs = 0
    for (const piece of pieces(pcm)) {
      this.hear(piece)
      sentMs += 100
      const aheadMs = sentMs - (performance.now() - beganMs)
      if (pace === 'real time' && aheadMs > 0) await new Promise((resolve) => setTimeout(resolve, aheadMs))
    }
  }

  /** Resolves when no sound has come for a while. */
  async quiet(ms = 400): Promise<void> {
    for (let before = -1; before !== this.sound.length; ) {
      before = this.sound.length
      await new Promise((resolve) => setTimeout(resolve, ms))
    }
  }

  of(type: string): LiveEvent[] {
    return this.events.filter((event) => event.type === type)
  }

  /** All words of one side so far. */
  said(side: 'input' | 'output'): string {
    return this.of(`session.${side}_transcript.delta`)
      .map(({ delta }) => String(delta))
      .join('')
  }

  /** Types in order, repeats of one type after another written once. */
  get types(): string[] {
    return this.events.map(({ type }) => type).filter((type, i, all) => type !== all[i - 1])
  }

  async until<T>(find: (client: LiveClient) => T | undefined, what: string, timeoutMs = 20_000): Promise<T> {
    const deadline = Date.now() + timeoutMs
    for (;;) {
      const found = find(this)
      if (found !== undefined) return found
      if (Date.now() > deadline)
        throw new Error(
          `waited ${timeoutMs} ms for ${what}; got ${this.types.join(', ')}; errors ${JSON.stringify(this.of('error'))}; said ${this.said('output')}; closed ${JSON.stringify(this.closed)}`,
        )
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  /** The `count`-th event of this type. */
  event(type: string, count = 1): Promise<LiveEvent> {
    return this.until((client) => client.of(type)[count - 1], `${type} × ${count}`)
  }

  ended(): Promise<{ readonly code: number; readonly reason: string }> {
    return this.until((client) => client.closed, 'the close')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.closed !== undefined) return
    this.socket.terminate()
    await this.ended()
  }
}

export interface LiveConnect {
  readonly token?: string
  /** As a browser does it. */
  readonly subprotocol?: boolean
  readonly path?: string
  readonly origin?: string
}

export async function connectLive(wsUrl: string, options: LiveConnect): Promise<LiveClient> {
  const { token, subprotocol = false, path = '', origin } = options
  const protocols = subprotocol ? ['realtime', `openai-insecure-api-key.${token}`] : []
  const socket = new WebSocket(`${wsUrl}/v1/live/sessions${path}`, protocols, {
    headers: token === undefined || subprotocol ? {} : { authorization: `Bearer ${token}` },
    ...(origin === undefined ? {} : { origin }),
  })
  const client = new LiveClient(socket)
  await once(socket, 'open')
  return client
}
