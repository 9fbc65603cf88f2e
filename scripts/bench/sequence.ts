// Numbers that must arrive once each, in order, beginning with 0.

export interface Faults {
  readonly lost: number
  readonly doubled: number
  readonly reordered: number
}

export class Sequence {
  #next = 0
  readonly #missing = new Set<number>()
  #doubled = 0
  #reordered = 0

  take(n: number): void {
    if (n === this.#next) this.#next++
    else if (n > this.#next) {
      for (let i = this.#next; i < n; i++) this.#missing.add(i)
      this.#next = n + 1
    } else if (this.#missing.delete(n)) this.#reordered++
    else this.#doubled++
  }

  /** Given how many were sent. */
  faults(sent: number): Faults {
    const lost = this.#missing.size + Math.max(0, sent - this.#next)
    return { lost, doubled: this.#doubled, reordered: this.#reordered }
  }

  /** How many different numbers came. */
  get taken(): number {
    return this.#next - this.#missing.size
  }
}
