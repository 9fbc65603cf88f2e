// Bounds on waiting: an answer by a deadline or a fallback, and a breaker that stops asking what is down.

import { type Clock, systemClock } from './clock.ts'

export interface Deadline<T> {
  readonly timeoutMs: number
  /** Called once, when time runs out first. What it throws rejects the result. */
  readonly fallback: () => T
  readonly clock?: Clock
}

/** The promise's outcome if it settles in time, the fallback otherwise. A rejection in time is passed on, a late one dropped. */
export function withDeadline<T>(promise: Promise<T>, deadline: Deadline<T>): Promise<T> {
  const { timeoutMs, fallback, clock = systemClock } = deadline
  return new Promise<T>((resolve, reject) => {
    const timer = clock.after(timeoutMs, () => {
      try {
        resolve(fallback())
      } catch (error) {
        reject(error)
      }
    })
    promise.then(resolve, reject).finally(() => timer.cancel())
  })
}

export type BreakerState = 'closed' | 'open' | 'half_open'

export interface BreakerOptions {
  readonly clock?: Clock
  /** The most one `run` may take, ms. */
  readonly deadlineMs?: number
  /** Failures in a row (late answers count) that open it. */
  readonly failures?: number
  /** How long it stays open before one call may try again, ms. */
  readonly restMs?: number
  readonly onChange?: (state: BreakerState) => void
}

export interface Breaker {
  readonly state: BreakerState
  /** Never rejects for the work's sake: an error, a late answer or an open breaker gives the fallback. */
  run<T>(work: () => Promise<T>, fallback: () => T): Promise<T>
}

/**
 * Defaults are for Redis on the way to answering a visitor: 50 ms is the most a call may lose to it, three lost calls
 * in a row mean it is down, and 2 s later one call in flight, never more, asks again.
 */
export function createBreaker(options: BreakerOptions = {}): Breaker {
  const { clock = systemClock, deadlineMs = 50, failures = 3, restMs = 2_000, onChange } = options
  let state: BreakerState = 'closed'
  let failed = 0
  let openedMs = 0

  const change = (next: BreakerState): void => {
    if (next === 'open') openedMs = clock.monotonicMs()
    if (next === state) return
    state = next
    onChange?.(next)
  }
  const settle = (succeeded: boolean, asked: BreakerState): void => {
    // An answer to a question asked before the breaker opened says nothing about now.
    if (asked !== state) return
    failed = succeeded ? 0 : failed + 1
    if (succeeded) change('closed')
    else if (asked === 'half_open' || failed >= failures) change('open')
  }

  return {
    get state() {
      return state
    },
    async run<T>(work: () => Promise<T>, fallback: () => T): Promise<T> {
      if (state === 'open' && clock.monotonicMs() - openedMs >= restMs) change('half_open')
      else if (state !== 'closed') return fallback()
      const asked = state
      const outcome = await withDeadline<{ value: T } | undefined>(attempt(work), {
        timeoutMs: deadlineMs,
        fallback: () => undefined,
        clock,
      })
      settle(outcome !== undefined, asked)
      return outcome === undefined ? fallback() : outcome.value
    },
  }
}

async function attempt<T>(work: () => Promise<T>): Promise<{ value: T } | undefined> {
  try {
    return { value: await work() }
  } catch {
    return undefined
  }
}
