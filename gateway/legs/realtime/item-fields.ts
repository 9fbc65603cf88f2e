// The items of a conversation as a client may send them: alone, or as the input of one answer.

import { z } from 'zod'

/** As the provider has it: a longer id would be refused there, after it was taken here. */
const maxIdChars = 32

const base = {
  id: z.string().min(1).max(maxIdChars).optional(),
  object: z.literal('realtime.item').optional(),
  status: z.enum(['completed', 'incomplete', 'in_progress']).optional(),
}
const text = z.string().max(64_000)
const inputText = z.strictObject({ type: z.literal('input_text'), text })
const outputText = z.strictObject({ type: z.literal('output_text'), text })
const inputAudio = z.strictObject({ type: z.literal('input_audio'), audio: z.base64(), transcript: text.nullish() })
const inputImage = z.strictObject({
  type: z.literal('input_image'),
  image_url: z.string().max(512 * 1024),
  detail: z.enum(['auto', 'low', 'high']).nullish(),
})

const maxParts = 32
const message = z.discriminatedUnion('role', [
  z.strictObject({
    ...base,
    type: z.literal('message'),
    role: z.literal('user'),
    content: z.array(z.discriminatedUnion('type', [inputText, inputAudio, inputImage])).max(maxParts),
  }),
  z.strictObject({
    ...base,
    type: z.literal('message'),
    role: z.literal('system'),
    content: z.array(inputText).max(maxParts),
  }),
  z.strictObject({
    ...base,
    type: z.literal('message'),
    role: z.literal('assistant'),
    // Nobody but the model makes its audio.
    content: z.array(outputText).max(maxParts),
  }),
])

const callId = z.string().min(1).max(128)

export const item = z.discriminatedUnion('type', [
  message,
  z.strictObject({
    ...base,
    type: z.literal('function_call_output'),
    call_id: callId,
    output: z.string().max(256 * 1024),
  }),
  z.strictObject({
    ...base,
    type: z.literal('function_call'),
    name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
    arguments: z.string().max(64_000),
    call_id: callId.optional(),
  }),
  z.strictObject({
    ...base,
    type: z.literal('mcp_approval_response'),
    approval_request_id: z.string().max(128),
    approve: z.boolean(),
    reason: text.nullish(),
  }),
])

export const reference = z.strictObject({ type: z.literal('item_reference'), id: z.string().min(1).max(64) })

export type ClientItem = z.output<typeof item>
export type MessageItem = z.output<typeof message>
export type MessagePart = MessageItem['content'][number]
