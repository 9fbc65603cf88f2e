// What was said so far, as text: what a new session of the provider is seeded with, and what the backend has to catch up on.

import type { EngineBrief } from '../engines.ts'
import { clipped, tokensOf } from './tokens.ts'

/** `note`: background information, said by nobody. */
export interface Line {
  readonly role: 'user' | 'agent' | 'note'
  text: string
}

/** The provider takes 128 messages and 8,192 tokens; a tenth of them is kept for what its template adds. */
const seedLines = 128
const seedTokens = 7_400
const lineTokens = 2_000
/** Older ones are known to whoever will ever ask. */
const kept = 512

export class Conversation {
  #lines: Line[] = []
  readonly #byItem = new Map<string, Line>()
  /** Lines forgotten at the beginning: positions count them. */
  #dropped = 0

  constructor(history: EngineBrief['history']) {
    for (const { role, text } of history) this.add(role, text)
  }

  /** Position after the last line, for `since`. */
  get end(): number {
    return this.#dropped + this.#lines.length
  }

  add(role: Line['role'], text: string, itemId?: string): void {
    const known = itemId === undefined ? undefined : this.#byItem.get(itemId)
    if (known !== undefined) known.text = text
    else if (text.trim() !== '') this.#push({ role, text }, itemId)
  }

  #push(line: Line, itemId: string | undefined): void {
    this.#lines.push(line)
    if (itemId !== undefined) this.#byItem.set(itemId, line)
    if (this.#lines.length <= kept) return
    const [first] = this.#lines.splice(0, 1)
    this.#dropped++
    for (const [id, each] of this.#byItem) if (each === first) this.#byItem.delete(id)
  }

  since(position: number): readonly Line[] {
    return this.#lines.slice(Math.max(0, position - this.#dropped)).filter(({ text }) => text.trim() !== '')
  }

  /** Without notes: the port's history. */
  get history(): EngineBrief['history'] {
    return this.since(0).flatMap(({ role, text }) => (role === 'note' ? [] : [{ role, text }]))
  }

  /** The latest lines that the provider takes at a start, oldest first. */
  get seed(): readonly Line[] {
    const lines: Line[] = []
    let tokens = 0
    for (const { role, text } of this.since(0).toReversed()) {
      const line = { role, text: clipped(text.trim(), lineTokens) }
      tokens += tokensOf(line.text)
      if (tokens > seedTokens || lines.length >= seedLines) break
      lines.unshift(line)
    }
    return lines
  }
}
