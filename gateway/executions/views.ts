// What the routes of executions send.

import { z } from 'zod'
import type { ExecutionSums, ExecutionView } from '../protocol/records.ts'
import { channels } from '../protocol/turn.ts'

const fields = z.strictObject({
  id: z.string(),
  agentId: z.string(),
  conversationId: z.string(),
  sessionId: z.string().nullable(),
  channel: z.enum(channels),
  model: z.string(),
  provider: z.string(),
  inputTokens: z.int(),
  cachedTokens: z.int(),
  outputTokens: z.int(),
  latencyMs: z.int(),
  costUsdMicro: z.int().nullable(),
  creditsMicro: z.int(),
  status: z.enum(['completed', 'failed', 'cancelled']),
  error: z.string().nullable(),
  steps: z.array(z.strictObject({ name: z.string(), ms: z.int(), outcome: z.string() })),
  at: z.iso.datetime(),
}) satisfies z.ZodType<ExecutionView>

/** A mask may leave any field out. */
export const executionView = fields.partial().meta({ id: 'Execution' })

const sums = z.strictObject({
  count: z.int(),
  failed: z.int(),
  inputTokens: z.int(),
  cachedTokens: z.int(),
  outputTokens: z.int(),
  latencyMs: z.int(),
  costUsdMicro: z.int(),
  creditsMicro: z.int(),
}) satisfies z.ZodType<ExecutionSums>
const maskable = sums.partial()

export const executionStats = z.strictObject({
  total: maskable,
  byAgent: z.array(maskable.extend({ agentId: z.string().optional() })),
  byModel: z.array(maskable.extend({ provider: z.string().optional(), model: z.string().optional() })),
  byDay: z.array(maskable.extend({ day: z.iso.date().optional() })),
})
