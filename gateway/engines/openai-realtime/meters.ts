// Usage as disjoint cumulative meters. Cached tokens are a subset of input in the wire: they are taken out of it here.

import { z } from 'zod'
import type { MeterKey, Meters } from '../engines.ts'
import { Recent } from '../recent.ts'

const tokens = z.number().nonnegative()
/** A part that is not told is counted with the rest: as text. */
const part = tokens.catch(0)
const byKind = z.object({ text_tokens: part, audio_tokens: part, image_tokens: part })

/** Both totals, or nothing is known. */
export const responseUsage = z.object({
  input_tokens: tokens,
  output_tokens: tokens,
  input_token_details: byKind
    .extend({ cached_tokens: part, cached_tokens_details: byKind.optional().catch(undefined) })
    .optional()
    .catch(undefined),
  output_token_details: z.object({ text_tokens: part, audio_tokens: part }).optional().catch(undefined),
})

export const transcriptionUsage = z.union([
  z.object({ type: z.literal('duration'), seconds: z.number().nonnegative() }),
  z.object({ type: z.literal('tokens'), input_tokens: tokens, output_tokens: tokens }),
])

type Kinds = z.output<typeof byKind>

export class UsageMeters {
  readonly #meters: Record<string, number> = {}
  readonly #counted = new Recent<true>()
  /** Begun, and their cost not told yet. */
  readonly #open = new Set<string>()

  /** Work that is charged: an answer, or the transcription of an item. */
  begins(what: 'response' | 'transcription', id: string): void {
    const key = `${what} ${id}`
    if (!this.#counted.has(key)) this.#open.add(key)
  }

  /** It was never charged. */
  free(what: 'response' | 'transcription', id: string): void {
    this.#first(`${what} ${id}`)
  }

  /** It has ended, and its cost was not told: the new totals, in which it is unknown. */
  untold(what: 'response' | 'transcription', id: string): Meters | undefined {
    if (!this.#first(`${what} ${id}`)) return undefined
    this.#add('unknown.usages', 1)
    return { ...this.#meters }
  }

  /** Nothing more will be told: what is open is unknown for good. Undefined: nothing is. */
  close(): Meters | undefined {
    if (this.#open.size === 0) return undefined
    this.#add('unknown.usages', this.#open.size)
    this.#open.clear()
    return { ...this.#meters }
  }

  /** The new totals, or undefined when this response was counted before. */
  response(responseId: string, usage: z.output<typeof responseUsage>): Meters | undefined {
    if (!this.#first(`response ${responseId}`)) return undefined
    const input = usage.input_token_details
    const all = inputOf(usage.input_tokens, input ?? none)
    const cached = input === undefined ? none : cachedOf(all, input.cached_tokens, input.cached_tokens_details)
    this.#add('input.text.tokens', all.text_tokens - cached.text_tokens)
    this.#add('input.audio.tokens', all.audio_tokens - cached.audio_tokens)
    this.#add('input.image.tokens', all.image_tokens - cached.image_tokens)
    this.#add('input.cached.text.tokens', cached.text_tokens)
    this.#add('input.cached.audio.tokens', cached.audio_tokens)
    this.#add('input.cached.image.tokens', cached.image_tokens)
    const audio = Math.min(usage.output_tokens, usage.output_token_details?.audio_tokens ?? 0)
    this.#add('output.text.tokens', usage.output_tokens - audio)
    this.#add('output.audio.tokens', audio)
    return { ...this.#meters }
  }

  /** As `response`, for the transcription of one item. */
  transcription(itemId: string, usage: z.output<typeof transcriptionUsage>): Meters | undefined {
    if (!this.#first(`transcription ${itemId}`)) return undefined
    if (usage.type === 'duration') this.#add('transcription.seconds', usage.seconds)
    else {
      this.#add('transcription.input.tokens', usage.input_tokens)
      this.#add('transcription.output.tokens', usage.output_tokens)
    }
    return { ...this.#meters }
  }

  #first(key: string): boolean {
    if (this.#counted.has(key)) return false
    this.#counted.set(key, true)
    this.#open.delete(key)
    return true
  }

  #add(key: MeterKey, amount: number): void {
    if (amount > 0) this.#meters[key] = (this.#meters[key] ?? 0) + amount
  }
}

const none: Kinds = { text_tokens: 0, audio_tokens: 0, image_tokens: 0 }

/** The total is what is charged for: parts that exceed it are cut to it, what they leave is text. */
function inputOf(total: number, parts: Kinds): Kinds {
  const audio = Math.min(total, parts.audio_tokens)
  const image = Math.min(total - audio, parts.image_tokens)
  return { text_tokens: total - audio - image, audio_tokens: audio, image_tokens: image }
}

/** A total without its split is taken from text first: the cheaper error for who pays. */
function cachedOf(all: Kinds, total: number, split: Kinds | undefined): Kinds {
  const audio = split?.audio_tokens ?? Math.max(0, total - all.text_tokens)
  return {
    text_tokens: Math.min(all.text_tokens, split?.text_tokens ?? total),
    audio_tokens: Math.min(all.audio_tokens, audio),
    image_tokens: Math.min(all.image_tokens, split?.image_tokens ?? Math.max(0, audio - all.audio_tokens)),
  }
}
