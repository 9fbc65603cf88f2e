// What the tools' routes answer with.

import { z } from 'zod'
import type { ToolView } from '../protocol/tools.ts'
import type { Tool } from './registry.ts'
import { retryRules, toolCategories } from './tool.ts'

const anyObject = z.record(z.string(), z.unknown())

export const toolView = z
  .strictObject({
    name: z.string(),
    kind: z.string().describe('Of a built-in tool, or `http`, `mcp`, `client`, `code`.'),
    category: z.enum(toolCategories),
    description: z.string(),
    instructions: z.string().describe('When to use it and how, for the prompt.'),
    parameters: anyObject.describe('JSON Schema of the arguments.'),
    spec: anyObject.describe('What its kind needs. Secrets are named, never told.'),
    readOnly: z.boolean(),
    retry: z.enum(retryRules),
    creditCostMicro: z.int().nullable().describe('Micro-credits per call; null: as the prices say.'),
    timeoutMs: z.int(),
    own: z.boolean().describe('False: it comes with the gateway.'),
  })
  .meta({ id: 'Tool' }) satisfies z.ZodType<ToolView>

export function presentTool({ prepare: _, ...tool }: Tool): ToolView {
  return tool
}
