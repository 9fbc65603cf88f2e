// What the routes of credits and usage answer with.

import { z } from 'zod'
import type { CreditsView, EntryView, TierBalance, UsageDay } from '../protocol/rest.ts'
import { channels } from '../protocol/turn.ts'

const micro = z.int().describe('Micro-credits: a million are one credit.')
const at = z.iso.datetime()

const tier = z.strictObject({
  postedMicro: micro,
  heldMicro: micro,
  availableMicro: micro,
  nextExpiryAt: at.nullable(),
}) satisfies z.ZodType<TierBalance>

export const creditsView = z
  .strictObject({
    postedMicro: micro,
    heldMicro: micro,
    availableMicro: micro,
    debtMicro: micro,
    tiers: z.strictObject({ daily: tier, monthly: tier, purchased: tier }),
    breached: z.boolean().describe('The entries do not give this balance: nothing new is spent.'),
    holds: z.array(z.strictObject({ id: z.string(), sessionId: z.string(), amountMicro: micro, usedMicro: micro })),
  })
  .meta({ id: 'Credits' }) satisfies z.ZodType<CreditsView>

const share = micro.exactOptional()

export const entryView = z
  .strictObject({
    id: z.string(),
    kind: z.enum(['grant', 'purchase', 'settle', 'deduct', 'refund', 'adjust', 'expire', 'debt', 'repay']),
    amountMicro: micro,
    balanceMicro: micro,
    tiers: z.strictObject({ daily: share, monthly: share, purchased: share }).exactOptional(),
    debtMicro: micro.exactOptional(),
    expiresAt: at.exactOptional(),
    sessionId: z.string().exactOptional(),
    note: z.string(),
    at,
  })
  .meta({ id: 'CreditEntry' }) satisfies z.ZodType<EntryView>

const usageDay = z.strictObject({
  day: z.iso.date(),
  channel: z.enum(channels),
  agentId: z.string(),
  sessions: z.number(),
  seconds: z.number(),
  tokens: z.number(),
  costUsdMicro: z.int().describe('Micro-dollars that are known of.'),
  costUnknown: z.number().describe('Sessions whose cost is not (wholly) known.'),
  creditsMicro: micro,
}) satisfies z.ZodType<UsageDay>

export const usageDaysReply = z.strictObject({ days: z.array(usageDay) })
