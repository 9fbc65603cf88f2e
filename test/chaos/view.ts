// What a client of a chaos run shows of its conversation, built from frames alone.

import type { ClientRecord, SeenItem } from './record.ts'
import type { WireTurn } from './wire.ts'

export class View {
  readonly #record: ClientRecord
  readonly #session: () => string | undefined

  constructor(record: ClientRecord, session: () => string | undefined) {
    this.#record = record
    this.#session = session
  }

  turn({ itemId, sessionId, role, text, state, seq }: WireTurn): void {
    const item = this.#record.items.get(itemId)
    if (item === undefined) this.#record.items.set(itemId, { itemId, sessionId, role, text, state, seq })
    else Object.assign(item, { role, text, state, seq })
  }

  /** Words of an answer; its turn may come later. */
  append(itemId: string, delta: string): void {
    this.#item(itemId).text += delta
  }

  replace(itemId: string, text: string): void {
    this.#item(itemId).text = text
  }

  /** After a gap the history is the truth: what stands here beyond it never became part of the conversation. */
  forget(sessionId: string, history: readonly WireTurn[]): void {
    const known = new Set(history.map((turn) => turn.itemId))
    for (const item of this.#record.items.values())
      if (item.sessionId === sessionId && !known.has(item.itemId)) this.#record.items.delete(item.itemId)
  }

  #item(itemId: string): SeenItem {
    const found = this.#record.items.get(itemId)
    if (found !== undefined) return found
    const item = { itemId, sessionId: this.#session() ?? '', role: 'agent', text: '', state: 'partial', seq: undefined }
    this.#record.items.set(itemId, item)
    return item
  }
}
