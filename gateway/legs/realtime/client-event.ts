// What a client may send on /v1/realtime: OpenAI Realtime GA client events and, for our own widget, `parley.*`.
// Strict: an unknown type or a field of the wrong kind is one typed error event, and nothing happens.

import { z } from 'zod'
import { limits } from '../../protocol/realtime.ts'

const id = z.string().min(1).max(64)
const eventId = z.string().max(512).optional()

const tool = z.looseObject({
  type: z.literal('function'),
  name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  description: z.string().max(4096).optional(),
  parameters: z.record(z.string(), z.unknown()).optional(),
})

const format = z.looseObject({ type: z.enum(['audio/pcm', 'audio/pcmu', 'audio/pcma']), rate: z.number().optional() })

const turnDetection = z.looseObject({
  type: z.enum(['server_vad', 'semantic_vad']),
  create_response: z.boolean().optional(),
  interrupt_response: z.boolean().optional(),
})

/** The fields that mean something here; the rest of the GA session object is the engine's, or makes no difference. */
export const sessionUpdate = z.looseObject({
  type: z.enum(['realtime', 'transcription']).optional(),
  model: z.string().optional(),
  instructions: z.string().max(64_000).optional(),
  output_modalities: z
    .array(z.enum(['audio', 'text']))
    .length(1)
    .optional(),
  tools: z.array(tool).max(128).optional(),
  tool_choice: z.union([z.enum(['none', 'auto', 'required']), z.looseObject({ type: z.string() })]).optional(),
  max_output_tokens: z.union([z.int().min(1).max(4096), z.literal('inf')]).optional(),
  parallel_tool_calls: z.boolean().optional(),
  reasoning: z.looseObject({}).optional(),
  audio: z
    .looseObject({
      input: z.looseObject({ format: format.optional(), turn_detection: turnDetection.nullish() }).optional(),
      output: z
        .looseObject({
          format: format.optional(),
          voice: z.union([z.string().max(64), z.looseObject({ id: z.string() })]).optional(),
        })
        .optional(),
    })
    .optional(),
})

const textPart = z.looseObject({ type: z.enum(['input_text', 'output_text', 'text']), text: z.string().max(64_000) })
const otherPart = z.looseObject({ type: z.enum(['input_audio', 'input_image', 'output_audio']) })

const item = z.discriminatedUnion('type', [
  z.looseObject({
    id: id.optional(),
    type: z.literal('message'),
    role: z.enum(['user', 'system', 'assistant']),
    content: z.array(z.union([textPart, otherPart])).max(32),
  }),
  z.looseObject({
    id: id.optional(),
    type: z.literal('function_call_output'),
    call_id: z.string().min(1).max(128),
    output: z.string().max(256 * 1024),
  }),
  z.looseObject({ id: id.optional(), type: z.enum(['function_call', 'mcp_approval_response']) }),
])

const response = z.looseObject({
  input: z.array(z.unknown()).optional(),
  instructions: z.string().max(64_000).optional(),
  output_modalities: z
    .array(z.enum(['audio', 'text']))
    .length(1)
    .optional(),
  conversation: z.enum(['auto', 'none']).optional(),
  metadata: z.record(z.string(), z.string()).nullish(),
})

export const clientEvent = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('session.update'), event_id: eventId, session: sessionUpdate }),
  z.looseObject({ type: z.literal('input_audio_buffer.append'), event_id: eventId, audio: z.base64() }),
  z.looseObject({ type: z.literal('input_audio_buffer.commit'), event_id: eventId }),
  z.looseObject({ type: z.literal('input_audio_buffer.clear'), event_id: eventId }),
  z.looseObject({ type: z.literal('output_audio_buffer.clear'), event_id: eventId }),
  z.looseObject({
    type: z.literal('conversation.item.create'),
    event_id: eventId,
    previous_item_id: z.string().nullish(),
    item,
  }),
  z.looseObject({ type: z.literal('conversation.item.retrieve'), event_id: eventId, item_id: id }),
  z.looseObject({ type: z.literal('conversation.item.delete'), event_id: eventId, item_id: id }),
  z.looseObject({
    type: z.literal('conversation.item.truncate'),
    event_id: eventId,
    item_id: id,
    content_index: z.number().int().nonnegative(),
    audio_end_ms: z.number().int().nonnegative(),
  }),
  z.looseObject({ type: z.literal('response.create'), event_id: eventId, response: response.nullish() }),
  z.looseObject({ type: z.literal('response.cancel'), event_id: eventId, response_id: z.string().nullish() }),
])

