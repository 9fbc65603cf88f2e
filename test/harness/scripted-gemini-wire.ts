// What a client of BidiGenerateContent may send, as strictly as the provider takes it: one key a frame, no unknown fields, the
// types of the published messages (@google/genai 3.1.0). What it does not take closes the connection with 1007 and a sentence.

import { z } from 'zod'

const text = z.string()
const part = z.strictObject({ text })
const content = z.strictObject({ role: z.enum(['user', 'model']), parts: z.array(part).min(1) })

const voices = ['Kore', 'Puck', 'Charon', 'Aoede', 'Zephyr', 'Fenrir', 'Leda', 'Orus', 'Sulafat', 'Achernar'] as const

/** The OpenAPI subset of a function declaration. */
const schema: z.ZodType = z.lazy(() =>
  z
    .strictObject({
      type: z.enum(['STRING', 'NUMBER', 'INTEGER', 'BOOLEAN', 'ARRAY', 'OBJECT']).optional(),
      title: text.optional(),
      description: text.optional(),
      nullable: z.boolean().optional(),
      enum: z.array(text).min(1).optional(),
      format: text.optional(),
      pattern: text.optional(),
      items: schema.optional(),
      minItems: text.optional(),
      maxItems: text.optional(),
      minLength: text.optional(),
      maxLength: text.optional(),
      minProperties: text.optional(),
      maxProperties: text.optional(),
      minimum: z.number().optional(),
      maximum: z.number().optional(),
      properties: z.record(text, schema).optional(),
      required: z.array(text).optional(),
      anyOf: z.array(schema).optional(),
    })
    .refine((value) => value.type !== 'ARRAY' || value.items !== undefined, 'items: missing field.')
    .refine(
      (value) => (value.required ?? []).every((name) => Object.hasOwn(value.properties ?? {}, name)),
      'required[0]: property is not defined',
    ),
)

const declaration = z.strictObject({
  name: text.regex(/^[a-zA-Z_][\w.:-]{0,63}$/),
  description: text.optional(),
  parameters: schema
    .refine((value) => Object.keys(Object(Object(value).properties)).length > 0, 'should be non-empty for OBJECT type')
    .optional(),
  behavior: z.enum(['BLOCKING', 'NON_BLOCKING']).optional(),
})

export const setup = z.strictObject({
  model: text.startsWith('models/'),
  generationConfig: z
    .strictObject({
      // Of the models of 2026 none answers in writing.
      responseModalities: z.tuple([z.literal('AUDIO')]),
      maxOutputTokens: z.int().positive().optional(),
      speechConfig: z
        .strictObject({
          voiceConfig: z.strictObject({ prebuiltVoiceConfig: z.strictObject({ voiceName: z.enum(voices) }) }),
        })
        .optional(),
      temperature: z.number().optional(),
    })
    .optional(),
  systemInstruction: z.strictObject({ parts: z.array(part).min(1) }).optional(),
  tools: z.array(z.strictObject({ functionDeclarations: z.array(declaration).min(1) })).optional(),
  realtimeInputConfig: z
    .strictObject({
      automaticActivityDetection: z.strictObject({ disabled: z.boolean().optional() }).optional(),
    })
    .optional(),
  sessionResumption: z.strictObject({ handle: text.min(1).optional() }).optional(),
  contextWindowCompression: z
    .strictObject({
      triggerTokens: text.optional(),
      slidingWindow: z.strictObject({ targetTokens: text.optional() }).optional(),
    })
    .optional(),
  inputAudioTranscription: z.strictObject({}).optional(),
  outputAudioTranscription: z.strictObject({}).optional(),
  historyConfig: z.strictObject({ initialHistoryInClientContent: z.boolean().optional() }).optional(),
})
export type Setup = z.output<typeof setup>

const clientContent = z.strictObject({ turns: z.array(content).optional(), turnComplete: z.boolean().optional() })
const base64 = text.regex(/^[A-Za-z0-9+/]+={0,2}$/)
const realtimeInput = z.union([
  z.strictObject({ audio: z.strictObject({ mimeType: z.literal('audio/pcm;rate=16000'), data: base64 }) }),
  z.strictObject({ activityStart: z.strictObject({}) }),
  z.strictObject({ activityEnd: z.strictObject({}) }),
  z.strictObject({ audioStreamEnd: z.literal(true) }),
])
const functionResponse = z.strictObject({
  id: text.min(1).optional(),
  name: text.min(1),
  response: z.record(text, z.unknown()),
  scheduling: z.enum(['SILENT', 'WHEN_IDLE', 'INTERRUPT']).optional(),
})
const toolResponse = z.strictObject({ functionResponses: z.array(functionResponse).min(1) })

const clientMessage = z.union([
  z.strictObject({ setup }),
  z.strictObject({ clientContent }),
  z.strictObject({ realtimeInput }),
  z.strictObject({ toolResponse }),
])
export type ClientMessage = z.output<typeof clientMessage>
export type ClientContent = z.output<typeof clientContent>
export type RealtimeInput = z.output<typeof realtimeInput>
export type ToolResponse = z.output<typeof toolResponse>

/** The message, or the sentence of the close frame. */
export function readClientMessage(frame: string): ClientMessage | string {
  let raw: unknown
  try {
    raw = JSON.parse(frame)
  } catch {
    return 'Invalid JSON payload received. Parsing terminated before end of input.'
  }
  const parsed = clientMessage.safeParse(raw)
  if (parsed.success) return parsed.data
  return `Invalid JSON payload received. ${z.prettifyError(parsed.error)}`.slice(0, 120)
}
