// A player of ours: takes an engine's audio item by item, as fast as it comes, and hands it to a sink at real time.
// What is ahead of the sink is kept here, where a barge-in can void it.

import type { Clock, Timer } from '../../platform/clock.ts'
import { samplesOf } from '../../platform/resample.ts'
import { frameMs, type Sink, samplesPerMs } from './sink.ts'
import { Spoken } from './spoken.ts'

const tickMs = 20
/** So that a late timer is not heard. */
const leadMs = 40
/** After the process stood still this much is caught up at once; the rest is played later than it would have been. */
const catchUpMs = 100
const reportMs = 100
const frameSamples = frameMs * samplesPerMs

/**
 * Providers make a whole answer at once, and one that is not read cannot tell that the person cut in: it is stopped only
 * for an answer of two minutes (5.8 MB). What comes beyond the last limit comes from an engine that does not stop.
 */
const slowMs = 120_000
const readyMs = 100_000
const mostMs = 240_000

export interface MouthEvents {
  /** As `LegPort.played`. */
  played(itemId: string, ms: number, final: boolean): void
  /** The first sound of an answer goes out. */
  started(responseId: string): void
  /** The answer is complete and was heard to its end. */
  stopped(responseId: string): void
  /** What was left of the answer is void. */
  cleared(responseId: string): void
  slow(slow: boolean): void
  /** The engine did not stop although it was asked to: its audio was not taken. */
  overflow(): void
}

interface Stretch {
  readonly itemId: string
  readonly samples: Int16Array<ArrayBuffer>
  at: number
}

export class Mouth {
  readonly #clock: Clock
  readonly #sink: Sink
  readonly #on: MouthEvents
  readonly #spoken = new Spoken()
  #queue: Stretch[] = []
  #queued = 0
  /** Answers that began to be heard and are neither stopped nor cleared. */
  readonly #begun = new Set<string>()
  /** Answers of which nothing more comes, until they are heard to their end. */
  readonly #done = new Set<string>()
  #timer: Timer | undefined
  #anchorMs = 0
  #frames = 0
  #lastReportMs = 0
  #isSlow = false
  #held = false
  #closed = false

  constructor(clock: Clock, sink: Sink, on: MouthEvents) {
    this.#clock = clock
    this.#sink = sink
    this.#on = on
    if (sink.continuous) this.#run()
  }

  /** Waiting here, ms. */
  get queuedMs(): number {
    return this.#queued / samplesPerMs
  }