/** Only from clients that speak `parley.v1`. */
export const parleyEvent = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('parley.played'),
    item_id: id,
    played_ms: z.number().nonnegative(),
    final: z.boolean(),
  }),
  z.strictObject({ type: z.literal('parley.voice'), on: z.boolean() }),
  z.strictObject({
    type: z.literal('parley.say'),
    item_id: id,
    text: z.string().trim().min(1).max(limits.userTextChars),
  }),
  z.strictObject({ type: z.literal('parley.ack'), seq: z.int().nonnegative() }),
  z.strictObject({ type: z.literal('parley.bye') }),
  z.strictObject({ type: z.literal('parley.heartbeat'), n: z.number().int() }),
])

export type ClientEvent = z.infer<typeof clientEvent>
export type ParleyEvent = z.infer<typeof parleyEvent>
export type SessionUpdate = (ClientEvent & { type: 'session.update' })['session']

export type Parsed =
  | {
      readonly is: 'event'
      readonly event: ClientEvent
      readonly raw: Readonly<Record<string, unknown>> & { readonly type: string }
    }
  | { readonly is: 'parley'; readonly event: ParleyEvent }
  | {
      readonly is: 'wrong'
      readonly code: string
      readonly message: string
      readonly param: string | null
      readonly eventId: string | null
    }

const shape = z.looseObject({ type: z.string(), event_id: z.string().optional() })

export function parseClientEvent(frame: Buffer, parley: boolean): Parsed {
  let json: unknown
  try {
    json = JSON.parse(frame.toString('utf8'))
  } catch {
    return { is: 'wrong', code: 'invalid_json', message: 'The frame is not JSON.', param: null, eventId: null }
  }
  const named = shape.safeParse(json)
  if (!named.success)
    return {
      is: 'wrong',
      code: 'missing_required_parameter',
      message: "Missing required parameter: 'type'.",
      param: 'type',
      eventId: null,
    }
  const { type } = named.data
  const eventId = named.data.event_id ?? null
  if (parley && type.startsWith('parley.')) {
    const parsed = parleyEvent.safeParse(json)
    return parsed.success ? { is: 'parley', event: parsed.data } : wrong(parsed.error, type, eventId)
  }
  const parsed = clientEvent.safeParse(json)
  return parsed.success ? { is: 'event', event: parsed.data, raw: named.data } : wrong(parsed.error, type, eventId)
}

function wrong(error: z.ZodError, type: string, eventId: string | null): Parsed {
  const issue = error.issues[0]
  if (issue?.code === 'invalid_union' && issue.path.join('.') === 'type') {
    return {
      is: 'wrong',
      code: 'invalid_value',
      message: `Invalid value: '${type.slice(0, 64)}' is no client event.`,
      param: 'type',
      eventId,
    }
  }
  const param = issue?.path.join('.') ?? null
  const missing = issue?.code === 'invalid_type' && issue.message.includes('received undefined')
  if (missing) {
    const message = `Missing required parameter: '${param}'.`
    return { is: 'wrong', code: 'missing_required_parameter', message, param, eventId }
  }
  const code = issue?.code === 'invalid_type' ? 'invalid_type' : 'invalid_value'
  return { is: 'wrong', code, message: `Invalid value for '${param}': ${issue?.message ?? 'unknown'}`, param, eventId }
}

/** What of a message is text; its other parts are the provider's business. */
export function messageText(content: readonly { readonly type: string; readonly text?: unknown }[]): string {
  return content.flatMap((part) => ('text' in part ? [String(part.text)] : [])).join('\n')
}

const appendHead = Buffer.from('{"type":"input_audio_buffer.append","audio":"')
const quote = 0x22

/**
 * Length of the base64 in a frame of exactly `{"type":"input_audio_buffer.append","audio":"…"}`, else undefined.
 * The first quote after the head must be the last but one byte: a second `type` key could smuggle another event.
 */
export function plainAppend(frame: Buffer): number | undefined {
  const end = frame.length - 2
  if (end < appendHead.length || frame[end] !== quote || frame[end + 1] !== 0x7d) return undefined
  if (frame.compare(appendHead, 0, appendHead.length, 0, appendHead.length) !== 0) return undefined
  return frame.indexOf(quote, appendHead.length) === end ? end - appendHead.length : undefined
}

export const appendHeadBytes = appendHead.length
