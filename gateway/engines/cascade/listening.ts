// The person's audio as turns, and their words in the order they were spoken however long each takes to be transcribed.

import type { Clock, Timer } from '../../platform/clock.ts'
import { bytesPerMs } from '../../protocol/realtime.ts'
import { Ears } from '../sound/ears.ts'
import type { VadEvent, VadTuning } from '../sound/vad.ts'

/** A microphone that is switched off in the middle of a word sends no silence to end it. */
const hushMs = 1_500
const checkMs = 250
const silence = Buffer.alloc(100 * bytesPerMs)
/** As the GA wire has it: less is no turn. */
export const shortestCommitMs = 100

export interface ListeningEvents {
  speech(event: VadEvent): void
}

export class Listening {
  readonly #clock: Clock
  readonly #on: ListeningEvents
  readonly #ears = new Ears(true)
  #heardAtMs = 0
  #timer: Timer | undefined
  #told: Promise<void> = Promise.resolve()
  #waiting = 0
  /** Turns are detected here. */
  detects: boolean

  constructor(clock: Clock, detects: boolean, on: ListeningEvents) {
    this.#clock = clock
    this.detects = detects
    this.#on = on
  }

  tune(tuning: VadTuning): void {
    this.#ears.tune(tuning)
  }

  get speaking(): boolean {
    return this.detects && this.#ears.speaking
  }

  /** Speech is being transcribed. */
  get waits(): boolean {
    return this.#waiting > 0
  }

  get bufferedMs(): number {
    return this.#ears.bufferedMs
  }

  push(pcm: Buffer): void {
    this.#heardAtMs = this.#clock.monotonicMs()
    this.#hear(pcm)
  }

  #hear(pcm: Buffer): void {
    const events = this.#ears.push(pcm)
    if (!this.detects) return
    for (const event of events) this.#on.speech(event)
    if (!this.#ears.speaking) this.#rest()
    else this.#timer ??= this.#clock.every(checkMs, () => this.#hush())
  }

  #hush(): void {
    if (this.#clock.monotonicMs() - this.#heardAtMs < hushMs) return
    for (let i = 0; i < 20 && this.#ears.speaking; i++) this.#hear(silence)
    this.#rest()
  }

  #rest(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  /** Ends the turn and hands over its samples, PCM16 24 kHz. */
  take(speechMs: number): Buffer {
    return this.#ears.take(speechMs).pcm
  }

  clear(): void {
    this.#ears.clear()
    this.#rest()
  }

  /** `then` is called with the words once those spoken before have been told. */
  inTurn<T>(words: Promise<T>, then: (words: T) => void): void {
    this.#waiting++
    this.#told = this.#told.then(async () => {
      const known = await words
      this.#waiting--
      then(known)
    })
  }
}
