// A turn as it is sent.

import { z } from 'zod'
import { channels, type Turn } from '../protocol/turn.ts'

const ms = z.number().exactOptional()

const latency = z.strictObject({
  endpointingMs: ms,
  sttMs: ms,
  modelMs: ms,
  toolsMs: ms,
  ttsMs: ms,
  transportMs: ms,
})

export const turnView = z
  .strictObject({
    id: z.string(),
    sessionId: z.string(),
    conversationId: z.string(),
    channel: z.enum(channels),
    role: z.enum(['user', 'agent', 'tool', 'system']),
    state: z.enum(['partial', 'final', 'interrupted', 'failed']),
    seq: z.number().describe('Position in the conversation; never changes once given.'),
    text: z.string().describe('What the other side heard or read.'),
    unheard: z.string().exactOptional().describe('Generated but never heard, after an interruption.'),
    voice: z.boolean(),
    itemId: z.string(),
    tool: z
      .strictObject({
        name: z.string(),
        callId: z.string(),
        arguments: z.string(),
        output: z.string().exactOptional(),
        state: z.enum(['running', 'ok', 'failed']),
      })
      .exactOptional(),
    audio: z.strictObject({ sentMs: z.number(), playedMs: z.number() }).exactOptional(),
    latencyMs: ms,
    latency: latency.exactOptional(),
    createdAt: z.iso.datetime().describe('When speech began.'),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Turn' }) satisfies z.ZodType<Turn>
