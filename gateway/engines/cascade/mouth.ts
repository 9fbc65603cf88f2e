// Speaks an answer while it is being written: one sentence sounds, the next one is being made, words go with their sound.

import type { Clock } from '../../platform/clock.ts'
import { bytesPerMs } from '../../protocol/realtime.ts'
import { type Gate, Pacer, type Pacing } from '../pace.ts'
import { alignWords } from '../sentences.ts'
import type { Health } from '../text/order.ts'
import type { Times } from '../text/patience.ts'
import type { Tts } from './part.ts'
import { speakable } from './sentence-stream.ts'
import { Synthesis } from './synthesis.ts'

/** Three seconds at once, so that a network has time; never more than 8 s that would be made and paid for in vain. */
const pacing: Pacing = { headStartMs: 3_000, speed: 1.5, aheadMs: 8_000 }
const chunkBytes = 100 * bytesPerMs
/** Before a voice is known: some 15 characters a second. */
const usualMsPerChar = 65

export interface MouthNeeds {
  readonly clock: Clock
  readonly gate: Gate
  readonly times: Times
  readonly health: Health
  readonly voices: readonly Tts[]
  readonly voice: string
  /** The provider has taken this many characters. */
  taken(characters: number): void
}

export interface MouthEvents {
  audio(pcm: Buffer): void
  words(delta: string): void
}

interface Piece {
  /** With the space before it, so that the pieces joined are the answer. */
  readonly text: string
  readonly sound: Synthesis | undefined
}

export class Mouth {
  readonly #needs: MouthNeeds
  readonly #on: MouthEvents
  readonly #signal: AbortSignal
  readonly #pacer: Pacer
  readonly #waiting: string[] = []
  #ahead: Piece | undefined
  #wake: (() => void) | undefined
  #isOver = false
  #isFirst = true
  #characters = 0
  #ms = 0

  /** After `signal` aborts nothing more is said. */
  constructor(needs: MouthNeeds, on: MouthEvents, signal: AbortSignal) {
    this.#needs = needs
    this.#on = on
    this.#signal = signal
    this.#pacer = new Pacer(needs.clock, needs.gate, pacing)
    signal.addEventListener('abort', () => this.#stir(), { once: true })
  }

  say(sentence: string): void {
    this.#waiting.push(sentence)
    // The one after the one that sounds is made at once, the others wait: a cut must not cost a whole answer.
    this.#prepare()
    this.#stir()
  }

  /** No more sentences will come. */
  end(): void {
    this.#isOver = true
    this.#stir()
  }

  /** Resolves when all is said, or the signal aborts. Rejects with PartFailure when no voice can go on. */
  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      this.#prepare()
      const piece = this.#ahead
      this.#ahead = undefined
      if (piece !== undefined) {
        this.#prepare()
        await this.#speak(piece)
      } else if (this.#isOver) return
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  #stir(): void {
    this.#wake?.()
    this.#wake = undefined
  }

  #prepare(): void {
    if (this.#ahead !== undefined || this.#signal.aborted) return
    const sentence = this.#waiting.shift()
    if (sentence === undefined) return
    const words = speakable(sentence)
    const text = this.#isFirst ? sentence : ` ${sentence}`
    this.#isFirst = false
    this.#ahead = { text, sound: words === '' ? undefined : new Synthesis(this.#needs, words, this.#signal) }
  }

  async #speak({ text, sound }: Piece): Promise<void> {
    let said = 0
    let sentMs = 0
    /** How long it takes is known when all of it has come; before, as long as such a text took so far. */
    const sayUpTo = (endMs: number) => {
      const toMs = sound?.isWhole === true ? sound.ms : Math.max(sound?.ms ?? 0, text.length * this.#msPerChar)
      const words = alignWords(text, { fromMs: 0, toMs })
      for (; said < words.length && (words[said]?.atMs ?? 0) < endMs; said++) this.#on.words(words[said]?.text ?? '')
    }
    for (let pcm = await sound?.take(chunkBytes); pcm !== undefined; pcm = await sound?.take(chunkBytes)) {
      const ms = pcm.length / bytesPerMs
      await this.#pacer.turn(ms, this.#signal)
      if (this.#signal.aborted) return
      sentMs += ms
      sayUpTo(sentMs)
      this.#on.audio(pcm)
    }
    if (this.#signal.aborted) return
    if (sound?.failure !== undefined) throw sound.failure
    sayUpTo(Number.POSITIVE_INFINITY)
    this.#characters += sound === undefined ? 0 : text.length
    this.#ms += sentMs
  }

  get #msPerChar(): number {
    return this.#characters === 0 ? usualMsPerChar : this.#ms / this.#characters
  }
}
