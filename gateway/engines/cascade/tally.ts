// Usage as disjoint cumulative meters. What a provider never told is counted as not told, not as nothing.

import type { MeterKey, Meters } from '../engines.ts'

/** Tokens of one completion; cached ones are a part of `input`. */
export interface Tokens {
  readonly input: number
  readonly cached: number
  readonly output: number
}

/** The words of a stretch of speech. */
export interface Transcript {
  /** Empty: no words in it. */
  readonly text: string
  /** As the provider counts; missing where it does not. */
  readonly usage?:
    | { readonly is: 'tokens'; readonly input: number; readonly output: number }
    | { readonly is: 'seconds'; readonly seconds: number }
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

export class CascadeMeters {
  readonly #meters: Record<string, number> = {}

  /** Once for each completion, when nothing more of it will come. */
  completion(tally: Tally): void {
    const { tokens } = tally
    if (tokens !== undefined) {
      const cached = Math.min(tokens.cached, tokens.input)
      this.#add('input.text.tokens', tokens.input - cached)
      this.#add('input.cached.text.tokens', cached)
      this.#add('output.text.tokens', tokens.output)
    }
    if (tally.isUnreported) this.#add('unknown.usages', 1)
  }

  /** `seconds`: length of the audio that was sent, which counts where the provider does not. */
  transcription({ usage }: Transcript, seconds: number): void {
    if (usage?.is === 'tokens') {
      this.#add('transcription.input.tokens', usage.input)
      this.#add('transcription.output.tokens', usage.output)
    } else this.#add('transcription.seconds', usage?.seconds ?? seconds)
  }

  speech(characters: number): void {
    this.#add('speech.characters', characters)
  }

  get totals(): Meters {
    return { ...this.#meters }
  }

  #add(key: MeterKey, amount: number): void {
    if (amount > 0) this.#meters[key] = (this.#meters[key] ?? 0) + amount
  }
}
