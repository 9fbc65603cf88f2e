// The configuration of a Live session as a client sends it: strictly the fields of the original, no others.

import { z } from 'zod'
import { audioFormat } from './audio-format.ts'

const delayMs = { acknowledgement_delay_ms: z.int().nonnegative().max(60_000).optional() }

const functionTool = z.strictObject({
  type: z.literal('function'),
  name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  description: z.string().max(4096).nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
})
/** Of the original, and nowhere else: they are known, so that the refusal can say why. */
const hostedTool = z.looseObject({
  type: z.enum([
    'web_search',
    'file_search',
    'code_interpreter',
    'shell',
    'image_generation',
    'mcp',
    'custom',
    'namespace',
    'tool_search',
    'programmatic_tool_calling',
    'computer',
    'apply_patch',
  ]),
})

const responsesSettings = {
  instructions: z.string().max(64_000).nullish(),
  max_output_tokens: z.int().min(16).nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  reasoning: z.strictObject({ effort: z.string().nullish(), summary: z.string().nullish() }).nullish(),
  service_tier: z.string().max(32).nullish(),
  text: z.strictObject({ verbosity: z.string().nullish() }).nullish(),
  tool_choice: z.union([z.enum(['none', 'auto', 'required']), z.looseObject({ type: z.string() })]).nullish(),
  tools: z
    .array(z.discriminatedUnion('type', [functionTool, hostedTool]))
    .max(128)
    .optional(),
}
const model = z.string().min(1).max(100)

const clientDelegation = z.strictObject({ type: z.literal('client'), ...delayMs })
const responsesDelegation = z.strictObject({
  type: z.literal('responses'),
  responses: z.strictObject({ model, ...responsesSettings }),
  ...delayMs,
})
const responsesChange = z.strictObject({
  type: z.literal('responses'),
  responses: z.strictObject({ model: model.optional(), ...responsesSettings }).optional(),
  ...delayMs,
})
const decisions = z.looseObject({ type: z.literal('decisions') })
const triggers = z.array(z.looseObject({ type: z.string() })).optional()

const message = { id: z.string().max(128).nullish(), status: z.string().max(32).nullish(), type: z.literal('message') }
const onePart = (types: readonly [string, ...string[]]) =>
  z.tuple([z.strictObject({ type: z.enum(types).optional(), text: z.string().min(1).max(64_000) })])
const written = { ...message, type: message.type.optional(), content: onePart(['input_text', 'text']) }
const initialItem = z.discriminatedUnion('role', [
  z.strictObject({ ...written, role: z.literal('developer') }),
  z.strictObject({ ...written, role: z.literal('user') }),
  z.strictObject({ ...written, role: z.literal('assistant'), content: onePart(['output_text', 'text']) }),
])

export const sessionConfig = z.strictObject({
  model,
  instructions: z.string().max(200_000).nullish(),
  input: z.array(initialItem).max(128).optional(),
  audio: z
    .strictObject({
      format: audioFormat.optional(),
      output: z
        .strictObject({
          voice: z.union([z.string().min(1).max(64), z.strictObject({ id: z.string().min(1).max(128) })]).optional(),
        })
        .optional(),
    })
    .optional(),
  delegation: z.discriminatedUnion('type', [clientDelegation, responsesDelegation, decisions]).nullish(),
  triggers,
  client: z.looseObject({}).optional(),
  store: z.boolean().optional(),
})
export type SessionConfig = z.output<typeof sessionConfig>
export type ResponsesSettings = z.output<typeof responsesChange>['responses']

export const sessionChange = z.strictObject({
  delegation: z.discriminatedUnion('type', [clientDelegation, responsesChange, decisions]).nullish(),
  triggers,
})
export type SessionChange = z.output<typeof sessionChange>
