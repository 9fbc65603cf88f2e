// Hears that somebody speaks: energy of 20 ms frames against a floor that follows the room. Pure; knows no clock.

import { bytesPerMs } from '../../protocol/realtime.ts'

const frameMs = 20
export const frameBytes = frameMs * bytesPerMs
/** A word is longer than 80 ms, a click or a key stroke shorter. */
const startMs = 80
/** People pause for breath up to half a second. */
const stopMs = 600
/** Speech is reported from a little earlier: soft first consonants lie under the threshold. */
export const prefixMs = 300
const maxSpeechMs = 60_000
/** Speech stands this far above the room; to go on it may fall lower than to begin. */
const startAboveDb = 12
const stayAboveDb = 8
/** Quieter than this nobody speaks into a microphone. */
const quietestSpeechDb = -48
const floorLowDb = -75
const floorHighDb = -25
/** The floor is the quietest 100 ms of the last 1.5 s: syllables leave gaps, a fan does not. */
const blockFrames = 5
const blocks = 15

export interface VadEvent {
  readonly phase: 'start' | 'stop'
  /** Position in the audio stream, from its beginning. At the start: prefix included. */
  readonly atMs: number
  /** At the stop: how long the speech was, without the silence that ended it. */
  readonly speechMs: number
  /** At the stop: the silence that ended it. */
  readonly silenceMs: number
}

export interface VadTuning {
  /** 0 to 1, 0.5 being as built. */
  readonly threshold?: number
  readonly silenceMs?: number
  readonly prefixPaddingMs?: number
}
/** From the lowest to the highest threshold. */
const thresholdDb = 24

export class Vad {
  #aboveDb = 0
  #stopMs = stopMs
  #prefixMs = prefixMs
  #rest = Buffer.alloc(0)
  #streamMs = 0
  #loudMs = 0
  #quietMs = 0
  #beganMs: number | undefined
  readonly #minima: number[] = []
  #blockMin = 0
  #blockFrames = 0

  /** Holds from now on. */
  tune({ threshold = 0.5, silenceMs = stopMs, prefixPaddingMs = prefixMs }: VadTuning): void {
    this.#aboveDb = (threshold - 0.5) * thresholdDb
    this.#stopMs = silenceMs
    this.#prefixMs = prefixPaddingMs
  }

  get prefixMs(): number {
    return this.#prefixMs
  }

  get speaking(): boolean {
    return this.#beganMs !== undefined
  }

  /** PCM16 24 kHz in pieces of any length; returns what changed, in order. */
  push(pcm: Buffer): readonly VadEvent[] {
    const bytes = this.#rest.length === 0 ? pcm : Buffer.concat([this.#rest, pcm])
    const events: VadEvent[] = []
    let at = 0
    for (; at + frameBytes <= bytes.length; at += frameBytes) {
      const event = this.#frame(levelDb(bytes.subarray(at, at + frameBytes)))
      if (event !== undefined) events.push(event)
    }
    // A copy: the caller's buffer may be a slice of a large one.
    this.#rest = Buffer.from(bytes.subarray(at))
    return events
  }

  /** The audio ends here, and with it what was being said. */
  end(): VadEvent | undefined {
    if (this.#beganMs === undefined) return undefined
    const silenceMs = this.#quietMs
    const speechMs = this.#streamMs - silenceMs - this.#beganMs
    this.reset()
    return { phase: 'stop', atMs: this.#streamMs, speechMs, silenceMs }
  }

  /** The person's turn was ended from outside. */
  reset(): void {
    this.#beganMs = undefined
    this.#loudMs = 0
    this.#quietMs = 0
  }

  #frame(db: number): VadEvent | undefined {
    this.#streamMs += frameMs
    this.#follow(db)
    const floor = this.#floor()
    const above = this.speaking ? stayAboveDb : startAboveDb
    const loud = db >= Math.max(floor + above, quietestSpeechDb) + this.#aboveDb
    return this.#beganMs === undefined ? this.#maybeStart(loud) : this.#maybeStop(loud, this.#beganMs)
  }

  #maybeStart(loud: boolean): VadEvent | undefined {
    this.#loudMs = loud ? this.#loudMs + frameMs : 0
    if (this.#loudMs < startMs) return undefined
    this.#quietMs = 0
    this.#beganMs = this.#streamMs - startMs
    return { phase: 'start', atMs: Math.max(0, this.#beganMs - this.#prefixMs), speechMs: 0, silenceMs: 0 }
  }

  #maybeStop(loud: boolean, beganMs: number): VadEvent | undefined {
    this.#quietMs = loud ? 0 : this.#quietMs + frameMs
    const tooLong = this.#streamMs - beganMs >= maxSpeechMs
    if (this.#quietMs < this.#stopMs && !tooLong) return undefined
    return this.end()
  }

  #follow(db: number): void {
    this.#blockMin = this.#blockFrames === 0 ? db : Math.min(this.#blockMin, db)
    this.#blockFrames++
    if (this.#blockFrames < blockFrames) return
    this.#blockFrames = 0
    this.#minima.push(this.#blockMin)
    if (this.#minima.length > blocks) this.#minima.shift()
  }

  #floor(): number {
    // Before the room is known it is taken for a quiet one: a first word must not be missed.
    const quietest = this.#minima.length < blocks ? Math.min(-55, ...this.#minima) : Math.min(...this.#minima)
    return Math.min(floorHighDb, Math.max(floorLowDb, quietest))
  }
}

/** Level of a frame in dB below full scale. */
export function levelDb(frame: Buffer): number {
  let sum = 0
  for (let i = 0; i + 1 < frame.length; i += 2) {
    const sample = frame.readInt16LE(i) / 32_768
    sum += sample * sample
  }
  return sum === 0 ? -100 : 10 * Math.log10(sum / (frame.length / 2))
}
