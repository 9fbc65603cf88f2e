// What a client may send on /v1/realtime: OpenAI Realtime GA client events and, for our own widget, `parley.*`.
// Strict: an unknown type, an unknown field or one of the wrong kind is one typed error event, and nothing happens.

import { z } from 'zod'
import { limits } from '../../protocol/realtime.ts'
import { faultOf } from './fault.ts'
import { item, type MessagePart, reference } from './item-fields.ts'
import { maxOutputTokens, outputModalities, sessionFields, toolChoice, tools, voice } from './session-fields.ts'

const id = z.string().min(1).max(64)
const eventId = { event_id: z.string().max(512).optional() }

const response = z.strictObject({
  input: z
    .array(z.union([item, reference]))
    .max(256)
    .optional(),
  instructions: z.string().max(64_000).optional(),
  output_modalities: outputModalities.optional(),
  conversation: z.enum(['auto', 'none']).optional(),
  metadata: z
    .record(z.string().max(64), z.string().max(512))
    .refine((all) => Object.keys(all).length <= 16, 'at most 16 keys')
    .nullish(),
  audio: z
    .strictObject({
      output: z.strictObject({ voice: voice.optional(), format: z.looseObject({}).optional() }).optional(),
    })
    .optional(),
  tools: tools.optional(),
  tool_choice: toolChoice.optional(),
  parallel_tool_calls: z.boolean().optional(),
  max_output_tokens: maxOutputTokens.optional(),
  reasoning: z.looseObject({}).nullish(),
  prompt: z.looseObject({}).nullish(),
})
export type ResponseFields = z.output<typeof response>

export const clientEvent = z.discriminatedUnion('type', [
  z.strictObject({ ...eventId, type: z.literal('session.update'), session: sessionFields }),
  z.strictObject({ ...eventId, type: z.literal('input_audio_buffer.append'), audio: z.base64() }),
  z.strictObject({ ...eventId, type: z.literal('input_audio_buffer.commit') }),
  z.strictObject({ ...eventId, type: z.literal('input_audio_buffer.clear') }),
  z.strictObject({ ...eventId, type: z.literal('output_audio_buffer.clear') }),
  z.strictObject({
    ...eventId,
    type: z.literal('conversation.item.create'),
    previous_item_id: z.string().max(64).nullish(),
    item,
  }),
  z.strictObject({ ...eventId, type: z.literal('conversation.item.retrieve'), item_id: id }),
  z.strictObject({ ...eventId, type: z.literal('conversation.item.delete'), item_id: id }),
  z.strictObject({
    ...eventId,
    type: z.literal('conversation.item.truncate'),
    item_id: id,
    content_index: z.literal(0),
    audio_end_ms: z.number().int().nonnegative(),
  }),
  z.strictObject({ ...eventId, type: z.literal('response.create'), response: response.nullish() }),
  z.strictObject({ ...eventId, type: z.literal('response.cancel'), response_id: z.string().max(64).nullish() }),
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
  z.strictObject({
    type: z.literal('parley.visual.submit'),
    item_id: id,
    id,
    values: z
      .record(z.string().max(64), z.union([z.string(), z.number(), z.boolean()]))
      .refine((all) => Object.keys(all).length <= 20 && JSON.stringify(all).length <= limits.submitChars, 'too much'),
  }),
  z.strictObject({
    type: z.literal('parley.action.result'),
    call_id: id,
    ok: z.boolean(),
    result: z.json().refine((value) => JSON.stringify(value).length <= limits.actionResultChars, 'too much'),
  }),
  z.strictObject({ type: z.literal('parley.ack'), seq: z.int().nonnegative() }),
  z.strictObject({ type: z.literal('parley.bye') }),
  z.strictObject({ type: z.literal('parley.heartbeat'), n: z.number().int() }),
])

export type ClientEvent = z.infer<typeof clientEvent>
export type ParleyEvent = z.infer<typeof parleyEvent>

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

const shape = z.looseObject({ type: z.string(), event_id: z.string().optional().catch(undefined) })

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
  const from = named.data.event_id ?? null
  if (parley && type.startsWith('parley.')) {
    const parsed = parleyEvent.safeParse(json)
    return parsed.success ? { is: 'parley', event: parsed.data } : wrong(parsed.error, type, from)
  }
  const parsed = clientEvent.safeParse(json)
  return parsed.success ? { is: 'event', event: parsed.data, raw: named.data } : wrong(parsed.error, type, from)
}

function wrong(error: z.ZodError, type: string, eventId: string | null): Parsed {
  const fault = faultOf(error)
  const message = fault.param === 'type' ? `Invalid value: '${type.slice(0, 64)}' is no client event.` : fault.message
  return { is: 'wrong', ...fault, message, eventId }
}

/** What of a message is text, the words of its sound included; its other parts are the provider's business. */
export function messageText(content: readonly MessagePart[]): string {
  return content
    .map((part) => ('text' in part ? part.text : 'transcript' in part ? (part.transcript ?? '') : ''))
    .filter((text) => text !== '')
    .join('\n')
}

const appendHead = Buffer.from('{"type":"input_audio_buffer.append","audio":"')
const quote = 0x22

/**
 * Length of the base64 in a frame of exactly `{"type":"input_audio_buffer.append","audio":"…"}` (or another head that ends
 * where the base64 begins), else undefined. The first quote after the head must be the last but one byte: a second `type` key could smuggle another event.
 */
export function plainAppend(frame: Buffer, head: Buffer = appendHead): number | undefined {
  const end = frame.length - 2
  if (end < head.length || frame[end] !== quote || frame[end + 1] !== 0x7d) return undefined
  if (frame.compare(head, 0, head.length, 0, head.length) !== 0) return undefined
  return frame.indexOf(quote, head.length) === end ? end - head.length : undefined
}

export const appendHeadBytes = appendHead.length
