// The GA session object as a client may send it: by `session.update`, or bound to a client secret. Strict, as the original
// is: a field that is none would otherwise be lost without a word.

import { z } from 'zod'

const functionTool = z.strictObject({
  type: z.literal('function'),
  name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  description: z.string().max(4096).optional(),
  parameters: z.record(z.string(), z.unknown()).optional(),
})
/** Tools of a server are the agent's to have. They are read, so that their refusal can say so. */
const mcpTool = z.looseObject({ type: z.literal('mcp') })
export const tools = z.array(z.discriminatedUnion('type', [functionTool, mcpTool])).max(128)

export const toolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  z.looseObject({ type: z.enum(['function', 'mcp']) }),
])

export const outputModalities = z.array(z.enum(['audio', 'text'])).length(1)
export const maxOutputTokens = z.union([z.int().min(1).max(4096), z.literal('inf')])

const format = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('audio/pcm'), rate: z.int().optional() }),
  z.strictObject({ type: z.literal('audio/pcmu'), rate: z.literal(8_000).optional() }),
  z.strictObject({ type: z.literal('audio/pcma'), rate: z.literal(8_000).optional() }),
])
export const voice = z.union([z.string().min(1).max(64), z.strictObject({ id: z.string().min(1).max(64) })])

const automatic = { create_response: z.boolean().nullish(), interrupt_response: z.boolean().nullish() }
const turnDetection = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('server_vad'),
    ...automatic,
    threshold: z.number().min(0).max(1).nullish(),
    prefix_padding_ms: z.int().min(0).max(5_000).nullish(),
    silence_duration_ms: z.int().min(0).max(10_000).nullish(),
    idle_timeout_ms: z.int().min(5_000).max(30_000).nullish(),
  }),
  z.strictObject({
    type: z.literal('semantic_vad'),
    ...automatic,
    eagerness: z.enum(['low', 'medium', 'high', 'auto']).nullish(),
  }),
])

const input = z.strictObject({
  format: format.optional(),
  transcription: z
    .strictObject({
      model: z.string().max(100).nullish(),
      language: z.string().max(16).nullish(),
      languages: z.array(z.string().max(16)).max(20).nullish(),
      prompt: z.string().max(4_000).nullish(),
      keywords: z.array(z.string().max(100)).max(100).nullish(),
      delay: z.string().max(16).nullish(),
    })
    .nullish(),
  noise_reduction: z
    .strictObject({ type: z.enum(['near_field', 'far_field']), strength: z.number().nullish() })
    .nullish(),
  turn_detection: turnDetection.nullish(),
})

const output = z.strictObject({
  format: format.optional(),
  voice: voice.optional(),
  speed: z.number().min(0.25).max(1.5).optional(),
})

export const sessionFields = z.strictObject({
  type: z.enum(['realtime', 'transcription']).optional(),
  model: z.string().max(100).optional(),
  instructions: z.string().max(64_000).optional(),
  output_modalities: outputModalities.optional(),
  max_output_tokens: maxOutputTokens.optional(),
  tools: tools.optional(),
  tool_choice: toolChoice.optional(),
  parallel_tool_calls: z.boolean().optional(),
  reasoning: z.looseObject({}).nullish(),
  truncation: z.union([z.enum(['auto', 'disabled']), z.looseObject({ type: z.string() })]).optional(),
  tracing: z.union([z.literal('auto'), z.looseObject({})]).nullish(),
  include: z.array(z.string().max(100)).max(8).nullish(),
  prompt: z.looseObject({}).nullish(),
  audio: z.strictObject({ input: input.optional(), output: output.optional() }).optional(),
})
export type SessionFields = z.output<typeof sessionFields>
export type AudioFormatName = z.output<typeof format>['type']
