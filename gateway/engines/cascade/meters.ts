// Usage as disjoint cumulative meters. What a provider never told is counted as not told, not as nothing.

import type { MeterKey, Meters } from '../engines.ts'
import type { Tally } from '../text/tally.ts'

/** Of a completion, what goes on the bill. */
export type Completion = Pick<Tally, 'tokens' | 'isUnreported'>

/** The words of a stretch of speech. */
export interface Transcript {
  /** Empty: no words in it. */
  readonly text: string
  /** As the provider counts; missing where it does not. */
  readonly usage?:
    | { readonly is: 'tokens'; readonly input: number; readonly output: number }
    | { readonly is: 'seconds'; readonly seconds: number }
}

export class CascadeMeters {
  readonly #meters: Record<string, number> = {}

  /** Once for each completion, when nothing more of it will come. */
  completion(tally: Completion): void {
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
