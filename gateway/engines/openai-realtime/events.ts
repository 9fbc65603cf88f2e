// The provider's events as far as we read them. Tolerant: unknown fields pass, a known event in a strange shape stays native.

import { z } from 'zod'
import { responseUsage, transcriptionUsage } from './meters.ts'

const id = z.string().min(1)
const text = z.string()

export const anyEvent = z.looseObject({
  type: z.string().min(1),
  response_id: z.string().optional().catch(undefined),
  response: z.looseObject({ id: z.string().optional() }).optional().catch(undefined),
})

/** Undefined for what is no JSON. */
export function json(frame: Buffer): unknown {
  try {
    return JSON.parse(frame.toString('utf8'))
  } catch {
    return undefined
  }
}

export const session = z.object({
  session: z
    .object({
      id: z.string().catch(''),
      model: z.string().catch(''),
      /** Seconds since the epoch. */
      expires_at: z.number().optional().catch(undefined),
    })
    .catch({ id: '', model: '', expires_at: undefined }),
})

export const item = z.object({
  id,
  type: text,
  role: text.optional(),
  status: text.optional(),
  name: text.optional(),
  call_id: text.optional(),
  arguments: text.optional(),
  content: z
    .array(z.looseObject({ type: text }))
    .optional()
    .catch(undefined),
})

export const conversationItem = z.object({ item })
export const outputItem = z.object({ response_id: id, item })
export const ids = z.object({ response_id: id, item_id: id })
export const delta = ids.extend({ delta: text })
export const textDone = ids.extend({ text })
export const transcriptDone = ids.extend({ transcript: text })
export const callDelta = z.object({ item_id: text.optional(), call_id: text.optional() })
export const callDone = z.object({
  response_id: id,
  item_id: id,
  call_id: id,
  name: text.optional(),
  arguments: text,
})

export const responseCreated = z.object({
  response: z.object({ id, conversation_id: text.nullish() }),
})
export const responseDone = z.object({
  response: z.object({
    id,
    status: z.enum(['completed', 'cancelled', 'failed', 'incomplete']).catch('failed'),
    status_details: z
      .object({
        reason: text.nullish(),
        error: z.object({ code: text.nullish(), type: text.nullish() }).nullish(),
      })
      .nullish()
      .catch(undefined),
    output: z.array(z.unknown()).optional().catch(undefined),
    usage: responseUsage.nullish().catch(undefined),
  }),
})

export const speechStarted = z.object({ item_id: id, audio_start_ms: z.number().catch(0) })
export const speechStopped = z.object({ item_id: id, audio_end_ms: z.number().catch(0) })
export const committed = z.object({ item_id: id })
export const heardDelta = z.object({ item_id: id, delta: text })
export const heardDone = z.object({
  item_id: id,
  transcript: text,
  usage: transcriptionUsage.optional().catch(undefined),
})
export const heardFailed = z.object({
  item_id: id,
  error: z.object({ code: text.nullish(), message: text.nullish() }).catch({}),
})
export const truncated = z.object({ item_id: id, audio_end_ms: z.number() })

export const rateLimits = z.object({
  rate_limits: z.array(z.object({ remaining: z.number(), reset_seconds: z.number().catch(0) })),
})

export const error = z.object({
  error: z.object({
    type: text.catch('error'),
    code: text.nullish().catch(undefined),
    message: text.catch(''),
    event_id: text.nullish().catch(undefined),
  }),
})
