// The ears of an engine that hears turns itself: the person's audio becomes stretches of speech, and words where a recogniser is at hand.

import { bytesPerMs } from '../../protocol/realtime.ts'
import { Vad, type VadEvent, type VadTuning } from './vad.ts'

/** 30 s: more than anybody says in one breath, 1.4 MB. */
const keptBytes = 30_000 * bytesPerMs

export interface Utterance {
  readonly speechMs: number
  /** Trimmed to the speech, prefix included; empty unless `keeps`. */
  readonly pcm: Buffer
}

export class Ears {
  readonly #vad = new Vad()
  /** Whether the samples are wanted: without a recogniser their length is all that is used. */
  readonly #keeps: boolean
  #kept: Buffer[] = []
  #keptBytes = 0
  #bufferedMs = 0

  constructor(keeps: boolean) {
    this.#keeps = keeps
  }

  tune(tuning: VadTuning): void {
    this.#vad.tune(tuning)
  }

  get speaking(): boolean {
    return this.#vad.speaking
  }

  /** Audio since the last turn, in milliseconds. */
  get bufferedMs(): number {
    return this.#bufferedMs
  }

  push(pcm: Buffer): readonly VadEvent[] {
    this.#bufferedMs += pcm.length / bytesPerMs
    if (this.#keeps) this.#keep(pcm)
    const events = this.#vad.push(pcm)
    // Silence before the next word is not part of what will be said, apart from the prefix.
    if (!this.#vad.speaking && events.length === 0) this.#shorten(this.#vad.prefixMs * bytesPerMs * 2)
    return events
  }

  /** Ends the turn and hands over what was said. */
  take(speechMs: number): Utterance {
    const all = Buffer.concat(this.#kept)
    const wanted = Math.min(all.length, Math.ceil(speechMs + 2 * this.#vad.prefixMs) * bytesPerMs) & ~1
    this.clear()
    return { speechMs, pcm: all.subarray(0, wanted) }
  }

  clear(): void {
    this.#vad.reset()
    this.#kept = []
    this.#keptBytes = 0
    this.#bufferedMs = 0
  }

  #keep(pcm: Buffer): void {
    if (this.#keptBytes + pcm.length > keptBytes) return
    // A copy: the caller's buffer may be a slice of a large one.
    this.#kept.push(Buffer.from(pcm))
    this.#keptBytes += pcm.length
  }

  #shorten(bytes: number): void {
    for (let first = this.#kept[0]; first !== undefined; first = this.#kept[0]) {
      if (this.#keptBytes - first.length < bytes) return
      this.#kept.shift()
      this.#keptBytes -= first.length
    }
  }
}
