// The way of one process to the store: each call is sent, applied and answered as three events, each of which may fail,
// be late or be overtaken. A process that has died hears nothing, but what it sent may still happen.

import { MongoNetworkError, MongoNetworkTimeoutError, MongoServerError } from 'mongodb'
import type { Random } from '../chaos/random.ts'
import { drawFate, type FaultRates, ordinaryMs } from './faults.ts'
import type { Life, Scheduler } from './scheduler.ts'
import { type SimStore, Unsupported } from './sim-store.ts'

/** What all processes share. */
export interface StoreSide {
  readonly store: SimStore
  readonly scheduler: Scheduler
  readonly random: Random
  rates: FaultRates
  /** The store takes nothing before this; what reaches it waits in its sockets. */
  downUntilMs: number
  note(line: string): void
  /** A defect of the simulation itself, or of what it simulates: ends the run. */
  fail(error: Error): void
}

/** The driver's socketTimeoutMS. */
const socketTimeoutMs = 20_000

export class Link {
  readonly name: string
  /** Longer waits of this process so far, ms: sessions may have lost so much more. */
  troubleMs = 0
  readonly #side: StoreSide
  readonly #life: Life

  constructor(name: string, side: StoreSide, life: Life) {
    this.name = name
    this.#side = side
    this.#life = life
  }

  get store(): SimStore {
    return this.#side.store
  }

  unsupported(what: string): never {
    const error = new Unsupported(what)
    this.#side.fail(error)
    throw error
  }

  call<T>(what: string, apply: () => T): Promise<T> {
    const { scheduler, random, rates } = this.#side
    const fate = drawFate(random, rates)
    const diesWithSender = random.next() < 0.5
    this.troubleMs += Math.max(0, fate.thereMs + fate.backMs - ordinaryMs)
    return new Promise<T>((resolve, reject) => {
      let waiting = true
      const answer = (ms: number, tell: () => void): void => {
        scheduler.in(
          ms,
          () => {
            if (waiting) tell()
            waiting = false
          },
          this.#life,
        )
      }
      const timeoutAtMs = scheduler.nowMs + socketTimeoutMs
      let timed = false
      /** The timer of an answer that comes before it would never be heard: there is none. */
      const expect = (atMs: number): void => {
        if (timed || atMs < timeoutAtMs) return
        timed = true
        answer(timeoutAtMs - scheduler.nowMs, () => reject(new MongoNetworkTimeoutError('connection timed out')))
      }
      const fail = (error: Error): void => {
        this.#side.note(`${this.name} ${what} ${error.name}`)
        answer(fate.backMs, () => reject(error))
      }
      const arrive = (): void => {
        if (!this.#life.alive && diesWithSender) return
        if (fate.there === 'refused') {
          fail(new MongoNetworkError('connection refused'))
          return
        }
        if (scheduler.nowMs < this.#side.downUntilMs) {
          this.troubleMs += this.#side.downUntilMs - scheduler.nowMs
          expect(this.#side.downUntilMs + fate.backMs)
          scheduler.at(this.#side.downUntilMs, arrive)
          return
        }
        if (fate.there === 'stepDown') {
          fail(notPrimary())
          return
        }
        let result: T
        try {
          result = apply()
        } catch (error) {
          if (!(error instanceof MongoServerError)) this.#side.fail(toError(error))
          fail(toError(error))
          return
        }
        if (fate.back === 'lost') {
          fail(new MongoNetworkError('connection closed'))
          return
        }
        this.#side.note(`${this.name} ${what}`)
        answer(fate.backMs, () => resolve(result))
      }
      expect(scheduler.nowMs + fate.thereMs + fate.backMs)
      scheduler.in(fate.thereMs, arrive)
    })
  }
}

function notPrimary(): MongoServerError {
  return new MongoServerError({
    message: 'not primary',
    code: 10107,
    codeName: 'NotWritablePrimary',
    errorLabels: ['RetryableWriteError'],
  })
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
