// The parts of one kind in the order they are asked: as listed, those that failed lately last.

import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import { isFatal } from '../steady/tries.ts'
import type { PartFailure } from './failure.ts'

/** A wrong key or model stays wrong for a while; a busy server may be well in a moment. */
const fatalMs = 60_000
const passingMs = 5_000
const longestMs = 120_000

/** Of a server that is alone: worth another request at once. Who is busy or does not answer is asked again by `steady`. */
const glitches = new Set(['connection_lost', 'malformed', 'no_audio', 'server_error'])

/** One part to ask, and whether another one follows whatever happens. */
export interface Turn<T> {
  readonly part: T
  readonly isLast: boolean
}

/** Shared by all sessions of the process: one finds out, all know. */
export class Health {
  readonly #clock: Clock
  readonly #log: Log
  readonly #restsUntilMs = new Map<string, number>()

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  worked(name: string): void {
    this.#restsUntilMs.delete(name)
  }

  failed(name: string, { code, retryAfterMs }: PartFailure): void {
    this.#log.warn({ part: name, code }, 'part of the cascade failed')
    const ms = Math.min(longestMs, Math.max(retryAfterMs ?? 0, isFatal(code) ? fatalMs : passingMs))
    this.#restsUntilMs.set(name, this.#clock.monotonicMs() + ms)
  }

  /** All of them: one that rests is better than none. */
  inOrder<T extends { readonly name: string }>(parts: readonly T[]): readonly T[] {
    const nowMs = this.#clock.monotonicMs()
    const rests = ({ name }: T) => (this.#restsUntilMs.get(name) ?? 0) > nowMs
    return [...parts.filter((part) => !rests(part)), ...parts.filter(rests)]
  }

  /** Whom to ask, one after the other: `failed` says whether the last one did, and why. A lone part is asked twice. */
  *turns<T extends { readonly name: string }>(
    parts: readonly T[],
    failed: () => PartFailure | undefined,
  ): Generator<Turn<T>> {
    const order = this.inOrder(parts)
    for (const [i, part] of order.entries()) yield { part, isLast: i === order.length - 1 }
    const [lone] = order
    if (lone !== undefined && order.length === 1 && glitches.has(failed()?.code ?? ''))
      yield { part: lone, isLast: true }
  }
}
