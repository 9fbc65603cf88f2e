// One tenant's way to one server: its connection, and the few calls that may be on it at once.

import type { Clock } from '../../platform/clock.ts'
import { Problem } from '../../platform/problem.ts'
import { type Connection, connect } from './connection.ts'
import type { Place } from './place.ts'

export interface Lane {
  readonly waiting: number
  readonly running: number
  readonly usedAtMs: number
  /** A place among the calls; given back once. `too_many`, `timeout`. */
  enter(signal: AbortSignal): Promise<() => void>
  /** The open connection, or a new one. `unavailable` while the server is left alone. */
  connection(): Promise<Connection>
  /** The server answered: it is well. */
  answered(): void
  close(): Promise<void>
}

export interface LaneDeps {
  readonly place: Place
  readonly clock: Clock
  readonly onFailed: (error: unknown, pauseMs: number) => void
}

/** And as many again that wait for them. */
const atOnce = 4
const maxWaiting = 4
const firstPauseMs = 1_000
const maxPauseMs = 60_000

class CallLane implements Lane {
  readonly #deps: LaneDeps
  readonly #turns = new Set<() => void>()
  #running = 0
  #usedAtMs: number
  #open: Connection | undefined
  #opening: Promise<Connection> | undefined
  #failures = 0
  #downUntilMs = 0
  #isClosed = false

  constructor(deps: LaneDeps) {
    this.#deps = deps
    this.#usedAtMs = deps.clock.monotonicMs()
  }

  get waiting(): number {
    return this.#turns.size
  }

  get running(): number {
    return this.#running
  }

  get usedAtMs(): number {
    return this.#usedAtMs
  }

  async enter(signal: AbortSignal): Promise<() => void> {
    if (this.#turns.size >= maxWaiting)
      throw new Problem('too_many', 'Too many calls to this server are under way.', { retryAfterMs: 1_000 })
    // Whoever leaves gives the place to whoever has waited longest.
    if (this.#running >= atOnce) await this.#turn(signal)
    else this.#running++
    return () => this.#leave()
  }

  #leave(): void {
    this.#usedAtMs = this.#deps.clock.monotonicMs()
    const [next] = this.#turns
    if (next === undefined) this.#running--
    else next()
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        this.#turns.delete(turn)
        signal.removeEventListener('abort', give)
        resolve()
      }
      const give = (): void => {
        this.#turns.delete(turn)
        reject(new Problem('timeout', 'The server did not answer in time.'))
      }
      this.#turns.add(turn)
      signal.addEventListener('abort', give, { once: true })
    })
  }

  /** No wait before the new one stands in `#opening`: two calls never open two. */
  connection(): Promise<Connection> {
    if (this.#open?.isOver === false) return Promise.resolve(this.#open)
    if (this.#opening !== undefined) return this.#opening
    if (this.#open !== undefined) this.#lost()
    const waitMs = this.#downUntilMs - this.#deps.clock.monotonicMs()
    if (waitMs > 0)
      return Promise.reject(new Problem('unavailable', 'The server is down.', { retryAfterMs: Math.ceil(waitMs) }))
    this.#opening = this.#connect().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  async #connect(): Promise<Connection> {
    try {
      const opened = await connect(this.#deps.place)
      if (this.#isClosed) {
        await opened.end()
        throw new Problem('unavailable', 'The server is not used any more.')
      }
      this.#open = opened
      return opened
    } catch (error) {
      this.#deps.onFailed(error, this.#pause(++this.#failures))
      throw error
    }
  }

  /** It ended by itself: the first time a new one is opened at once. */
  #lost(): void {
    this.#open = undefined
    if (++this.#failures > 1) this.#pause(this.#failures - 1)
  }

  #pause(failures: number): number {
    const pauseMs = Math.min(maxPauseMs, firstPauseMs * 2 ** (failures - 1))
    this.#downUntilMs = this.#deps.clock.monotonicMs() + pauseMs
    return pauseMs
  }

  answered(): void {
    this.#failures = 0
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#opening?.catch(() => undefined)
    await this.#open?.end()
  }
}

export const createLane = (deps: LaneDeps): Lane => new CallLane(deps)
