// What a GA client may send, as strictly as the provider takes it: unknown types, unknown fields and wrong types are errors.

import { z } from 'zod'

const eventId = { event_id: z.string().max(512).optional() }

const pcm = z.strictObject({ type: z.literal('audio/pcm'), rate: z.literal(24_000) })
const format = z.union([
  pcm,
  z.strictObject({ type: z.literal('audio/pcmu') }),
  z.strictObject({ type: z.literal('audio/pcma') }),
])
const functionTool = z.strictObject({
  type: z.literal('function'),
  name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
  description: z.string().optional(),
  parameters: z.looseObject({ type: z.literal('object') }).optional(),
})
const tool = z.union([functionTool, z.looseObject({ type: z.literal('mcp'), server_label: z.string() })])
const toolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  z.strictObject({ type: z.literal('function'), name: z.string() }),
])
const voice = z.union([
  z.enum(['alloy', 'ash', 'ballad', 'coral', 'echo', 'sage', 'shimmer', 'verse', 'marin', 'cedar']),
  z.strictObject({ id: z.string().startsWith('voice_') }),
])
const turnDetection = z.union([
  z.null(),
  z.strictObject({
    type: z.literal('server_vad'),
    threshold: z.number().min(0).max(1).optional(),
    prefix_padding_ms: z.int().optional(),
    silence_duration_ms: z.int().optional(),
    create_response: z.boolean().optional(),
    interrupt_response: z.boolean().optional(),
    idle_timeout_ms: z.int().nullish(),
  }),
  z.strictObject({
    type: z.literal('semantic_vad'),
    eagerness: z.enum(['low', 'medium', 'high', 'auto']).optional(),
    create_response: z.boolean().optional(),
    interrupt_response: z.boolean().optional(),
  }),
])
const modalities = z.tuple([z.enum(['audio', 'text'])])
const maxTokens = z.union([z.int().min(1).max(4096), z.literal('inf')])

export const sessionFields = z.strictObject({
  type: z.literal('realtime'),
  model: z.string().optional(),
  instructions: z.string().optional(),
  output_modalities: modalities.optional(),
  max_output_tokens: maxTokens.optional(),
  tools: z.array(tool).optional(),
  tool_choice: toolChoice.optional(),
  parallel_tool_calls: z.boolean().optional(),
  reasoning: z.strictObject({ effort: z.enum(['minimal', 'low', 'medium', 'high', 'xhigh']) }).optional(),
  truncation: z.unknown().optional(),
  tracing: z.unknown().optional(),
  include: z.array(z.string()).nullish(),
  prompt: z.unknown().optional(),
  audio: z
    .strictObject({
      input: z
        .strictObject({
          format: format.optional(),
          transcription: z
            .strictObject({
              model: z.string().optional(),
              language: z.string().optional(),
              languages: z.array(z.string()).optional(),
              prompt: z.string().optional(),
              keywords: z.array(z.string()).optional(),
              delay: z.enum(['minimal', 'low', 'medium', 'high', 'xhigh']).optional(),
            })
            .nullish(),
          noise_reduction: z.strictObject({ type: z.enum(['near_field', 'far_field']) }).nullish(),
          turn_detection: turnDetection.optional(),
        })
        .optional(),
      output: z
        .strictObject({
          format: format.optional(),
          voice: voice.optional(),
          speed: z.number().min(0.25).max(1.5).optional(),
        })
        .optional(),
    })
    .optional(),
})
export type SessionFields = z.output<typeof sessionFields>

const part = z.union([
  z.strictObject({ type: z.literal('input_text'), text: z.string() }),
  z.strictObject({ type: z.literal('output_text'), text: z.string() }),
  z.strictObject({ type: z.literal('input_audio'), audio: z.string().optional(), transcript: z.string().optional() }),
  z.strictObject({
    type: z.literal('input_image'),
    image_url: z.string(),
    detail: z.enum(['auto', 'low', 'high']).optional(),
  }),
])
const itemBase = {
  id: z.string().max(32).optional(),
  object: z.literal('realtime.item').optional(),
  status: z.enum(['completed', 'incomplete', 'in_progress']).optional(),
}
const item = z.union([
  z.strictObject({
    ...itemBase,
    type: z.literal('message'),
    role: z.enum(['user', 'assistant', 'system']),
    content: z.array(part),
  }),
  z.strictObject({
    ...itemBase,
    type: z.literal('function_call'),
    name: z.string(),
    arguments: z.string(),
    call_id: z.string().optional(),
  }),
  z.strictObject({ ...itemBase, type: z.literal('function_call_output'), call_id: z.string(), output: z.string() }),
])

