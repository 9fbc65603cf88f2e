// All keys of the embedded store, and their expiry: an expired key is never seen, and a sweep frees those nobody asks for.

export interface SortedSet {
  readonly scores: Map<string, number>
  /** Members by score then name; undefined after a write, rebuilt by the next ranged read. */
  order: readonly (readonly [member: string, score: number])[] | undefined
}

export type Value =
  | { readonly kind: 'string'; readonly data: string }
  | { readonly kind: 'hash'; readonly data: Map<string, string> }
  | { readonly kind: 'set'; readonly data: Set<string> }
  | { readonly kind: 'zset'; readonly data: SortedSet }
  | { readonly kind: 'list'; readonly data: string[] }

interface Slot {
  readonly value: Value
  /** Wall time, ms since epoch; undefined = never. */
  expiresAt: number | undefined
}

/** Ten steps a second of at most 2,000 keys: 20,000 expiries/s freed, each step well under a 20 ms audio frame. */
const sweepEveryMs = 100
const sweepLimit = 2_000

export class Keyspace {
  readonly now: () => number
  readonly #slots = new Map<string, Slot>()
  readonly #mortal = new Set<string>()
  #cursor: SetIterator<string> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(now: () => number) {
    this.now = now
  }

  /** Keys held, expired ones not yet swept included. */
  get size(): number {
    return this.#slots.size
  }

  get(key: string): Value | undefined {
    return this.#live(key)?.value
  }

  expiresAt(key: string): number | undefined {
    return this.#live(key)?.expiresAt
  }

  /** Replaces value and expiry both; an expiry already past stores nothing. */
  put(key: string, value: Value, expiresAt: number | undefined): void {
    this.remove(key)
    if (expiresAt !== undefined && expiresAt <= this.now()) return
    this.#slots.set(key, { value, expiresAt })
    if (expiresAt !== undefined) this.#watch(key)
  }

  /** False when there is no such key. An expiry already past removes the key. */
  expireAt(key: string, expiresAt: number | undefined): boolean {
    const slot = this.#live(key)
    if (slot === undefined) return false
    if (expiresAt !== undefined && expiresAt <= this.now()) return this.remove(key)
    slot.expiresAt = expiresAt
    if (expiresAt === undefined) this.#mortal.delete(key)
    else this.#watch(key)
    return true
  }

  remove(key: string): boolean {
    const lived = this.#live(key) !== undefined
    this.#drop(key)
    return lived
  }

  *keys(): Generator<string> {
    for (const key of this.#slots.keys()) if (this.#live(key) !== undefined) yield key
  }

  clear(): void {
    this.#slots.clear()
    this.#mortal.clear()
    this.close()
  }

  /** Looks at the next `limit` keys that can expire, going round; stops its timer when none is left. */
  sweep(limit: number = sweepLimit): void {
    const now = this.now()
    for (let left = Math.min(limit, this.#mortal.size); left > 0; left--) {
      this.#cursor ??= this.#mortal.values()
      const next = this.#cursor.next()
      if (next.done === true) {
        this.#cursor = undefined
        continue
      }
      const expiresAt = this.#slots.get(next.value)?.expiresAt
      if (expiresAt === undefined || expiresAt <= now) this.#drop(next.value)
    }
    if (this.#mortal.size === 0) this.close()
  }

  /** Stops the sweep; the next key with an expiry starts it again. */
  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#cursor = undefined
  }

  #live(key: string): Slot | undefined {
    const slot = this.#slots.get(key)
    if (slot?.expiresAt === undefined || slot.expiresAt > this.now()) return slot
    this.#drop(key)
    return undefined
  }

  #drop(key: string): void {
    this.#slots.delete(key)
    this.#mortal.delete(key)
  }

  #watch(key: string): void {
    this.#mortal.add(key)
    if (this.#timer !== undefined) return
    this.#timer = setInterval(() => this.sweep(), sweepEveryMs)
    this.#timer.unref()
  }
}
