// A small seeded source of chance (mulberry32): the same seed gives the same requests.

export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  /** 0 ≤ n < 1 */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }

  under(n: number): number {
    return Math.floor(this.next() * n)
  }

  one<T>(all: readonly T[]): T | undefined {
    return all[this.under(all.length)]
  }
}
