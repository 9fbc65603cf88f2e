// The conversation's items as a client of an engine without a protocol saw them: their order, and what a retrieve gives.

type Json = Readonly<Record<string, unknown>>
export type ItemBody = Json & { readonly id: string }
type ItemEvent = Json & { readonly type: string }

/** An hour of talk has thousands; clients ask for the last few. */
const keptItems = 256

interface Kept {
  readonly previous: string | null
  readonly body: ItemBody
}

export class Items {
  readonly #items = new Map<string, Kept>()
  #last: string | null = null

  get last(): string | null {
    return this.#last
  }

  has(itemId: string): boolean {
    return this.#items.has(itemId)
  }

  added(body: ItemBody): ItemEvent {
    const previous = this.#last
    this.#last = body.id
    this.#items.set(body.id, { previous, body })
    const [oldest] = this.#items.keys()
    if (this.#items.size > keptItems && oldest !== undefined) this.#items.delete(oldest)
    return { type: 'conversation.item.added', previous_item_id: previous, item: body }
  }

  /** Names the same predecessor as `added`: null would tell a client to put the item first. */
  done(body: ItemBody): ItemEvent {
    const previous = this.#items.get(body.id)?.previous ?? null
    if (this.#items.has(body.id)) this.#items.set(body.id, { previous, body })
    return { type: 'conversation.item.done', previous_item_id: previous, item: body }
  }

  /** What was said is known only now, or only part of it was heard. */
  rewrite(itemId: string, transcript: string): void {
    const kept = this.#items.get(itemId)
    const [part] = Array.isArray(kept?.body.content) ? kept.body.content : []
    if (kept === undefined || typeof part !== 'object' || part === null || !('transcript' in part)) return
    this.#items.set(itemId, { ...kept, body: { ...kept.body, content: [{ ...part, transcript }] } })
  }

  retrieved(itemId: string): ItemEvent | undefined {
    const kept = this.#items.get(itemId)
    return kept === undefined ? undefined : { type: 'conversation.item.retrieved', item: kept.body }
  }
}
