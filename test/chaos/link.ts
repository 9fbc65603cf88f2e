// One socket of a chaos client: opens, counts numbers, acknowledges, notices silence. A lost one is replaced by its owner.

import WebSocket from 'ws'
import { decodeAudio, limits, type ParleyClientEvent, subprotocol } from '../../gateway/protocol/realtime.ts'
import { frames, numbered, unnumbered } from './wire.ts'

export type Frame = { readonly type: string; readonly seq?: number | undefined } & Readonly<Record<string, unknown>>

export interface LinkOptions {
  readonly url: string
  readonly token: string
  /** `<session>.<token>.<seq>` of the session to go on with. */
  readonly resume: string | undefined
  readonly ip: string
  /** In order, each number once. */
  readonly onFrame: (frame: Frame) => void
  readonly onAudio: (itemId: string, ms: number) => void
  readonly onClosed: (code: number) => void
  readonly onBreach: (breach: string) => void
}

const openMs = 5_000
/** The gateway beats every 5 s: two are missing. */
const silentMs = 11_000
const checkMs = 500

export class Link {
  readonly #options: LinkOptions
  readonly #socket: WebSocket
  readonly #watch = setInterval(() => this.#check(), checkMs)
  #heardAtMs = performance.now()
  #ackedSeq = 0
  #ackedAtMs = 0
  #closed = false
  epoch: number | undefined
  /** Of the last frame taken. */
  seq = 0

  /** `seen`: where the session's numbers stand, for a resumed one. */
  constructor(options: LinkOptions, seen: { readonly epoch: number; readonly seq: number } | undefined) {
    this.#options = options
    this.epoch = seen?.epoch
    this.seq = seen?.seq ?? 0
    this.#ackedSeq = this.seq
    const protocols = [subprotocol.parley, subprotocol.tokenPrefix + options.token]
    if (options.resume !== undefined) protocols.push(subprotocol.resumePrefix + options.resume)
    this.#socket = new WebSocket(`${options.url.replace('http', 'ws')}/v1/realtime?agent=productco`, protocols, {
      origin: options.url,
      headers: { 'x-forwarded-for': options.ip },
      perMessageDeflate: false,
    })
    this.#socket.on('message', (data: Buffer, binary: boolean) => this.#message(data, binary))
    this.#socket.on('ping', () => this.#heard())
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', (code) => this.#close(code))
  }

  get heardAtMs(): number {
    return this.#heardAtMs
  }

  #heard(): void {
    this.#heardAtMs = performance.now()
  }

  #message(data: Buffer, binary: boolean): void {
    if (this.#closed) return
    this.#heard()
    if (binary) {
      const audio = decodeAudio(data)
      if (audio === undefined) this.#options.onBreach('a binary frame that is no audio')
      else this.#options.onAudio(audio.itemId, audio.pcm.length / 48)
      return
    }
    const frame = numbered.parse(JSON.parse(data.toString()))
    if (frame.type === 'response.output_audio.delta') {
      const { item_id, delta } = frames.audioDelta.parse(frame)
      this.#options.onAudio(item_id, (delta.length * 3) / 4 / 48)
      return
    }
    if (frame.type === 'parley.heartbeat') this.send({ type: 'parley.heartbeat', n: frames.heartbeat.parse(frame).n })
    else if (this.#isNext(frame)) this.#options.onFrame(frame)
    this.#acknowledge()
  }

  #isNext(frame: Frame): boolean {
    if (frame.type === 'parley.session') {
      const { epoch, seq, resumed } = frames.session.parse(frame)
      // Without a gap in the same epoch the replay goes on where this client stopped.
      if (resumed === undefined || resumed.gap || epoch !== this.epoch) this.seq = seq
      this.epoch = epoch
      this.#ackedSeq = this.seq
      return true
    }
    if (unnumbered.has(frame.type)) return true
    if (frame.seq === undefined) {
      // Before its session a refusal is all that can be said.
      if (this.epoch !== undefined && frame.type !== 'error') this.#options.onBreach(`${frame.type} without a number`)
      return true
    }
    if (frame.seq <= this.seq) return false
    if (frame.seq !== this.seq + 1) this.#options.onBreach(`${frame.seq} (${frame.type}) came after ${this.seq}`)
    this.seq = frame.seq
    return true
  }

  #acknowledge(): void {
    const now = performance.now()
    const due = this.seq - this.#ackedSeq >= limits.ackEveryFrames || now - this.#ackedAtMs >= limits.ackEveryMs
    if (!due || this.seq === this.#ackedSeq) return
    this.#ackedSeq = this.seq
    this.#ackedAtMs = now
    this.send({ type: 'parley.ack', seq: this.seq })
  }

  #check(): void {
    const quietMs = performance.now() - this.#heardAtMs
    if (quietMs > (this.#socket.readyState === WebSocket.CONNECTING ? openMs : silentMs)) this.#close(4900)
    this.#acknowledge()
  }

  send(event: ParleyClientEvent): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(event))
  }

  audio(frame: Uint8Array): void {
    if (this.#socket.readyState === WebSocket.OPEN && this.#socket.bufferedAmount < 96_000) this.#socket.send(frame)
  }

  /** Ends it without a word to its owner. */
  drop(): void {
    this.#closed = true
    clearInterval(this.#watch)
    this.#socket.terminate()
  }

  #close(code: number): void {
    if (this.#closed) return
    this.drop()
    this.#options.onClosed(code)
  }
}
