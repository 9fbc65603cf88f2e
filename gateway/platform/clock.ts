// Time as a dependency: wall time for what people read, monotonic time for durations, timers for both.

export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Wall time, ms since epoch. */
  now(): number
  /** Monotonic ms: the only source of durations. */
  monotonicMs(): number
  after(ms: number, run: () => void): Timer
  every(ms: number, run: () => void): Timer
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
  every(ms, run) {
    const timer = setInterval(run, ms)
    timer.unref()
    return { cancel: () => clearInterval(timer) }
  },
}
