// The control of a call whose sound goes elsewhere: a line that is opened again while the call lives. What is sent while it
// is away waits in the next one.

import type { Clock, Timer } from '../../platform/clock.ts'
import type { Address } from './address.ts'
import { type Gone, Line } from './line.ts'
import type { Refusal } from './refusal.ts'

/** A call is not to be found at once after it was made. */
const firstMs = 4_000
/** Nobody controls the call meanwhile, and nobody counts what it costs. */
const againMs = 10_000
const pausesMs = [0, 150, 300, 600, 1_200, 2_000] as const
/** Opened so often without a word over it: the call is not there, whatever the provider says. */
const mute = 5

export interface SidebandEnd {
  readonly code: string
  /** The provider knows no such call any more. Otherwise it may be going on without us. */
  readonly isCallOver: boolean
  /** It ended in order, not by a fault. */
  readonly isClean: boolean
}

export interface SidebandEvents {
  /** Open; what is sent waits for `release`. `again`: frames of the time before may be lost, both ways. */
  attached(again: boolean): void
  detached(code: string): void
  frame(frame: Buffer): void
  /** Once, and last. */
  over(end: SidebandEnd): void
}

export class Sideband {
  readonly #clock: Clock
  readonly #address: Address
  readonly #on: SidebandEvents
  #line: Line
  #timer: Timer | undefined
  /** Undefined before the first attachment. */
  #attachedBefore = false
  #isAttached = false
  #sinceMs = 0
  #tries = 0
  #silentTries = 0
  #lastClose = ''
  #isPaused = false
  #isClosing = false
  #isOver = false

  constructor(clock: Clock, address: Address, on: SidebandEvents) {
    this.#clock = clock
    this.#address = address
    this.#on = on
    this.#line = this.#newLine()
  }

  get bufferedBytes(): number {
    return this.#line.bufferedBytes
  }

  get isAttached(): boolean {
    return this.#isAttached
  }

  /** Throws TypeError when the address cannot be used at all. */
  open(): void {
    this.#sinceMs = this.#clock.monotonicMs()
    this.#line.open(this.#address)
  }

  #newLine(): Line {
    const line: Line = new Line(this.#clock, {
      opened: () => this.#opened(line),
      frame: (frame) => {
        if (line !== this.#line) return
        this.#silentTries = 0
        this.#on.frame(frame)
      },
      refused: (refusal) => this.#refused(line, refusal),
      gone: (gone) => this.#gone(line, gone),
    })
    return line
  }

  #opened(line: Line): void {
    if (line !== this.#line) return
    const again = this.#attachedBefore
    this.#attachedBefore = true
    this.#isAttached = true
    this.#tries = 0
    if (this.#isPaused) line.pause()
    this.#on.attached(again)
  }

  #refused(line: Line, { code, status }: Refusal): void {
    if (line !== this.#line || this.#isOver) return
    const isUnknown = status === 404 || status === 410
    if (isUnknown && this.#attachedBefore) this.#over(code, true)
    // Not to be found yet, or a provider in trouble; anything else is an answer.
    else if (isUnknown || status === 408 || status === 429 || status >= 500) this.#again(code)
    else this.#over(code, false)
  }

  #gone(line: Line, { code }: Gone): void {
    if (line !== this.#line || this.#isOver) return
    if (this.#isClosing) {
      this.#over('asked', true)
      return
    }
    if (this.#isAttached) {
      this.#isAttached = false
      this.#lastClose = code
      this.#sinceMs = this.#clock.monotonicMs()
      this.#silentTries++
      this.#on.detached(code)
    }
    if (!this.#isOver) this.#again(code)
  }

  #again(code: string): void {
    const forMs = this.#clock.monotonicMs() - this.#sinceMs
    const pauseMs = pausesMs[Math.min(this.#tries, pausesMs.length - 1)] ?? 0
    if (forMs + pauseMs > (this.#attachedBefore ? againMs : firstMs) || this.#silentTries > mute) {
      this.#over(code, false)
      return
    }
    this.#tries++
    const waiting = this.#line.take()
    this.#line.cut()
    this.#line = this.#newLine()
    for (const frame of waiting) this.#line.send(frame)
    const line = this.#line
    this.#timer = this.#clock.after(pauseMs, () => {
      if (line === this.#line && !this.#isOver) line.open(this.#address)
    })
  }

  send(frame: Buffer | string): boolean {
    return !this.#isOver && this.#line.send(frame)
  }

  release(first: readonly string[]): void {
    this.#line.release(first)
  }

  pause(): void {
    this.#isPaused = true
    this.#line.pause()
  }

  resume(): void {
    this.#isPaused = false
    this.#line.resume()
  }

  /** Politely, for at most a second; `over` follows. */
  close(): void {
    if (this.#isClosing || this.#isOver) return
    this.#isClosing = true
    this.#timer?.cancel()
    this.#line.close()
  }

  cut(): void {
    this.#isOver = true
    this.#timer?.cancel()
    this.#line.cut()
  }

  #over(code: string, isCallOver: boolean): void {
    if (this.#isOver) return
    this.cut()
    this.#on.over({ code, isCallOver, isClean: this.#isClosing || this.#lastClose === 'ws_1000' })
  }
}
