// A clock that runs a number of times as fast as the real one.

import type { Clock, Timer } from '../../gateway/platform/clock.ts'

/** A tick that comes late counts as one: sockets have had their turn in between, however busy the machine is. */
const tickMs = 2

export class FastClock implements Clock {
  readonly #speed: number
  #nowMs = 0
  readonly #due = new Set<{ atMs: number; readonly everyMs: number | undefined; readonly run: () => void }>()
  readonly #ticker = setInterval(() => this.#tick(), tickMs)

  constructor(speed: number) {
    this.#speed = speed
  }

  now(): number {
    return Date.now()
  }
  monotonicMs(): number {
    return this.#nowMs
  }
  after(ms: number, run: () => void): Timer {
    return this.#add({ atMs: this.#nowMs + ms, everyMs: undefined, run })
  }
  every(ms: number, run: () => void): Timer {
    return this.#add({ atMs: this.#nowMs + ms, everyMs: ms, run })
  }
  stop(): void {
    clearInterval(this.#ticker)
  }

  #add(due: { atMs: number; readonly everyMs: number | undefined; readonly run: () => void }): Timer {
    this.#due.add(due)
    return { cancel: () => void this.#due.delete(due) }
  }

  #tick(): void {
    this.#nowMs += tickMs * this.#speed
    const ready = [...this.#due].filter(({ atMs }) => atMs <= this.#nowMs).toSorted((a, b) => a.atMs - b.atMs)
    for (const due of ready) {
      if (!this.#due.has(due)) continue
      if (due.everyMs === undefined) this.#due.delete(due)
      else due.atMs += due.everyMs
      due.run()
    }
  }
}
