// What the person says, until somebody has its words.

import type { EngineEvent } from '../engines.ts'
import { Recent } from '../recent.ts'
import { KeptAudio } from './kept-audio.ts'

type Event<T extends EngineEvent['type']> = Extract<EngineEvent, { type: T }>

export class Speech {
  readonly audio = new KeptAudio()
  /** The turn ended while nobody was there to hear it. */
  commitDue = false
  #speaking = false
  /** Speech without words yet, by item. */
  readonly #wordless = new Set<string>()
  /** Given to a replacement, which has not noticed it yet. */
  #replayed = false
  /** Where the session says what is meant: speech that is over, or meant, and waits for the other. */
  readonly #half = new Recent<'over' | 'meant'>()
  readonly isTold: boolean
  /** Turns end when somebody says so: all audio until then belongs to one. */
  #manual: boolean

  constructor(manual: boolean, interruptions?: 'told') {
    this.#manual = manual
    this.isTold = interruptions === 'told'
    // Until the first engine is there.
    this.audio.holds = true
  }

  /** True when an answer is due: it is over, and it is meant. */
  isDue(itemId: string, now: 'over' | 'meant'): boolean {
    if (!this.isTold) return now === 'over'
    const before = this.#half.get(itemId)
    this.#half.set(itemId, now)
    return before !== undefined && before !== now
  }

  get speaking(): boolean {
    return this.#speaking
  }

  get wordless(): boolean {
    return this.#wordless.size > 0
  }

  set manual(manual: boolean) {
    this.#manual = manual
    this.#hold()
  }

  event({ phase, itemId }: Event<'userSpeech'>): void {
    this.#speaking = phase === 'start'
    if (this.#speaking) this.#wordless.add(itemId)
    else this.audio.mark()
    this.#hold()
  }

  item({ itemId, spoken }: Event<'userItem'>): void {
    if (spoken) this.#wordless.add(itemId)
    this.#hold()
  }

  words(itemId: string): void {
    this.#wordless.delete(itemId)
    if (this.#wordless.size === 0) this.#settle()
  }

  /** Whatever it was, it was answered; not every provider tells the words. */
  answered(): void {
    if (this.#speaking) return
    this.#wordless.clear()
    this.#settle()
  }

  #settle(): void {
    this.#replayed = false
    this.audio.settle()
    this.#hold()
  }

  /** The engine that heard it is gone: the items nobody will give the words of. */
  lost(replay: boolean): readonly string[] {
    const items = [...this.#wordless]
    this.#wordless.clear()
    this.#speaking = false
    this.#replayed = replay
    if (!replay) this.audio.settle()
    this.audio.holds = true
    return items
  }

  /** An engine is there that hears on. */
  found(): void {
    this.#hold()
  }

  #hold(): void {
    this.audio.holds = this.#manual || this.#speaking || this.#replayed || this.#wordless.size > 0
  }
}
