// The sound of one sentence, fetched ahead of its turn. A voice that fails is followed by the next one, which says what the
// first had not.

import type { Clock } from '../../platform/clock.ts'
import { wordEnd } from '../../platform/words.ts'
import { bytesPerMs } from '../../protocol/realtime.ts'
import { failureOf, PartFailure } from '../text/failure.ts'
import type { Health } from '../text/order.ts'
import { Patience, type Times } from '../text/patience.ts'
import type { Tts } from './part.ts'

export interface SynthesisNeeds {
  readonly clock: Clock
  readonly times: Times
  readonly health: Health
  /** In the operator's order. */
  readonly voices: readonly Tts[]
  readonly voice: string
  taken(characters: number): void
}

/** What a voice needs for a character: to find the word at which one broke off. */
const msPerChar = 65

export class Synthesis {
  readonly #needs: SynthesisNeeds
  readonly #signal: AbortSignal
  #sound: Buffer[] = []
  #ms = 0
  #isOver = false
  #failure: PartFailure | undefined
  #wake: (() => void) | undefined

  /** Starts at once. */
  constructor(needs: SynthesisNeeds, text: string, signal: AbortSignal) {
    this.#needs = needs
    this.#signal = signal
    void this.#fetch(text)
  }

  /** Of all sound that has come, milliseconds. */
  get ms(): number {
    return this.#ms
  }

  get isWhole(): boolean {
    return this.#isOver && this.#failure === undefined
  }

  /** Why it ended early; undefined as long as it has not. */
  get failure(): PartFailure | undefined {
    return this.#isOver ? this.#failure : undefined
  }

  /** The next stretch, not longer than this; undefined when no more will come. */
  async take(bytes: number): Promise<Buffer | undefined> {
    while (this.#sound.length === 0 && !this.#isOver) await new Promise<void>((resolve) => (this.#wake = resolve))
    const first = this.#sound.shift()
    if (first === undefined || first.length <= bytes) return first
    this.#sound.unshift(first.subarray(bytes))
    return first.subarray(0, bytes)
  }

  async #fetch(text: string): Promise<void> {
    const { health, voices } = this.#needs
    let rest = text
    this.#failure = new PartFailure('voice_unavailable')
    for (const { part: voice, isLast } of health.turns(voices, () => this.#failure)) {
      const beforeMs = this.#ms
      this.#failure = await this.#ask(voice, rest, isLast)
      if (this.#failure === undefined || this.#signal.aborted) break
      const heardMs = this.#ms - beforeMs
      if (heardMs > 0) rest = rest.slice(wordEnd(rest, Math.round(heardMs / msPerChar))).trim()
      if (rest !== '') continue
      this.#failure = undefined
      break
    }
    this.#isOver = true
    this.#stir()
  }

  async #ask(tts: Tts, text: string, isLast: boolean): Promise<PartFailure | undefined> {
    const { clock, times, health, voice, taken } = this.#needs
    const patience = new Patience(clock, this.#signal)
    patience.wait(isLast ? times.lastMs : times.firstMs)
    try {
      const on = { signal: patience.signal, taken: () => taken(text.length) }
      for await (const pcm of tts.say({ text, voice }, on)) {
        patience.wait(times.stallMs)
        this.#ms += pcm.length / bytesPerMs
        this.#sound.push(pcm)
        this.#stir()
      }
      health.worked(tts.name)
      return undefined
    } catch (thrown) {
      const failure = failureOf(thrown)
      if (!this.#signal.aborted) health.failed(tts.name, failure)
      return failure
    } finally {
      patience.rest()
    }
  }

  #stir(): void {
    this.#wake?.()
    this.#wake = undefined
  }
}
