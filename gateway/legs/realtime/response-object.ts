// A response and its parts as GA objects, for engines that have none.

import { z } from 'zod'
import type { EngineEvent } from '../../engines/engines.ts'

type Json = Readonly<Record<string, unknown>>

export interface Item {
  readonly id: string
  readonly index: number
  part: 'audio' | 'text' | undefined
  text: string
  audioDone: boolean
}

export interface Response {
  readonly id: string
  readonly items: Map<string, Item>
  readonly calls: Json[]
  readonly modality: 'audio' | 'text'
  readonly maxOutputTokens: number | 'inf'
  readonly metadata: Json | null
}

/** What the client's own request says of the answer. */
const asked = z.object({
  response: z.object({
    output_modalities: z
      .tuple([z.enum(['audio', 'text'])])
      .optional()
      .catch(undefined),
    max_output_tokens: z
      .union([z.int(), z.literal('inf')])
      .optional()
      .catch(undefined),
    metadata: z.record(z.string(), z.string()).nullish().catch(undefined),
  }),
})

export function newResponse(
  id: string,
  modality: Response['modality'],
  raw: Readonly<Record<string, unknown>> | undefined,
): Response {
  const own = asked.safeParse(raw).data?.response
  return {
    id,
    items: new Map(),
    calls: [],
    modality: own?.output_modalities?.[0] ?? modality,
    maxOutputTokens: own?.max_output_tokens ?? 'inf',
    metadata: own?.metadata ?? null,
  }
}

/** Of a message: `audio` parts keep only their transcript. */
export function messageOf(item: Item, status: string): Json & { readonly id: string } {
  const content =
    item.part === 'audio'
      ? [{ type: 'output_audio', transcript: item.text }]
      : item.part === 'text'
        ? [{ type: 'output_text', text: item.text }]
        : []
  return { id: item.id, object: 'realtime.item', type: 'message', status, role: 'assistant', content }
}

export function partOf(item: Item): Json {
  return item.part === 'audio' ? { type: 'audio', transcript: item.text } : { type: 'text', text: item.text }
}

export function detailsOf({ status, reason }: EngineEvent & { type: 'responseDone' }): Json | null {
  if (status === 'completed') return null
  if (status !== 'failed') return { type: status, reason: reason ?? null }
  return { type: status, error: { type: 'server_error', code: reason ?? null, message: 'The answer failed.' } }
}
