// What an answer cost in tokens, out of meters that only grow: the difference since the answer before it.

import { z } from 'zod'
import type { MeterKey, Meters } from '../../engines/engines.ts'

const count = z.number()
/** Of a written answer. */
const doneEvent = z.object({
  response: z.object({
    usage: z
      .object({
        output_tokens: count,
        input_token_details: z.object({ text_tokens: count, cached_tokens: count }),
      })
      .nullable(),
  }),
})

type Json = Readonly<Record<string, unknown>>

export class Spent {
  #now: Meters = {}
  #before: Meters = {}

  meters(meters: Meters): void {
    this.#now = meters
  }

  /** An answer that is told with its own cost. */
  elsewhere(done: unknown): void {
    const usage = doneEvent.safeParse(done).data?.response.usage
    if (usage == null) return
    const { text_tokens: text, cached_tokens: cached } = usage.input_token_details
    const add = (key: MeterKey, amount: number): void => {
      this.#before = { ...this.#before, [key]: (this.#before[key] ?? 0) + amount }
    }
    add('input.text.tokens', text - cached)
    add('input.cached.text.tokens', cached)
    add('output.text.tokens', usage.output_tokens)
  }

  /** As the protocol has it, cached tokens being part of the input. Null: the provider did not tell all of it. */
  take(): Json | null {
    const since = (key: MeterKey): number => Math.max(0, (this.#now[key] ?? 0) - (this.#before[key] ?? 0))
    const isUnknown = since('unknown.usages') > 0
    const cached = kinds((kind) => since(`input.cached.${kind}.tokens`))
    const input = kinds((kind) => since(`input.${kind}.tokens`) + cached[`${kind}_tokens`])
    const output = { text_tokens: since('output.text.tokens'), audio_tokens: since('output.audio.tokens') }
    this.#before = this.#now
    if (isUnknown) return null
    const inputTokens = sum(input)
    const outputTokens = sum(output)
    return {
      total_tokens: inputTokens + outputTokens,
      input_tokens: inputTokens,
      output_tokens: outputTokens,
      input_token_details: { ...input, cached_tokens: sum(cached), cached_tokens_details: cached },
      output_token_details: output,
    }
  }
}

type Kind = 'text' | 'audio' | 'image'
type Kinds = Readonly<Record<`${Kind}_tokens`, number>>

function kinds(of: (kind: Kind) => number): Kinds {
  return { text_tokens: of('text'), audio_tokens: of('audio'), image_tokens: of('image') }
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, each) => total + each, 0)
}
