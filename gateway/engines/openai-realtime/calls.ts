// Tool calls: each complete one exactly once per call id, however the server announces it; interrupted ones never.

import type { z } from 'zod'
import type { EngineEvent } from '../engines.ts'
import { Recent } from '../recent.ts'
import * as events from './events.ts'

type Item = Pick<z.output<typeof events.item>, 'id' | 'call_id' | 'name' | 'arguments' | 'status'>
type ToolCall = Extract<EngineEvent, { type: 'toolCall' }>

export class Calls {
  readonly #toolOfItem = new Recent<string>()
  readonly #toolOfCall = new Recent<string>()
  /** Arguments known, completeness not: some servers never send `output_item.done`. */
  readonly #pending = new Recent<Item & { readonly responseId: string }>()
  readonly #called = new Recent<true>()

  toolOf(itemId: string | undefined, callId: string | undefined): string | undefined {
    return this.#toolOfItem.get(itemId ?? '') ?? this.#toolOfCall.get(callId ?? '')
  }

  begins(item: Item): void {
    if (item.name === undefined) return
    this.#toolOfItem.set(item.id, item.name)
    if (item.call_id !== undefined) this.#toolOfCall.set(item.call_id, item.name)
  }

  /** Also fires on interruption, so it only remembers. Returns the tool's name. */
  argumentsDone(e: z.output<typeof events.callDone>): string | undefined {
    const name = e.name ?? this.toolOf(e.item_id, e.call_id)
    if (name !== undefined && !this.#called.has(e.call_id)) {
      const { response_id: responseId, item_id: id, call_id } = e
      this.#pending.set(e.call_id, { id, responseId, call_id, name, arguments: e.arguments })
    }
    return name
  }

  /** An interrupted call is `incomplete`; without a status only the end of the response tells. */
  ends(responseId: string, item: Item): ToolCall | undefined {
    this.begins(item)
    return item.status === 'completed' ? this.#once(responseId, item) : undefined
  }

  /** What a completed response called and nothing announced before. */
  responseDone(responseId: string, completed: boolean, output: readonly unknown[]): readonly ToolCall[] {
    const late = [...this.#pending.entries()].filter(([, call]) => call.responseId === responseId)
    for (const [callId] of late) this.#pending.delete(callId)
    if (!completed) return []
    const listed = output.flatMap((entry) => {
      const item = events.item.safeParse(entry)
      return item.success && item.data.type === 'function_call' && item.data.status !== 'incomplete' ? [item.data] : []
    })
    return [...listed, ...late.map(([, call]) => call)].flatMap((item) => this.#once(responseId, item) ?? [])
  }

  #once(responseId: string, item: Item): ToolCall | undefined {
    const { id: itemId, call_id: callId, name } = item
    if (callId === undefined || name === undefined || this.#called.has(callId)) return undefined
    this.#called.set(callId, true)
    this.#pending.delete(callId)
    return {
      type: 'toolCall',
      source: 'provider',
      responseId,
      itemId,
      callId,
      name,
      arguments: item.arguments ?? '{}',
    }
  }
}
