// The person's words of one stretch of speech. They come when they come: the wire ties them to no turn.

import type { EngineEvent } from '../engines.ts'

export class Transcript {
  readonly #emit: (event: EngineEvent) => void
  #itemId: string | undefined
  #text = ''
  /** The speech goes on. */
  #open = false
  /** What is known of it was told as final. */
  #told = true

  constructor(emit: (event: EngineEvent) => void) {
    this.#emit = emit
  }

  begins(itemId: string): void {
    this.#final()
    this.#itemId = itemId
    this.#text = ''
    this.#open = true
    this.#told = false
  }

  ends(): void {
    this.#open = false
  }

  words({ text, finished }: { readonly text: string; readonly finished: boolean }): void {
    const itemId = this.#itemId
    if (itemId === undefined) return
    const delta = this.#text === '' ? text.trimStart() : text
    if (delta !== '') {
      this.#text += delta
      this.#told = false
      this.#emit({ type: 'userText', source: 'provider', itemId, delta })
    }
    // One `finished` may come for each sentence.
    if (finished && !this.#open) this.#final()
  }

  /** The model's turn after the speech is over: no words will come any more, or they come as a correction. */
  turnOver(answered: boolean): void {
    if (this.#open || this.#told) return
    if (this.#text !== '' || !answered) this.#final()
    else if (this.#itemId !== undefined) {
      // It was understood, so there were words.
      this.#told = true
      this.#emit({ type: 'userText', source: 'inferred', itemId: this.#itemId, failed: 'not_transcribed' })
    }
  }

  #final(): void {
    if (this.#told || this.#itemId === undefined) return
    this.#told = true
    this.#emit({ type: 'userText', source: 'inferred', itemId: this.#itemId, final: this.#text.trimEnd() })
  }
}
