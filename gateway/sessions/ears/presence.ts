// Whether somebody speaks into the microphone, and for how long by now: sound that stands out of the room, is no echo of ours
// and has the tones of a voice. Pure; one call is one frame of 20 ms.

import type { Origin } from './echo.ts'
import { frameMs, type Look } from './spectrum.ts'

/** Speech stands this far above the quietest of the room, and this far above what the room usually is: others talk too. */
const aboveFloorDb = 10
const aboveUsualDb = 10
/** Quieter than this nobody speaks into a microphone. */
const quietestDb = -46
/** Coughs, clicks and fans are flatter; most of speech, humming too, lies below 0.1. */
const voiceFlatness = 0.25
/** A word may begin with a hiss of this length. */
const hissMs = 80
/** Between two words; more is the end of a stretch. */
const gapMs = 260
/** People pause so long after `sorry,`: a player that went on in between would be in the way. */
const breathMs = 420
/** The room is the quietest 100 ms of the last 1.5 s. */
const blockFrames = 5
const blocks = 15
/** What is usual follows slowly where it gets louder, so that a voice does not become the room while it speaks. */
const louderShare = frameMs / 3_000
const quieterShare = frameMs / 1_200

export class Presence {
  readonly #minima: number[] = []
  #blockMin = 0
  #blockAt = 0
  #usualDb = -60
  #speechMs = 0
  #spokenMs = 0
  #perhapsMs = 0
  #echoMs = 0
  #hissMs = 0
  #quietMs = breathMs

  /** Of the stretch under way: voice, without pauses, hisses and echo. */
  get speechMs(): number {
    return this.#speechMs
  }

  /** The same of all stretches since the agent is listened along with. */
  get spokenMs(): number {
    return this.#spokenMs
  }

  /** The same of a voice that may still turn out to be our own. */
  get perhapsMs(): number {
    return this.#perhapsMs
  }

  /** Of the stretch under way: what was our own voice. */
  get echoMs(): number {
    return this.#echoMs
  }

  get isOn(): boolean {
    return this.#quietMs < gapMs
  }

  /** Somebody has not come to an end yet. */
  get isHeard(): boolean {
    return this.#quietMs < breathMs
  }

  /** Somebody spoke a moment ago. */
  get isNear(): boolean {
    return this.isOn && this.#speechMs > 0
  }

  frame({ levelDb, flatness }: Look, origin: Origin): void {
    const isLoud = levelDb >= this.#room(levelDb)
    if (isLoud && origin === 'person') this.#sound(flatness < voiceFlatness)
    else {
      this.#hissMs = 0
      this.#silence(frameMs)
      if (isLoud && origin === 'echo') this.#echoMs += frameMs
      else if (isLoud && origin === 'unsure' && flatness < voiceFlatness) this.#perhapsMs += frameMs
    }
  }

  /** The stretch under way was none. */
  doubt(): void {
    this.#spokenMs -= this.#speechMs
    this.#perhapsMs = 0
    this.#echoMs += this.#speechMs
    this.#speechMs = 0
    this.#quietMs = breathMs
  }

  #sound(isVoice: boolean): void {
    if (!this.isOn && isVoice) {
      this.#speechMs = 0
      this.#echoMs = 0
    }
    if (!isVoice) {
      this.#hissMs = Math.min(hissMs, this.#hissMs + frameMs)
      // Inside of a word it is part of it; alone it is nothing.
      this.#silence(frameMs / 4)
      return
    }
    const ms = frameMs + (this.#speechMs === 0 ? this.#hissMs : 0)
    this.#speechMs += ms
    this.#spokenMs += ms
    this.#hissMs = 0
    this.#quietMs = 0
  }

  #silence(ms: number): void {
    this.#quietMs = Math.min(breathMs, this.#quietMs + ms)
  }

  /** While the agent is silent only the room is listened to. */
  room(levelDb: number): void {
    this.#room(levelDb)
    this.#quietMs = breathMs
    this.#speechMs = 0
    this.#echoMs = 0
  }

  /** From which level on it is somebody. */
  #room(levelDb: number): number {
    const level = Math.max(-75, levelDb)
    this.#usualDb += (level - this.#usualDb) * (level > this.#usualDb ? louderShare : quieterShare)
    this.#blockMin = this.#blockAt === 0 ? levelDb : Math.min(this.#blockMin, levelDb)
    if (++this.#blockAt >= blockFrames) {
      this.#blockAt = 0
      this.#minima.push(this.#blockMin)
      if (this.#minima.length > blocks) this.#minima.shift()
    }
    // Before the room is known it is taken for a quiet one.
    const quietest = this.#minima.length < blocks ? Math.min(-55, ...this.#minima) : Math.min(...this.#minima)
    return Math.max(quietest + aboveFloorDb, this.#usualDb + aboveUsualDb, quietestDb)
  }
}
