// The provider's messages as far as we read them. One message may hold several things at once. Tolerant: unknown fields
// pass, a field in a strange shape is as if it were not there; only what is no object at all is no message.
// Source: types of @google/genai 3.1.0; which fields come together, and when, is said where they are read.

import { z } from 'zod'

/** Absent where it is not as it should be. */
function maybe<S extends z.ZodType>(schema: S) {
  return schema.optional().catch(undefined)
}

const flag = maybe(z.boolean())
const text = maybe(z.string())
const tokens = maybe(z.number().nonnegative())
const details = maybe(
  z.array(z.object({ modality: z.string().catch(''), tokenCount: z.number().nonnegative().catch(0) })),
)

const part = z.looseObject({
  inlineData: maybe(z.object({ mimeType: z.string().catch(''), data: z.string() })),
})
const transcription = maybe(z.object({ text, finished: flag }))

const serverContent = z.object({
  modelTurn: maybe(z.object({ parts: z.array(z.unknown()).catch([]) })),
  generationComplete: flag,
  turnComplete: flag,
  turnCompleteReason: text,
  interrupted: flag,
  inputTranscription: transcription,
  outputTranscription: transcription,
})

const functionCall = z.object({
  id: text,
  name: z.string().min(1),
  args: z.record(z.string(), z.unknown()).catch({}),
})

export const usageMetadata = z.object({
  promptTokenCount: tokens,
  promptTokensDetails: details,
  cachedContentTokenCount: tokens,
  cacheTokensDetails: details,
  toolUsePromptTokenCount: tokens,
  toolUsePromptTokensDetails: details,
  responseTokenCount: tokens,
  responseTokensDetails: details,
  thoughtsTokenCount: tokens,
})

export const serverMessage = z.looseObject({
  setupComplete: maybe(z.object({ sessionId: text })),
  serverContent: maybe(serverContent),
  toolCall: maybe(z.object({ functionCalls: z.array(z.unknown()).catch([]) })),
  toolCallCancellation: maybe(z.object({ ids: z.array(z.string()).catch([]) })),
  usageMetadata: maybe(usageMetadata),
  goAway: maybe(z.object({ timeLeft: text })),
  sessionResumptionUpdate: maybe(z.object({ newHandle: text, resumable: flag })),
  voiceActivity: maybe(z.object({ voiceActivityType: text, audioOffset: text })),
})

export type ServerMessage = z.output<typeof serverMessage>
export type ServerContent = z.output<typeof serverContent>
export type UsageMetadata = z.output<typeof usageMetadata>
export type FunctionCall = z.output<typeof functionCall>

/** Undefined: no JSON object. */
export function readMessage(frame: Buffer): ServerMessage | undefined {
  try {
    return serverMessage.safeParse(JSON.parse(frame.toString('utf8'))).data
  } catch {
    return undefined
  }
}

const pcmType = /^audio\/pcm\b(?!.*rate=(?!24000\b))/

/** Samples of PCM16 24 kHz, in order. Thoughts and other parts are not for ears. */
export function audioIn(content: ServerContent): readonly Buffer[] {
  return (content.modelTurn?.parts ?? []).flatMap((each) => {
    const data = part.safeParse(each).data?.inlineData
    if (data === undefined || !pcmType.test(data.mimeType)) return []
    const pcm = Buffer.from(data.data, 'base64')
    const whole = pcm.length & ~1
    return whole === 0 ? [] : [pcm.subarray(0, whole)]
  })
}

export function callsIn({ functionCalls }: { readonly functionCalls: readonly unknown[] }): readonly FunctionCall[] {
  return functionCalls.flatMap((each) => functionCall.safeParse(each).data ?? [])
}

/** A protobuf duration such as `9.5s`; undefined when it is none. */
export function durationMs(duration: string | undefined): number | undefined {
  const seconds = /^(\d+(?:\.\d+)?)s$/.exec(duration ?? '')?.[1]
  return seconds === undefined ? undefined : Number(seconds) * 1000
}

const known = new Set([
  ...['setupComplete', 'serverContent', 'toolCall', 'toolCallCancellation', 'usageMetadata', 'goAway'],
  ...['sessionResumptionUpdate', 'voiceActivity'],
])

/** What of a message nobody here reads. */
export function unknownIn(message: ServerMessage): readonly string[] {
  return Object.keys(message).filter((name) => !known.has(name))
}
