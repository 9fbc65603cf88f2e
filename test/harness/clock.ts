// A clock that moves only when told.

import type { Clock, Timer } from '../../gateway/platform/clock.ts'

interface Due {
  atMs: number
  readonly everyMs: number | undefined
  readonly run: () => void
}

export class ManualClock implements Clock {
  #nowMs: number
  #monotonicMs = 0
  readonly #due = new Set<Due>()

  constructor(startIso = '2026-11-24T10:00:00.000Z') {
    this.#nowMs = Date.parse(startIso)
  }

  now(): number {
    return this.#nowMs
  }
  monotonicMs(): number {
    return this.#monotonicMs
  }
  after(ms: number, run: () => void): Timer {
    return this.#add({ atMs: this.#monotonicMs + ms, everyMs: undefined, run })
  }
  every(ms: number, run: () => void): Timer {
    return this.#add({ atMs: this.#monotonicMs + ms, everyMs: ms, run })
  }

  #add(due: Due): Timer {
    this.#due.add(due)
    return { cancel: () => void this.#due.delete(due) }
  }

  /** Runs what falls due, in order; lets promises settle between. */
  async advance(ms: number): Promise<void> {
    const until = this.#monotonicMs + ms
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      const next = [...this.#due].filter((each) => each.atMs <= until).toSorted((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined) break
      this.#step(Math.max(next.atMs, this.#monotonicMs))
      if (next.everyMs === undefined) this.#due.delete(next)
      else next.atMs += next.everyMs
      next.run()
    }
    this.#step(until)
    await new Promise((resolve) => setImmediate(resolve))
  }

  /** The wall clock jumps (NTP, a wrong time); durations do not notice. */
  jump(ms: number): void {
    this.#nowMs += ms
  }

  #step(toMs: number): void {
    this.#nowMs += toMs - this.#monotonicMs
    this.#monotonicMs = toMs
  }
}
