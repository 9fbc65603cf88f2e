// Which engines rest: their provider refused connections again and again, so new sessions begin with another one.

import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import { isFatal } from './steady/tries.ts'

/** A wrong key or model is known at once; a busy provider is given the tries of one session. */
const refusalsToRest = 3
const shortestMs = 10_000
const longestMs = 300_000

interface Record {
  refusals: number
  /** Rests since somebody was served. */
  rests: number
  untilMs: number
  code: string
}

/** Shared by all sessions of the process: one finds out, all know. When a rest is over, the next session tries again. */
export class Rests {
  readonly #clock: Clock
  readonly #log: Log
  readonly #records = new Map<string, Record>()

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  served(kind: string): void {
    if (this.#records.delete(kind)) this.#log.info({ engine: kind }, 'engine serves again')
  }

  refused(kind: string, code: string, retryAfterMs: number | null): void {
    const record = this.#records.get(kind) ?? { refusals: 0, rests: 0, untilMs: 0, code }
    this.#records.set(kind, record)
    record.refusals++
    record.code = code
    const nowMs = this.#clock.monotonicMs()
    // One of the many that were on their way when it began to rest.
    if (record.untilMs > nowMs || (record.refusals < refusalsToRest && !isFatal(code))) return
    const restMs = Math.min(longestMs, Math.max(shortestMs * 2 ** record.rests, retryAfterMs ?? 0))
    record.rests++
    record.untilMs = nowMs + restMs
    this.#log.warn({ engine: kind, code, restMs }, 'engine rests')
  }

  /** Why it should not be asked now; undefined when it may. */
  reason(kind: string): string | undefined {
    const record = this.#records.get(kind)
    if (record === undefined || record.untilMs <= this.#clock.monotonicMs()) return undefined
    return `refused (${record.code}), rests for ${Math.ceil((record.untilMs - this.#clock.monotonicMs()) / 1000)} s`
  }
}
