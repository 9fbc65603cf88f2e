// The clock of a process that can be frozen: time passes without its timers, which all fire when it wakes up.

import type { Clock, Timer } from '../platform/clock.ts'

interface Due {
  atMs: number
  readonly everyMs: number | undefined
  readonly run: () => void
}

export class LeapClock implements Clock {
  readonly #startMs = Date.parse('2026-11-24T10:00:00.000Z')
  #ms = 0
  readonly #due = new Set<Due>()

  now(): number {
    return this.#startMs + this.#ms
  }
  monotonicMs(): number {
    return this.#ms
  }
  after(ms: number, run: () => void): Timer {
    return this.#add({ atMs: this.#ms + ms, everyMs: undefined, run })
  }
  every(ms: number, run: () => void): Timer {
    return this.#add({ atMs: this.#ms + ms, everyMs: ms, run })
  }

  #add(due: Due): Timer {
    this.#due.add(due)
    return { cancel: () => void this.#due.delete(due) }
  }

  /** Frozen for this long: nothing runs. */
  leap(ms: number): void {
    this.#ms += ms
  }

  /** Awake for this long: what is due runs, promises and real I/O get a moment between. */
  async run(ms: number): Promise<void> {
    const until = this.#ms + ms
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 2))
      const next = [...this.#due].filter((each) => each.atMs <= until).toSorted((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined) break
      this.#ms = Math.max(this.#ms, next.atMs)
      if (next.everyMs === undefined) this.#due.delete(next)
      else next.atMs = this.#ms + next.everyMs
      next.run()
    }
    this.#ms = until
  }
}