  /** PCM16 24 kHz of an item; items are played in the order in which they came. */
  push(audio: { readonly itemId: string; readonly responseId: string; readonly pcm: Uint8Array }): void {
    if (this.#closed) return
    if (this.queuedMs > mostMs) {
      this.#on.overflow()
      return
    }
    const samples = samplesOf(audio.pcm)
    this.#spoken.received(audio.itemId, audio.responseId, samples.length)
    this.#queue.push({ itemId: audio.itemId, samples, at: 0 })
    this.#queued += samples.length
    if (this.queuedMs > slowMs && !this.#isSlow) this.#tellSlow(true)
    if (this.#timer === undefined) this.#run()
  }

  /** No more audio comes for this item. */
  complete(itemId: string): void {
    this.#spoken.complete(itemId)
  }

  /** No more comes for this answer. */
  responseDone(responseId: string): void {
    this.#spoken.completeAll(responseId)
    this.#done.add(responseId)
    this.#settle()
  }

  /** Silence from here on, nothing being void, until told to go on; a flush ends it too. */
  hold(on: boolean): void {
    this.#held = on
  }

  /** The person cut in: what was not heard of the item will not be. */
  flush(itemId: string): void {
    this.#held = false
    const responseId = this.#spoken.responseOf(itemId)
    if (responseId === undefined) return
    this.#queue = this.#queue.filter((stretch) => stretch.itemId !== itemId)
    this.#queued = this.#queue.reduce((sum, { samples, at }) => sum + samples.length - at, 0)
    const unplayed = Math.round((this.#sink.clear?.() ?? 0) * samplesPerMs)
    const last = this.#spoken.cut(itemId, this.#clock.monotonicMs(), { delayMs: this.#delayMs, unplayed })
    this.#relieve()
    if (last !== undefined) this.#on.played(last.itemId, last.ms, true)
    if (!this.#spoken.plays(responseId) && this.#begun.delete(responseId)) this.#on.cleared(responseId)
  }

  /** The connection is gone: tells how far everything was heard. */
  close(): void {
    if (this.#closed) return
    this.#report()
    this.#closed = true
    this.#timer?.cancel()
    this.#queue = []
    this.#queued = 0
    this.#relieve()
  }

  get #delayMs(): number {
    return this.#sink.delayMs + this.#leadMs
  }

  get #leadMs(): number {
    return this.#sink.leadMs ?? leadMs
  }

  #run(): void {
    this.#anchorMs = this.#clock.monotonicMs() - this.#leadMs
    this.#frames = 0
    this.#timer = this.#clock.every(tickMs, () => this.#tick())
    this.#tick()
  }

  #tick(): void {
    const nowMs = this.#clock.monotonicMs()
    const due = Math.floor((nowMs - this.#anchorMs) / frameMs) - this.#frames
    const most = (catchUpMs + tickMs) / frameMs
    if (due > most) this.#anchorMs += (due - most) * frameMs
    for (let i = Math.min(due, most); i > 0; i--) this.#frame(nowMs)
    if (nowMs - this.#lastReportMs >= reportMs) this.#report()
    if (this.#queue.length === 0 && this.#begun.size === 0 && !this.#sink.continuous) {
      this.#timer?.cancel()
      this.#timer = undefined
    }
  }

  #frame(nowMs: number): void {
    this.#frames++
    const frame = this.#next(nowMs)
    if (frame !== undefined) this.#sink.play(frame)
    else if (this.#sink.continuous) this.#sink.play(new Int16Array(frameSamples))
  }

  /** Undefined: nothing to say now. The rest of an item that is shorter than a frame waits for what may follow it. */
  #next(nowMs: number): Int16Array<ArrayBuffer> | undefined {
    const [first] = this.#queue
    if (first === undefined || this.#held) return undefined
    if (this.#queued < frameSamples && !this.#spoken.isComplete(first.itemId)) return undefined
    const frame = new Int16Array(frameSamples)
    let filled = 0
    while (filled < frameSamples) {
      const stretch = this.#queue[0]
      if (stretch === undefined) break
      const taken = stretch.samples.subarray(stretch.at, stretch.at + frameSamples - filled)
      frame.set(taken, filled)
      filled += taken.length
      stretch.at += taken.length
      if (stretch.at >= stretch.samples.length) this.#queue.shift()
      this.#sent(stretch.itemId, taken.length, nowMs)
    }
    this.#relieve()
    return frame
  }

  #sent(itemId: string, samples: number, nowMs: number): void {
    this.#queued -= samples
    this.#spoken.sent(itemId, samples, nowMs)
    const responseId = this.#spoken.responseOf(itemId)
    if (responseId === undefined || this.#begun.has(responseId)) return
    this.#begun.add(responseId)
    this.#on.started(responseId)
  }

  #report(): void {
    const nowMs = this.#clock.monotonicMs()
    this.#lastReportMs = nowMs
    for (const { itemId, ms, final } of this.#spoken.reports(nowMs, this.#delayMs)) this.#on.played(itemId, ms, final)
    this.#settle()
  }

  /** Answers that are complete and heard are over. */
  #settle(): void {
    for (const responseId of this.#done) {
      if (this.#spoken.plays(responseId)) continue
      this.#done.delete(responseId)
      if (this.#begun.delete(responseId)) this.#on.stopped(responseId)
    }
  }

  #relieve(): void {
    if (this.#isSlow && this.queuedMs < readyMs) this.#tellSlow(false)
  }

  #tellSlow(slow: boolean): void {
    this.#isSlow = slow
    this.#on.slow(slow)
  }
}
