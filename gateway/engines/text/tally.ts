// What a model's answer takes. What a provider never told is counted as not told, not as nothing.

/** Tokens of one completion; cached ones are a part of `input`. */
export interface Tokens {
  readonly input: number
  readonly cached: number
  readonly output: number
}

/** One completion on its way. Some providers tell its usage with every chunk, some twice, some never. */
export class Tally {
  #accepted = false
  #tokens: Tokens | undefined
  #whole = false

  /** The provider works, and charges. */
  accepted(): void {
    this.#accepted = true
  }

  /** Cumulative figures, in any order. */
  told({ input, cached, output }: Tokens): void {
    const before = this.#tokens ?? { input: 0, cached: 0, output: 0 }
    this.#tokens = {
      input: Math.max(before.input, input),
      cached: Math.max(before.cached, cached),
      output: Math.max(before.output, output),
    }
  }

  /** The stream came to its end: what was told is the whole. */
  ended(): void {
    this.#whole = true
  }

  get tokens(): Tokens | undefined {
    return this.#tokens
  }

  /** The provider charged for something it did not tell, or not to the end. */
  get isUnreported(): boolean {
    return this.#accepted && !(this.#whole && this.#tokens !== undefined)
  }
}
