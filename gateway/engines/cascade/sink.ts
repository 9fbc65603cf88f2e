// Where a model's text goes: to the mouth in sentences, or to the reader as it comes.

import type { Gate } from '../pace.ts'
import type { Item } from './item.ts'
import type { Mouth } from './mouth.ts'
import { SentenceStream } from './sentence-stream.ts'

export interface Sink {
  /** Said before, by this engine or another: a model that says it again is not believed. */
  already(after: string): void
  text(delta: string): Promise<void>
  /** One that needs no waiting for its end. */
  sentence(sentence: string): Promise<void>
  /** The text is complete. */
  whole(): Promise<void>
  /** The model broke off: what it had not finished is asked for again. */
  broken(): void
  /** What was passed on. */
  readonly given: string
}

export class SpokenSink implements Sink {
  readonly #mouth: Mouth
  #stream = new SentenceStream()
  #given = ''
  #after = ''

  constructor(mouth: Mouth) {
    this.#mouth = mouth
  }

  get given(): string {
    return this.#given
  }

  already(after: string): void {
    this.#after = after
  }

  async text(delta: string): Promise<void> {
    for (const sentence of this.#stream.push(delta)) await this.sentence(sentence)
  }

  async sentence(sentence: string): Promise<void> {
    if (this.#after !== '' && isIn(sentence, `${this.#after} ${this.#given}`)) return
    this.#given = this.#given === '' ? sentence : `${this.#given} ${sentence}`
    this.#mouth.say(sentence)
  }

  async whole(): Promise<void> {
    for (const sentence of this.#stream.end()) await this.sentence(sentence)
  }

  broken(): void {
    this.#stream = new SentenceStream()
    this.#after ||= this.#given
  }
}

export class WrittenSink implements Sink {
  readonly #item: Item
  readonly #gate: Gate
  readonly #signal: AbortSignal
  #given = ''
  /** What comes next begins anew: after a break, or as the rest of an answer. */
  #isFresh = true

  constructor(item: Item, gate: Gate, signal: AbortSignal) {
    this.#item = item
    this.#gate = gate
    this.#signal = signal
  }

  get given(): string {
    return this.#given
  }

  already(): void {}

  async text(delta: string): Promise<void> {
    await this.#gate.passed(this.#signal)
    if (this.#signal.aborted) return
    const text = this.#isFresh ? delta.trimStart() : delta
    if (text === '') return
    const joined = this.#isFresh && this.#given !== '' && !/\s$/.test(this.#given) ? ` ${text}` : text
    this.#isFresh = false
    this.#given += joined
    this.#item.words(joined)
  }

  async sentence(sentence: string): Promise<void> {
    this.#isFresh = true
    await this.text(sentence)
  }

  async whole(): Promise<void> {}

  broken(): void {
    this.#isFresh = true
  }
}

/** Three words in a row are no chance. */
const fewestWords = 3

function isIn(sentence: string, said: string): boolean {
  const words = wordsIn(sentence)
  return words.length >= fewestWords && ` ${wordsIn(said).join(' ')} `.includes(` ${words.join(' ')} `)
}

function wordsIn(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
}
