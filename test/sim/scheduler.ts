// Virtual time: everything that happens in a simulated world happens in one queue, in an order that the seed decides.

import type { Clock, Timer } from '../../gateway/platform/clock.ts'
import type { Random } from '../chaos/random.ts'

/** A process: what belongs to it stops with it, and waits while it is frozen. */
export class Life {
  alive = true
  frozenUntilMs = 0
  /** In sum, freezes that are not over included. */
  frozenMs = 0
}

interface Event {
  atMs: number
  /** Between events of one moment: by chance. */
  tie: number
  readonly order: number
  readonly life: Life | undefined
  /** Undefined: cancelled. */
  run: (() => void) | undefined
}

export class Scheduler {
  nowMs = 0
  /** Events run so far: the order in which things happened. */
  steps = 0
  #order = 0
  #thaws = 0
  readonly #heap: Event[] = []
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** Not run when `life` ended before; run at its thaw when it is frozen then. */
  at(atMs: number, run: () => void, life?: Life): Timer {
    const event: Event = { atMs: Math.max(atMs, this.nowMs), tie: this.#random.next(), order: this.#order++, life, run }
    this.#push(event)
    return {
      cancel: () => {
        event.run = undefined
      },
    }
  }

  in(ms: number, run: () => void, life?: Life): Timer {
    return this.at(this.nowMs + ms, run, life)
  }

  /**
   * Runs what falls due until `untilMs`; all promises settle between two events. Microtasks drain between ticks, so no turn
   * of the event loop is needed: nothing here may wait for real I/O or a real timer. Rejects with what an event throws.
   */
  run(untilMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const again = (): void => process.nextTick(step)
      const step = (): void => {
        const event = this.#next(untilMs)
        if (event === undefined) {
          this.nowMs = Math.max(this.nowMs, untilMs)
          resolve()
          return
        }
        try {
          event()
        } catch (error) {
          reject(error)
          return
        }
        queueMicrotask(again)
      }
      process.nextTick(step)
    })
  }

  /** Forgets everything that is still to come. */
  clear(): void {
    this.#heap.length = 0
  }

  #next(untilMs: number): (() => void) | undefined {
    for (;;) {
      const first = this.#heap[0]
      if (first === undefined || first.atMs > untilMs) return undefined
      this.#pop()
      const { run, life } = first
      if (run === undefined || life?.alive === false) continue
      if (life !== undefined && life.frozenUntilMs > first.atMs) {
        // Before all else of that moment, in the order in which it would have been.
        first.atMs = life.frozenUntilMs
        first.tie = this.#thaws++ * 1e-12 - 1
        this.#push(first)
        continue
      }
      this.nowMs = first.atMs
      this.steps++
      return run
    }
  }

  #push(event: Event): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(event)
    while (at > 0) {
      const up = (at - 1) >> 1
      const parent = heap[up]
      if (parent === undefined || !before(event, parent)) break
      heap[at] = parent
      at = up
    }
    heap[at] = event
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      const a = heap[left]
      if (a === undefined) break
      const b = heap[left + 1]
      const [child, index] = b !== undefined && before(b, a) ? [b, left + 1] : [a, left]
      if (!before(child, last)) break
      heap[at] = child
      at = index
    }
    heap[at] = last
  }
}

function before(a: Event, b: Event): boolean {
  if (a.atMs !== b.atMs) return a.atMs < b.atMs
  return a.tie === b.tie ? a.order < b.order : a.tie < b.tie
}

/** The clock of one process. Its wall time may be wrong and may jump; durations go on through a freeze. */
export class SimClock implements Clock {
  wallOffsetMs = 0
  readonly #scheduler: Scheduler
  readonly #life: Life
  readonly #epochMs: number
  readonly #bornMs: number

  constructor(scheduler: Scheduler, life: Life, epochMs: number) {
    this.#scheduler = scheduler
    this.#life = life
    this.#epochMs = epochMs
    this.#bornMs = scheduler.nowMs
  }

  now(): number {
    return this.#epochMs + Math.floor(this.#scheduler.nowMs) + this.wallOffsetMs
  }
  monotonicMs(): number {
    return this.#scheduler.nowMs - this.#bornMs
  }
  after(ms: number, run: () => void): Timer {
    return this.#scheduler.in(Math.max(1, ms), run, this.#life)
  }
  every(ms: number, run: () => void): Timer {
    let timer: Timer
    const next = (): void => {
      timer = this.#scheduler.in(ms, turn, this.#life)
    }
    // After a freeze one turn stands for all that were missed, as with setInterval.
    const turn = (): void => {
      next()
      run()
    }
    next()
    return { cancel: () => timer.cancel() }
  }
}
