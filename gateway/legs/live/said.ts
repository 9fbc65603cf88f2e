// What the agent says, as transcript: words are told when their sound is played, those of a cut answer as far as it was.

import type { LiveEvent } from './live-error.ts'

export interface SaidNeeds {
  readonly nowMs: () => number
  readonly tell: (event: LiveEvent) => void
  /** The words that are answered are not known yet: whoever shows both wants them first. */
  readonly waits: () => boolean
}

interface Item {
  readonly words: { readonly text: string; readonly atMs: number }[]
  /** Of its sound. */
  receivedMs: number
  text: string
  /** When its sound began, in the session's time. */
  beganMs: number | undefined
  isCut: boolean
  isPlayed: boolean
  isDone: boolean
}

export class Said {
  readonly #needs: SaidNeeds
  readonly #items = new Map<string, Item>()
  #waiting: LiveEvent[] = []
  /** What is told is in order. */
  #lastStartMs = 0

  constructor(needs: SaidNeeds) {
    this.#needs = needs
  }

  sound(itemId: string, ms: number): void {
    this.#item(itemId).receivedMs += ms
  }

  /** Words that come as text only are told at once. */
  words(itemId: string, text: string, spoken: boolean): void {
    const item = this.#item(itemId)
    if (text === '' || item.isCut) return
    item.text += text
    if (spoken && !item.isPlayed) item.words.push({ text, atMs: item.receivedMs })
    else this.#tell(text, this.#needs.nowMs(), this.#needs.nowMs())
  }

  /** Repeats what came before, or is all there is. */
  whole(itemId: string, text: string, spoken: boolean): void {
    const { text: before } = this.#item(itemId)
    if (text.startsWith(before)) this.words(itemId, text.slice(before.length), spoken)
  }

  /** What is not played by now will not be. */
  cut(itemId: string): void {
    const item = this.#items.get(itemId)
    if (item !== undefined) item.isCut = true
  }

  played(itemId: string, playedMs: number, final: boolean): void {
    this.release()
    const item = this.#items.get(itemId)
    if (item === undefined || (playedMs <= 0 && !final)) return
    item.beganMs ??= this.#needs.nowMs() - playedMs
    const all = final && !item.isCut
    while (item.words[0] !== undefined && (all || item.words[0].atMs < playedMs)) this.#next(item, item.beganMs)
    if (!final) return
    item.isPlayed = true
    this.#forget(itemId, item)
  }

  /** Nothing more comes; of what was never to be heard nothing was said. */
  done(itemId: string): void {
    const item = this.#items.get(itemId)
    if (item === undefined) return
    item.isDone = true
    this.#forget(itemId, item)
  }

  #forget(itemId: string, item: Item): void {
    if (item.isDone && (item.isPlayed || item.receivedMs === 0)) this.#items.delete(itemId)
  }

  #item(itemId: string): Item {
    const item = this.#items.get(itemId) ?? newItem()
    this.#items.set(itemId, item)
    return item
  }

  #next(item: Item, beganMs: number): void {
    const word = item.words.shift()
    if (word === undefined) return
    const endMs = item.words[0]?.atMs ?? item.receivedMs
    this.#tell(word.text, beganMs + word.atMs, beganMs + endMs)
  }

  #tell(delta: string, fromMs: number, toMs: number): void {
    const startMs = Math.max(0, Math.round(fromMs), this.#lastStartMs)
    const endMs = Math.max(startMs, Math.round(toMs))
    this.#lastStartMs = startMs
    this.#waiting.push({ type: 'session.output_transcript.delta', delta, start_ms: startMs, end_ms: endMs })
    this.release()
  }

  /** Tells what waited, if it need not wait any more. */
  release(): void {
    if (this.#waiting.length > 0 && !this.#needs.waits()) this.close()
  }

  /** Tells it in any case. */
  close(): void {
    for (const event of this.#waiting.splice(0)) this.#needs.tell(event)
  }
}

function newItem(): Item {
  return { words: [], receivedMs: 0, text: '', beganMs: undefined, isCut: false, isPlayed: false, isDone: false }
}
