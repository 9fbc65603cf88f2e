// What was asked of the engine, as what one answer is made from.

import { z } from 'zod'
import { type Modality, modalityOf } from '../client-frame.ts'
import type { EngineBrief } from '../engines.ts'
import type { Wish } from './answer.ts'
import type { Prompt } from './part.ts'

export type Asked =
  | { readonly what: 'respond'; readonly raw?: Readonly<Record<string, unknown>> }
  | { readonly what: 'say'; readonly text: string }
  | { readonly what: 'goOn'; readonly after: string }

/** What a client may ask of one answer and every model can do. */
const ownResponse = z.object({
  response: z.object({
    instructions: z.string().optional().catch(undefined),
    tool_choice: z.enum(['auto', 'none', 'required']).optional().catch(undefined),
  }),
})

/** `speaks`: there is a voice; without one every answer is written. */
export function wishOf(ask: Asked, brief: EngineBrief, speaks: boolean): Wish {
  const raw = ask.what === 'respond' ? ask.raw : undefined
  const own = ownResponse.safeParse(raw).data?.response
  const modality: Modality = modalityOf(raw) ?? brief.outputModality
  const spoken = modality === 'audio' && speaks
  if (ask.what === 'say') return { is: 'say', text: ask.text, spoken }
  const { instructions, tools, language } = brief
  const toolChoice: Prompt['toolChoice'] = own?.tool_choice ?? 'auto'
  const after = ask.what === 'goOn' ? ask.after : ''
  return { is: 'think', instructions: own?.instructions ?? instructions, tools, toolChoice, spoken, language, after }
}
