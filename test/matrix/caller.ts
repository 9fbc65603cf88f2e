// One person with a client, whatever carries it: what the actions need, and the client of the GA protocol over a WebSocket.

import { connect, type ServerEvent, type TestClient } from '../harness/client.ts'
import { pieces, silencePcm, speechPcm } from '../harness/speech.ts'
import type { TestGateway } from '../harness/start-gateway.ts'

export interface Caller extends AsyncDisposable {
  readonly sessionId: string
  /** Says it and is silent after it; resolves when all of that has been sent. */
  say(words: string): Promise<void>
  ask(text: string): Promise<void>
  mute(muted: boolean): Promise<void>
  /** As a client does that is done. */
  end(): Promise<void>
  /** Everything it was told, without sound. */
  events(): Promise<readonly ServerEvent[]>
  /** Milliseconds of sound that came out of its loudspeaker. */
  soundMs(): Promise<number>
  isHearing(): Promise<boolean>
}

/** Ends a turn for every engine. */
const silenceMs = 800
const bytesPerMs = 48

export async function spoken(words: string): Promise<Buffer> {
  return Buffer.concat([silencePcm(100), await speechPcm(words), silencePcm(silenceMs)])
}

/** Plays what comes in real time, and drops the rest when the person speaks, as the clients of this protocol do. */
class Player {
  #totalMs = 0
  #endsAtMs = 0

  push(ms: number): void {
    this.#totalMs += ms
    this.#endsAtMs = Math.max(this.#endsAtMs, performance.now()) + ms
  }

  flush(): void {
    this.#totalMs -= this.#aheadMs
    this.#endsAtMs = performance.now()
  }

  get #aheadMs(): number {
    return Math.max(0, this.#endsAtMs - performance.now())
  }

  get playedMs(): number {
    return this.#totalMs - this.#aheadMs
  }

  get isPlaying(): boolean {
    return this.#aheadMs > 0
  }
}

class SocketCaller implements Caller {
  readonly sessionId: string
  readonly #client: TestClient
  readonly #player = new Player()
  #muted = false

  constructor(client: TestClient, sessionId: string) {
    this.#client = client
    this.sessionId = sessionId
    client.socket.on('message', (data: Buffer) => this.#heard(JSON.parse(data.toString('utf8'))))
  }

  #heard(event: ServerEvent): void {
    if (event.type === 'response.output_audio.delta')
      this.#player.push(Buffer.from(String(event.delta), 'base64').length / bytesPerMs)
    else if (event.type === 'input_audio_buffer.speech_started') this.#player.flush()
  }

  async say(words: string): Promise<void> {
    for (const piece of pieces(await spoken(words), 20)) {
      // Muted by this protocol is who sends nothing.
      if (!this.#muted) this.#client.send({ type: 'input_audio_buffer.append', audio: piece.toString('base64') })
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  async ask(text: string): Promise<void> {
    this.#client.ask(text)
  }

  async mute(muted: boolean): Promise<void> {
    this.#muted = muted
  }

  async end(): Promise<void> {
    this.#client.socket.close()
    await this.#client.ended()
  }

  async events(): Promise<readonly ServerEvent[]> {
    return this.#client.events.filter(({ type }) => type !== 'response.output_audio.delta')
  }

  async soundMs(): Promise<number> {
    return this.#player.playedMs
  }

  async isHearing(): Promise<boolean> {
    return this.#player.isPlaying
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]()
  }
}

export async function callBySocket(gateway: TestGateway): Promise<Caller> {
  const client = await connect(gateway.wsUrl, {
    headers: { authorization: `Bearer ${gateway.apiKey}` },
    query: '?agent=productco',
  })
  const { session } = await client.event('session.created')
  if (typeof session !== 'object' || session === null || !('id' in session)) throw new Error('a session without an id')
  return new SocketCaller(client, String(session.id))
}
