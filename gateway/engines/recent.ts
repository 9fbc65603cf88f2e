// What is remembered of items and calls is bounded: a session of an hour has thousands, late frames concern the last few.

const kept = 256

/** A map that forgets its oldest entry beyond 256. */
export class Recent<V> {
  readonly #entries = new Map<string, V>()

  get(key: string): V | undefined {
    return this.#entries.get(key)
  }

  has(key: string): boolean {
    return this.#entries.has(key)
  }

  set(key: string, value: V): void {
    this.#entries.set(key, value)
    if (this.#entries.size <= kept) return
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest)
      return
    }
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  entries(): IterableIterator<[string, V]> {
    return this.#entries.entries()
  }
}
