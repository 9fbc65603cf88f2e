// What the sessions' routes answer with.

import { z } from 'zod'
import type { EndReason } from '../protocol/realtime.ts'
import type { Receipt, ReceiptLine, SessionView, UsageOfPerson } from '../protocol/rest.ts'
import { channels } from '../protocol/turn.ts'
import { turnView } from '../transcript/views.ts'

const at = z.iso.datetime()
const micro = z.int().describe('Micro-credits: a million are one credit.')
const usdMicro = z.int().nullable().describe('Micro-dollars; null: not known.')

const endReason = z.enum([
  ...(['client_ended', 'client_gone', 'idle', 'duration_cap', 'out_of_credit', 'operator', 'revoked'] as const),
  ...(['engine_failed', 'engine_ended', 'drain', 'janitor', 'replaced', 'internal'] as const),
]) satisfies z.ZodType<EndReason>

export const sessionView = z
  .strictObject({
    id: z.string(),
    tenantId: z.string(),
    agent: z.strictObject({ id: z.string(), slug: z.string(), name: z.string(), version: z.int().exactOptional() }),
    conversationId: z.string(),
    contactId: z.string(),
    channel: z.enum(channels),
    state: z.enum(['opening', 'live', 'ending', 'ended']),
    endReason: endReason.exactOptional(),
    engine: z.strictObject({
      kind: z.string(),
      model: z.string(),
      demo: z.boolean(),
      passedOver: z.array(z.strictObject({ kind: z.string(), reason: z.string() })).exactOptional(),
    }),
    transport: z.enum(['websocket', 'webrtc', 'livekit', 'direct']).exactOptional(),
    startedAt: at,
    endedAt: at.exactOptional(),
    lastSeenAt: at,
    seconds: z.number(),
    tokens: z.number(),
    creditsMicro: micro,
    costUsdMicro: usdMicro,
    turns: z.number(),
    interruptions: z.number(),
    latencyMs: z.number().nullable().describe('Median over the turns; null before the first answer.'),
    lastText: z.string(),
    activity: z.enum(['listening', 'thinking', 'speaking', 'tool']),
  })
  .meta({ id: 'Session' }) satisfies z.ZodType<SessionView>

export const transcriptReply = z.strictObject({ turns: z.array(turnView) })

const receiptLine = z.strictObject({
  meter: z.string(),
  quantity: z.number(),
  unit: z.enum(['second', 'token', 'call', 'character', 'message']),
  priceMicroPerMillion: z.number().describe('Micro-credits per 1,000,000 units.'),
  amountMicro: micro,
}) satisfies z.ZodType<ReceiptLine>

export const receiptReply = z
  .strictObject({
    sessionId: z.string(),
    holdId: z.string(),
    lines: z.array(receiptLine),
    totalMicro: micro,
    waivedMicro: micro,
    costUsdMicro: usdMicro,
    entryId: z.string(),
    settledAt: at,
    charges: z.array(z.strictObject({ entryId: z.string(), amountMicro: micro, at })),
  })
  .meta({ id: 'Receipt' }) satisfies z.ZodType<Receipt>

const usageOfPerson = z.strictObject({
  emailHash: z.string().nullable(),
  contactIds: z.array(z.string()),
  sessions: z.number(),
  seconds: z.number(),
  creditsMicro: micro,
}) satisfies z.ZodType<UsageOfPerson>

export const peopleReply = z.strictObject({ people: z.array(usageOfPerson) })
