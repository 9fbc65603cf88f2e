// Gathers the writes of many sessions into one command: a store command costs far more than one more document in it.

interface Waiting<T> {
  readonly items: readonly T[]
  readonly done: PromiseWithResolvers<void>
}

/** Half of what a person could notice in the console, far below what matters for durability. */
const gatherMs = 30

export class WriteQueue<T> {
  readonly #write: (items: readonly T[]) => Promise<void>
  #waiting: Waiting<T>[] = []
  #scheduled = false

  constructor(write: (items: readonly T[]) => Promise<void>) {
    this.#write = write
  }

  /** Resolves when the items are durable, rejects when their command failed; the caller may add them again. */
  add(items: readonly T[]): Promise<void> {
    const done = Promise.withResolvers<void>()
    this.#waiting.push({ items, done })
    if (!this.#scheduled) {
      this.#scheduled = true
      setTimeout(() => this.#flush(), gatherMs)
    }
    return done.promise
  }

  #flush(): void {
    this.#scheduled = false
    const batch = this.#waiting
    this.#waiting = []
    this.#write(batch.flatMap((each) => each.items)).then(
      () => {
        for (const { done } of batch) done.resolve()
      },
      (error: unknown) => {
        for (const { done } of batch) done.reject(error)
      },
    )
  }
}
