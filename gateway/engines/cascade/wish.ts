// What was asked of the engine, as what one answer is made from.

import { z } from 'zod'
import { type Modality, modalityOf } from '../client-frame.ts'
import type { EngineBrief, EngineTool } from '../engines.ts'
import type { Wish } from './answer.ts'
import type { Ask } from './prompt.ts'

type Raw = Readonly<Record<string, unknown>>

export type Asked =
  | { readonly what: 'respond'; readonly raw?: Raw }
  | { readonly what: 'say'; readonly text: string }
  | { readonly what: 'goOn'; readonly after: string }

const tool = z.object({
  name: z.string(),
  description: z.string().default(''),
  parameters: z.record(z.string(), z.unknown()).default({ type: 'object', properties: {} }),
})

/** What a client may ask of one answer. */
const ownResponse = z.object({
  response: z.object({
    instructions: z.string().optional().catch(undefined),
    tool_choice: z.enum(['auto', 'none', 'required']).optional().catch(undefined),
    tools: z.array(tool).optional().catch(undefined),
    max_output_tokens: z
      .union([z.int(), z.literal('inf')])
      .optional()
      .catch(undefined),
    audio: z
      .object({ output: z.object({ voice: z.string().optional() }).optional() })
      .optional()
      .catch(undefined),
  }),
})

/** `speaks`: there is a voice; without one every answer is written. */
export function wishOf(ask: Asked, brief: EngineBrief, speaks: boolean): Wish {
  const raw = ask.what === 'respond' ? ask.raw : undefined
  const modality: Modality = modalityOf(raw) ?? brief.outputModality
  const spoken = modality === 'audio' && speaks
  if (ask.what === 'say') return { is: 'say', text: ask.text, spoken }
  const voice = ownResponse.safeParse(raw).data?.response.audio?.output?.voice
  const after = ask.what === 'goOn' ? ask.after : ''
  return { is: 'think', ...askOf(raw, brief), spoken, after, ...(voice === undefined ? {} : { voice }) }
}

/** What the model is asked with, the client's own request being the better word. */
export function askOf(raw: Raw | undefined, brief: EngineBrief): Omit<Ask, 'spoken' | 'after'> {
  const own = ownResponse.safeParse(raw).data?.response
  const { settings = {}, language } = brief
  const limit = own?.max_output_tokens ?? settings.maxOutputTokens ?? 'inf'
  const tools: readonly EngineTool[] = own?.tools ?? brief.tools
  return {
    instructions: own?.instructions ?? brief.instructions,
    tools,
    toolChoice: own?.tool_choice ?? settings.toolChoice ?? 'auto',
    language,
    ...(limit === 'inf' ? {} : { maxTokens: limit }),
  }
}
