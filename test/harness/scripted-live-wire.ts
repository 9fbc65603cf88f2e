// What a GPT-Live client may send on a primary WebSocket, as strictly as the provider takes it: unknown types, unknown
// fields, wrong types, and whatever is too long are errors.

import { z } from 'zod'

const eventId = { event_id: z.string().max(512).nullish() }

const format = z.union([
  z.strictObject({ type: z.literal('audio/pcm'), rate: z.union([z.literal(16_000), z.literal(24_000)]) }),
  z.strictObject({ type: z.enum(['audio/pcmu', 'audio/pcma']), rate: z.literal(8_000) }),
])
const functionTool = z.strictObject({
  type: z.literal('function'),
  name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
  description: z.string().nullish(),
  parameters: z.looseObject({ type: z.literal('object') }).nullish(),
  strict: z.boolean().nullish(),
})
const responsesFields = {
  instructions: z.string().nullish(),
  max_output_tokens: z.int().min(16).nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  tool_choice: z.enum(['none', 'auto', 'required']).optional(),
  tools: z.array(z.union([functionTool, z.looseObject({ type: z.literal('web_search') })])).optional(),
}
const acknowledgement = { acknowledgement_delay_ms: z.int().nonnegative().optional() }
const clientDelegation = z.strictObject({ type: z.literal('client'), ...acknowledgement })
const responsesDelegation = z.strictObject({
  type: z.literal('responses'),
  responses: z.strictObject({ model: z.string().min(1), ...responsesFields }),
  ...acknowledgement,
})
const responsesChange = z.strictObject({
  type: z.literal('responses'),
  responses: z.strictObject({ model: z.string().min(1).optional(), ...responsesFields }).optional(),
  ...acknowledgement,
})

const message = { id: z.string().nullish(), status: z.enum(['completed', 'incomplete']).nullish() }
const onePart = (...types: [string, ...string[]]) =>
  z.tuple([z.strictObject({ type: z.enum(types), text: z.string().min(1) })])
const initialItem = z.union([
  z.strictObject({
    ...message,
    type: z.literal('message').optional(),
    role: z.enum(['developer', 'user']),
    content: onePart('input_text', 'text'),
  }),
  z.strictObject({
    ...message,
    type: z.literal('message').optional(),
    role: z.literal('assistant'),
    content: onePart('output_text', 'text'),
  }),
])

/** Some four characters a token. */
export const tokensOf = (text: string): number => Math.ceil(text.length / 4)

const atMost = (tokens: number) => z.string().refine((text) => tokensOf(text) <= tokens, `at most ${tokens} tokens`)

export const sessionFields = z.strictObject({
  model: z.string().min(1),
  instructions: atMost(16_384).nullish(),
  input: z
    .array(initialItem)
    .max(128)
    .refine((items) => items.reduce((sum, { content }) => sum + tokensOf(content[0].text), 0) <= 8_192, '8192 tokens')
    .optional(),
  audio: z
    .strictObject({
      format: format.optional(),
      output: z
        .strictObject({ voice: z.union([z.string().min(1), z.strictObject({ id: z.string() })]).optional() })
        .optional(),
    })
    .optional(),
  delegation: z.union([clientDelegation, responsesDelegation]).nullish(),
  store: z.boolean().optional(),
})
export type SessionFields = z.output<typeof sessionFields>

/** Of a session with a browser: no format, because its sound is on a track. */
export const callFields = sessionFields.extend({
  audio: z
    .strictObject({
      output: z
        .strictObject({ voice: z.union([z.string().min(1), z.strictObject({ id: z.string() })]).optional() })
        .optional(),
    })
    .optional(),
  client: z
    .strictObject({
      data_channel: z
        .strictObject({
          allowed_client_events: z.union([z.literal('all'), z.array(z.string())]).default('all'),
          allowed_server_events: z
            .union([z.literal('all'), z.array(z.strictObject({ type: z.string() }))])
            .default('all'),
        })
        .default({ allowed_client_events: 'all', allowed_server_events: 'all' }),
    })
    .default({ data_channel: { allowed_client_events: 'all', allowed_server_events: 'all' } }),
})
export type CallFields = z.output<typeof callFields>

export const callRequest = z.strictObject({
  session: callFields,
  transport: z.strictObject({ type: z.literal('webrtc'), sdp: z.string().startsWith('v=0') }),
})

const append = { content: atMost(500).min(1), delegation_id: z.string().nullable() }
const base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/, 'Expected base64-encoded audio bytes')
const item = z.union([
  z.strictObject({
    type: z.literal('message'),
    role: z.enum(['user', 'developer', 'system']),
    content: z.array(z.strictObject({ type: z.literal('input_text'), text: z.string() })),
  }),
  z.strictObject({ type: z.literal('function_call_output'), call_id: z.string(), output: z.string() }),
])

export const clientEvent = z.discriminatedUnion('type', [
  z.strictObject({ ...eventId, type: z.literal('session.start'), session: sessionFields }),
  z.strictObject({
    ...eventId,
    type: z.literal('session.update'),
    session: z.strictObject({ delegation: z.union([clientDelegation, responsesChange]).nullish() }),
  }),
  z.strictObject({ ...eventId, type: z.literal('session.input_audio.append'), audio: base64 }),
  z.strictObject({ ...eventId, type: z.literal('session.input_audio.mute') }),
  z.strictObject({ ...eventId, type: z.literal('session.input_audio.unmute') }),
  z.strictObject({ ...eventId, ...append, type: z.literal('session.instructions.append') }),
  z.strictObject({ ...eventId, ...append, type: z.literal('session.thinking.append') }),
  z.strictObject({ ...eventId, ...append, type: z.literal('session.commentary.append') }),
  z.strictObject({ ...eventId, type: z.literal('response.item.create'), item }),
  z.strictObject({ ...eventId, type: z.literal('response.create') }),
  z.strictObject({ ...eventId, type: z.literal('session.close') }),
])
export type ClientEvent = z.output<typeof clientEvent>
export type Append = Extract<ClientEvent, { content: string }>

export interface WireError {
  readonly type: 'invalid_request_error' | 'server_error'
  readonly code: string
  readonly message: string
  readonly param?: string
  readonly client_event_id?: string
}

export function wireError(code: string, message: string, from?: string | null, param?: string): WireError {
  return {
    type: 'invalid_request_error',
    code,
    message,
    ...(param === undefined ? {} : { param }),
    ...(from == null ? {} : { client_event_id: from }),
  }
}

/** The provider's words for a client event it does not take. */
export function readClientEvent(text: string): { event: ClientEvent } | { error: WireError } {
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch {
    return { error: wireError('invalid_json', 'The event is not JSON.') }
  }
  const parsed = clientEvent.safeParse(raw)
  if (parsed.success) return { event: parsed.data }
  const loose = z.looseObject({ event_id: z.string().nullish() }).safeParse(raw)
  const issue = parsed.error.issues[0]
  const code = JSON.stringify(parsed.error.issues).includes('unrecognized_keys') ? 'unknown_parameter' : 'invalid_value'
  const param = issue?.path.join('.') ?? 'type'
  return { error: wireError(code, `${param}: ${issue?.message ?? 'invalid'}`, loose.data?.event_id, param) }
}
