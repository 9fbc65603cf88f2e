// A caller: a loudspeaker that plays what comes, a microphone in a room, and a record of every sample that was heard.

import type { EngineEvent } from '../../gateway/engines/engines.ts'
import type { Clock } from '../../gateway/platform/clock.ts'
import { samplesOf } from '../../gateway/platform/resample.ts'
import type { Leg, LegPort } from '../../gateway/sessions/sessions.ts'
import { addEcho, type Room, type Samples, samplesPerMs } from './sounds.ts'

export const tickMs = 20
const tickSamples = tickMs * samplesPerMs
const prebufferMs = 80
const reportMs = 500

export interface Device {
  /** `panel`: reports positions and can be held. `stock`: a client of the original protocol, which flushes for `speech_started`. */
  readonly kind: 'panel' | 'stock'
  /** Of the network, one way. */
  readonly wayMs: number
  readonly room?: Room
}

export interface Sound {
  readonly atMs: number
  readonly samples: Samples
}

interface Piece {
  readonly itemId: string
  readonly samples: Int16Array
  at: number
}

export class CallerLeg implements Leg {
  readonly kind = 'websocket'
  readonly reportsPlayback: boolean
  readonly isStock: boolean
  readonly canReturn = false
  readonly lastSeq = 0
  readonly keptFrames = []
  readonly hold: ((on: boolean) => void) | undefined
  /** Samples of each item that were played. */
  readonly played = new Map<string, number>()
  readonly received = new Map<string, number>()
  /** When sound of an item last came out. */
  readonly lastSoundAtMs = new Map<string, number>()
  flushedAtMs: number | undefined
  /** When the gateway first told the player to stop, whichever way. */
  toldAtMs: number | undefined
  heldMs = 0
  readonly speechStarts: number[] = []
  readonly #clock: Clock
  readonly #device: Device
  readonly #queue: Piece[] = []
  readonly #cut = new Set<string>()
  /** The last seconds of what came out. */
  readonly #out = new Float32Array(2_000 * samplesPerMs)
  #outAt = 0
  #playing = ''
  #isPlaying = false
  #isHeld = false
  #reportedAtMs = 0
  port: LegPort | undefined

  constructor(clock: Clock, device: Device) {
    this.#clock = clock
    this.#device = device
    this.reportsPlayback = device.kind === 'panel'
    this.isStock = device.kind === 'stock'
    this.hold = device.kind === 'panel' ? (on) => this.#hold(on) : undefined
  }

  #later(run: () => void): void {
    this.#clock.after(this.#device.wayMs, run)
  }

  #hold(on: boolean): void {
    if (on) this.toldAtMs = this.#clock.monotonicMs()
    this.#later(() => (this.#isHeld = on))
  }

  engineEvent(event: EngineEvent): void {
    if (event.type === 'audio' && event.pcm !== undefined) {
      const { itemId, pcm } = event
      const samples = samplesOf(pcm)
      this.#later(() => this.#push(itemId, samples))
    } else if (event.type === 'userSpeech' && event.phase === 'start') {
      this.speechStarts.push(this.#clock.monotonicMs())
      if (this.#device.kind === 'stock' && this.#queue.length > 0) this.toldAtMs = this.#clock.monotonicMs()
      if (this.#device.kind === 'stock') this.#later(() => this.#drop())
    }
  }

  #push(itemId: string, samples: Int16Array): void {
    if (this.#cut.has(itemId)) return
    this.received.set(itemId, (this.received.get(itemId) ?? 0) + samples.length)
    this.#queue.push({ itemId, samples, at: 0 })
  }

  flush(itemId: string): void {
    if (this.#device.kind === 'panel') this.#later(() => this.#drop(itemId))
  }

  #drop(itemId?: string): void {
    const items = new Set(itemId === undefined ? this.#queue.map((piece) => piece.itemId) : [itemId])
    this.flushedAtMs ??= this.#clock.monotonicMs()
    for (const each of items) {
      this.#cut.add(each)
      const playedMs = this.playedMs(each)
      this.#later(() => this.port?.played(each, playedMs, true))
    }
    this.#queue.splice(0, this.#queue.length, ...this.#queue.filter((piece) => !items.has(piece.itemId)))
    if (this.#queue.length === 0) this.#isPlaying = false
  }

  playedMs(itemId: string): number {
    return (this.played.get(itemId) ?? 0) / samplesPerMs
  }

  /** 20 ms of the loudspeaker. */
  play(): void {
    const nowMs = this.#clock.monotonicMs()
    const queuedMs = this.#queue.reduce((sum, { samples, at }) => sum + samples.length - at, 0) / samplesPerMs
    if (!this.#isPlaying && queuedMs >= prebufferMs) this.#isPlaying = true
    if (this.#isHeld) this.heldMs += tickMs
    for (let i = 0; i < tickSamples; i++) {
      const sample = this.#isPlaying && !this.#isHeld ? this.#next() : 0
      this.#out[this.#outAt] = sample
      this.#outAt = (this.#outAt + 1) % this.#out.length
      if (Math.abs(sample) > 0.003) this.lastSoundAtMs.set(this.#playing, nowMs + i / samplesPerMs)
    }
    this.#report(nowMs)
  }

  #next(): number {
    for (let piece = this.#queue[0]; piece !== undefined; piece = this.#queue[0]) {
      const sample = piece.samples[piece.at++]
      if (sample !== undefined) {
        this.played.set(piece.itemId, (this.played.get(piece.itemId) ?? 0) + 1)
        this.#playing = piece.itemId
        return sample / 32_768
      }
      this.#queue.shift()
    }
    this.#isPlaying = false
    return 0
  }

  #report(nowMs: number): void {
    const [first] = this.#queue
    if (this.#device.kind !== 'panel' || first === undefined || nowMs - this.#reportedAtMs < reportMs) return
    this.#reportedAtMs = nowMs
    const playedMs = this.playedMs(first.itemId)
    if (playedMs > 0) this.#later(() => this.port?.played(first.itemId, playedMs, false))
  }

  /** The items that were played to their end are told, as a panel does. */
  finish(itemId: string): void {
    if (this.#device.kind !== 'panel' || this.#cut.has(itemId)) return
    if (this.#queue.every((piece) => piece.itemId !== itemId)) this.port?.played(itemId, this.playedMs(itemId), true)
  }

  /** 20 ms of the microphone: the room's own sounds and the echo of what was played before. */
  record(sounds: readonly Sound[], nowMs: number): Buffer {
    const sum = new Float32Array(tickSamples)
    for (const { atMs, samples } of sounds) {
      const from = (nowMs - atMs) * samplesPerMs
      if (from + tickSamples <= 0 || from >= samples.length) continue
      for (let i = 0; i < tickSamples; i++) sum[i] = (sum[i] ?? 0) + (samples[from + i] ?? 0)
    }
    const { room } = this.#device
    if (room !== undefined) addEcho(sum, { out: this.#out, at: this.#outAt - tickSamples }, room)
    const pcm = new Int16Array(tickSamples)
    for (let i = 0; i < tickSamples; i++)
      pcm[i] = Math.max(-32_768, Math.min(32_767, Math.round((sum[i] ?? 0) * 32_767)))
    return Buffer.from(pcm.buffer)
  }

  send(pcm: Buffer): void {
    this.#later(() => this.port?.audio({ pcm }))
  }

  restore(): void {}
  turn(): void {}
  committed(): void {}
  notice(): void {}
  goingAway(): void {}
  heartbeat(): void {}
  end(): void {}
}