const response = z.strictObject({
  input: z.array(z.unknown()).optional(),
  conversation: z.enum(['auto', 'none']).optional(),
  instructions: z.string().optional(),
  output_modalities: modalities.optional(),
  audio: z
    .strictObject({
      output: z.strictObject({ format: format.optional(), voice: voice.optional() }).optional(),
    })
    .optional(),
  tools: z.array(tool).optional(),
  tool_choice: toolChoice.optional(),
  max_output_tokens: maxTokens.optional(),
  metadata: z.record(z.string(), z.string()).nullish(),
})

const base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/, 'Expected base64-encoded audio bytes')

export const clientEvent = z.discriminatedUnion('type', [
  z.strictObject({ ...eventId, type: z.literal('session.update'), session: sessionFields }),
  z.strictObject({ ...eventId, type: z.literal('input_audio_buffer.append'), audio: base64 }),
  z.strictObject({ ...eventId, type: z.literal('input_audio_buffer.commit') }),
  z.strictObject({ ...eventId, type: z.literal('input_audio_buffer.clear') }),
  z.strictObject({
    ...eventId,
    type: z.literal('conversation.item.create'),
    previous_item_id: z.string().nullish(),
    item,
  }),
  z.strictObject({ ...eventId, type: z.literal('conversation.item.retrieve'), item_id: z.string() }),
  z.strictObject({ ...eventId, type: z.literal('conversation.item.delete'), item_id: z.string() }),
  z.strictObject({
    ...eventId,
    type: z.literal('conversation.item.truncate'),
    item_id: z.string(),
    content_index: z.literal(0),
    audio_end_ms: z.int().nonnegative(),
  }),
  z.strictObject({ ...eventId, type: z.literal('response.create'), response: response.optional() }),
  z.strictObject({ ...eventId, type: z.literal('response.cancel'), response_id: z.string().optional() }),
  z.strictObject({ ...eventId, type: z.literal('output_audio_buffer.clear') }),
])
export type ClientEvent = z.output<typeof clientEvent>
export type ClientItem = z.output<typeof item>
export type ResponseFields = z.output<typeof response>

export interface WireError {
  readonly type: 'invalid_request_error' | 'server_error'
  readonly code: string
  readonly message: string
  readonly param: string | null
  readonly event_id: string | null
}

/** The provider's words for a client event it does not take. */
export function readClientEvent(text: string): { event: ClientEvent } | { error: WireError } {
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch {
    return { error: invalid('invalid_json', 'We could not parse the JSON body of your event.', null, null) }
  }
  const parsed = clientEvent.safeParse(raw)
  if (parsed.success) return { event: parsed.data }
  const loose = z.looseObject({ type: z.string().optional(), event_id: z.string().optional() }).safeParse(raw)
  const issue = deepest(parsed.error.issues[0])
  const param = issue === undefined ? 'type' : issue.path.join('.')
  const from = loose.data?.event_id ?? null
  if (param === 'type') {
    const message = `Invalid value: '${loose.data?.type ?? ''}'. Supported values are the client events of the API.`
    return { error: invalid('invalid_value', message, 'type', from) }
  }
  if (issue?.code === 'unrecognized_keys') {
    const key = [...issue.path, ...issue.keys.slice(0, 1)].join('.')
    return { error: invalid('unknown_parameter', `Unknown parameter: '${key}'.`, key, from) }
  }
  if (issue?.code === 'invalid_type' && issue.message.includes('received undefined')) {
    return { error: invalid('missing_required_parameter', `Missing required parameter: '${param}'.`, param, from) }
  }
  const code = issue?.code === 'invalid_type' ? 'invalid_type' : 'invalid_value'
  return { error: invalid(code, `Invalid value for '${param}': ${issue?.message ?? 'unknown'}`, param, from) }
}

function invalid(code: string, message: string, param: string | null, event: string | null): WireError {
  return { type: 'invalid_request_error', code, message, param, event_id: event }
}

/** A union hides the branch that nearly fitted: take the issue that lies deepest in it. */
function deepest(issue: z.core.$ZodIssue | undefined): z.core.$ZodIssue | undefined {
  if (issue?.code !== 'invalid_union') return issue
  const inner = issue.errors
    .flatMap((branch) => branch.slice(0, 1))
    .sort((a, b) => strangeness(a) - strangeness(b) || b.path.length - a.path.length)[0]
  return inner === undefined ? issue : deepest({ ...inner, path: [...issue.path, ...inner.path] })
}

/** A branch whose `type` differs was never meant; one of another basic type hardly. */
function strangeness(issue: z.core.$ZodIssue): number {
  if (issue.code === 'invalid_value' && issue.path.at(-1) === 'type') return 2
  return issue.code === 'invalid_type' ? 1 : 0
}
