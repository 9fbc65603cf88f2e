// Gathers the writes of many sessions into one command: a store command costs far more than one more document in it.

import type { Clock } from '../platform/clock.ts'
import { withDeadline } from '../platform/deadline.ts'

/** Half of what a person could notice in the console, far below what matters for durability. */
const gatherMs = 30
/** No answer by then counts as a failure; what the command still does later is harmless, versions are ordered. */
const commandMs = 5_000
/** At once: with the few that were given up but not yet by the driver they leave others most of its connections. */
const maxRunning = 2

export interface WriteQueueOptions<T, R> {
  readonly clock: Clock
  /** One command; an outcome per item, in order. */
  readonly write: (items: readonly T[]) => Promise<readonly R[]>
}

interface Waiting<T, R> {
  readonly items: readonly T[]
  readonly mayGo: () => boolean
  readonly done: PromiseWithResolvers<readonly R[] | undefined>
}

export class WriteQueue<T, R> {
  readonly #options: WriteQueueOptions<T, R>
  #waiting: Waiting<T, R>[] = []
  #scheduled = false
  #running = 0

  constructor(options: WriteQueueOptions<T, R>) {
    this.#options = options
  }

  /**
   * Outcomes in the order of `items`; rejects when the command failed, the caller may add them again. `mayGo` is asked
   * in the moment the command is sent: false sends nothing and gives undefined.
   */
  add(items: readonly T[], mayGo: () => boolean = () => true): Promise<readonly R[] | undefined> {
    const done = Promise.withResolvers<readonly R[] | undefined>()
    this.#waiting.push({ items, mayGo, done })
    this.#schedule()
    return done.promise
  }

  #schedule(): void {
    if (this.#scheduled || this.#running >= maxRunning || this.#waiting.length === 0) return
    this.#scheduled = true
    this.#options.clock.after(gatherMs, () => {
      this.#scheduled = false
      this.#send()
    })
  }

  #send(): void {
    const batch: Waiting<T, R>[] = []
    for (const each of this.#waiting) {
      if (each.mayGo()) batch.push(each)
      else each.done.resolve(undefined)
    }
    this.#waiting = []
    if (batch.length === 0) return
    this.#running++
    const fallback = (): never => {
      throw new Error(`the store did not answer within ${commandMs} ms`)
    }
    const command = this.#options.write(batch.flatMap((each) => each.items))
    const answer = withDeadline(command, { timeoutMs: commandMs, fallback, clock: this.#options.clock })
    answer.then(
      (outcomes) => {
        this.#free()
        let at = 0
        for (const { items, done } of batch) {
          done.resolve(outcomes.slice(at, at + items.length))
          at += items.length
        }
      },
      (error: unknown) => {
        this.#free()
        for (const { done } of batch) done.reject(error)
      },
    )
  }

  #free(): void {
    this.#running--
    this.#schedule()
  }
}
