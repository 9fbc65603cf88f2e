// Whether somebody speaks into the microphone, and for how long by now: sound that stands out of the room, is no echo of ours
// and has the tones of a voice. Pure; one call is one frame of 20 ms.

import type { Origin } from './echo.ts'
import { frameMs, type Look } from './spectrum.ts'

/** Speech stands this far above the room. */
const aboveDb = 10
/** Quieter than this nobody speaks into a microphone. */
const quietestDb = -50
/** Coughs, clicks and fans are flatter; most of speech, humming too, lies below 0.1. */
const voiceFlatness = 0.25
/** Between two words; more is the end of a stretch. */
const gapMs = 240
/** The room is the quietest 100 ms of the last 1.5 s. */
const blockFrames = 5
const blocks = 15

export class Presence {
  readonly #minima: number[] = []
  #blockMin = 0
  #blockAt = 0
  #speechMs = 0
  #echoMs = 0
  #quietMs = gapMs

  /** Of the stretch under way: voice, without pauses, hisses and echo. */
  get speechMs(): number {
    return this.#speechMs
  }

  /** Of the same stretch: what was our own voice. */
  get echoMs(): number {
    return this.#echoMs
  }

  get isOn(): boolean {
    return this.#quietMs < gapMs
  }

  /** Somebody spoke a moment ago. */
  get isNear(): boolean {
    return this.isOn && this.#speechMs > 0
  }

  frame({ levelDb, flatness }: Look, origin: Origin): void {
    const isLoud = levelDb >= Math.max(this.#floor(levelDb) + aboveDb, quietestDb)
    const isVoice = isLoud && origin === 'person' && flatness < voiceFlatness
    if (!this.isOn && (isVoice || (isLoud && origin === 'echo'))) {
      this.#speechMs = 0
      this.#echoMs = 0
    }
    if (isVoice) this.#speechMs += frameMs
    else if (isLoud && origin === 'echo') this.#echoMs += frameMs
    // A hiss inside of a word neither counts nor ends it; a stretch of nothing else has not begun.
    if (isVoice) this.#quietMs = 0
    else if (!(isLoud && origin === 'person' && this.isNear)) this.#quietMs = Math.min(gapMs, this.#quietMs + frameMs)
    else this.#quietMs = Math.min(gapMs, this.#quietMs + frameMs / 4)
  }

  /** While the agent is silent only the room is listened to. */
  room(levelDb: number): void {
    this.#floor(levelDb)
    this.#quietMs = gapMs
    this.#speechMs = 0
    this.#echoMs = 0
  }

  #floor(levelDb: number): number {
    this.#blockMin = this.#blockAt === 0 ? levelDb : Math.min(this.#blockMin, levelDb)
    if (++this.#blockAt >= blockFrames) {
      this.#blockAt = 0
      this.#minima.push(this.#blockMin)
      if (this.#minima.length > blocks) this.#minima.shift()
    }
    // Before the room is known it is taken for a quiet one.
    const quietest = this.#minima.length < blocks ? Math.min(-55, ...this.#minima) : Math.min(...this.#minima)
    return Math.max(-75, quietest)
  }
}
