// Tools that a client brings, and how it wants them chosen. Both of the original's APIs have them, in two shapes.

import { z } from 'zod'
import type { EngineTool } from '../../engines/engines.ts'
import { unsupported, wrong } from './refusal.ts'

const parameters = z.record(z.string(), z.unknown()).default({ type: 'object', properties: {} })
const name = z.string().regex(/^[\w-]{1,64}$/)
const nested = z.object({
  type: z.literal('function'),
  function: z.object({ name, description: z.string().max(4_096).default(''), parameters: parameters.nullish() }),
})
const flat = z.object({
  type: z.literal('function'),
  name,
  description: z.string().max(4_096).nullish(),
  parameters: parameters.nullish(),
})

/** Of a request; each tool is read below, so that a wrong one is named. */
export const toolList = z
  .array(z.looseObject({ type: z.string() }))
  .max(128)
  .nullish()
export const toolChoice = z.union([z.enum(['auto', 'none', 'required']), z.looseObject({ type: z.string() })]).nullish()

export function toolsIn(list: z.output<typeof toolList>, shape: 'nested' | 'flat'): readonly EngineTool[] {
  return (list ?? []).map((each, i) => {
    const param = `tools[${i}]`
    if (each.type !== 'function') throw unsupported(param, `is of type ${each.type}: functions are supported`)
    const read = shape === 'nested' ? nested.safeParse(each).data?.function : flat.safeParse(each).data
    if (read === undefined) throw wrong(param, 'This is not a function')
    const schema = read.parameters ?? { type: 'object', properties: {} }
    return { name: read.name, description: read.description ?? '', parameters: { type: 'object', ...schema } }
  })
}

export function choiceIn(choice: z.output<typeof toolChoice>): 'auto' | 'none' | 'required' | undefined {
  if (typeof choice === 'object' && choice !== null)
    throw unsupported('tool_choice', 'names a tool: auto, none and required are supported')
  return choice ?? undefined
}
