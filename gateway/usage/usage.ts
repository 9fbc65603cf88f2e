// Admission and metering: rate limits, concurrency slots, the price book, the running bill, usage per day.
// Never opens a session and never moves credit itself: it asks the ledger.

import type { Redis } from '@upstash/redis'
import type { Db } from 'mongodb'
import type { Ledger } from '../ledger/ledger.ts'
import type { Clock } from '../platform/clock.ts'
import { createBreaker } from '../platform/deadline.ts'
import type { TenantId } from '../platform/ids.ts'
import type { Log } from '../platform/log.ts'
import type { CollectionSpec } from '../platform/mongo.ts'
import { Problem } from '../platform/problem.ts'
import type { UsageDay } from '../protocol/rest.ts'
import type { Channel } from '../protocol/turn.ts'
import { type AdmitAnswer, type AdmitRequest, admit } from './admission.ts'
import { type AgentDayAnswer, type AgentDayAsk, createAgentDays } from './agent-day.ts'
import { type Bill, billOf, laterUsage, type PriceSnapshot, type UsageSoFar, whole } from './bill.ts'
import { type ChargeAnswer, type ChargeAsk, type ChargeRequest, createCharges, type MayChargeAnswer } from './charge.ts'
import { type DailyStore, dailySpec, openDaily } from './daily-store.ts'
import { dayOpenSpec, openDayOpen } from './day-open-store.ts'
import { createLocalGate } from './local-gate.ts'
import { openPrices, priceSpec } from './price-store.ts'
import { createRates, type RateAsk, type RateRefusal } from './rates.ts'
import { createReserves, type Reserves } from './reserve.ts'
import { createSlotCheck, holders, type LiveSessions } from './slot-check.ts'
import { createSlots, type LastBeat, type SessionKey } from './slots.ts'

export type { Admission, AdmitAnswer, AdmitRequest } from './admission.ts'
export type { AgentDayAnswer } from './agent-day.ts'
export type { Bill, PriceSnapshot, UsageSoFar } from './bill.ts'
export type { Action, ChargeRequest } from './charge.ts'
export type { Metered, PieceCharged, Reservation, ReserveAsk } from './reserve.ts'

export interface HeartbeatFacts {
  readonly tenantId: TenantId
  readonly sessionId: string
  readonly epoch: number
  readonly usage: UsageSoFar
}

export interface CheckpointFacts extends HeartbeatFacts {
  readonly holdId: string
  readonly agentId: string
  readonly channel: Channel
  readonly bill: Bill
  /** UTC calendar day, `YYYY-MM-DD`. */
  readonly day: string
}

export interface Usage extends Reserves {
  /** Rate, slot, hold: in that order; a refusal leaves nothing behind. */
  admit(request: AdmitRequest): Promise<AdmitAnswer>
  bill(price: PriceSnapshot, usage: UsageSoFar): Bill
  /** Of two reports about one session the later, figure by figure. */
  later(a: UsageSoFar, b: UsageSoFar): UsageSoFar
  /** Redis: renews the slot's lease and the cumulative counters (set if greater under the same epoch). Never throws, at most 50 ms. */
  heartbeat(facts: HeartbeatFacts): Promise<void>
  /** What the last heartbeat told. Undefined when there was none, it is forgotten or Redis does not answer. Never throws. */
  lastBeat(session: { readonly tenantId: TenantId; readonly sessionId: string }): Promise<LastBeat | undefined>
  /** Mongo: the hold's high-water and usage_daily, max-merged. */
  checkpoint(facts: CheckpointFacts): Promise<'applied' | 'fenced' | 'gone'>
  /** Gives the slot back. Safe to call twice, never throws. */
  release(facts: { readonly tenantId: TenantId; readonly sessionId: string }): Promise<void>
  /** A request of a key or a visitor against its plan: token buckets apart from those of sessions. Never throws, at most 50 ms. */
  allowRequest(ask: RateAsk): Promise<{ readonly is: 'allowed' } | RateRefusal>
  /** Whether the agent may go on today. A session that lives asks at its checkpoints. */
  agentDay(ask: AgentDayAsk): Promise<AgentDayAnswer>
  /** Before an answer or an action outside of live sessions: the agent's day, and credit for it. Sets nothing aside. */
  mayCharge(ask: ChargeAsk): Promise<MayChargeAnswer>
  /** Charges it, once per key, and counts it in the agent's day. The hard wall is here, whatever was asked before. */
  charge(request: ChargeRequest): Promise<ChargeAnswer>
  days(tenantId: TenantId, range: { readonly from: string; readonly to: string }): Promise<readonly UsageDay[]>
}

export const usageCollections: readonly CollectionSpec[] = [priceSpec, dailySpec, dayOpenSpec]

export function createUsage(deps: {
  readonly db: Db
  readonly redis: Redis
  readonly ledger: Ledger
  readonly clock: Clock
  readonly log: Log
  /** Who is believed when a tenant has no slot left. Default: sessions with a hold. */
  readonly liveSessions?: LiveSessions
}): Usage {
  const { db, redis, ledger, clock, log } = deps
  const slots = createSlots(redis)
  const local = createLocalGate(clock)
  const daily = openDaily(db)
  const breaker = createBreaker({
    clock,
    onChange: (state) => log.warn({ event: 'usage_redis', state }, 'limits are shared only while closed'),
  })
  const prices = openPrices(db)
  const rates = createRates(redis)
  const slotCheck = createSlotCheck({ live: deps.liveSessions ?? holders(ledger), clock })
  const agentDay = createAgentDays(daily, clock)
  const gate = { ledger, clock, log, prices, rates, slots, slotCheck, agentDay, local, breaker }
  const release = (session: SessionKey) =>
    breaker.run(
      () => slots.release(session),
      () => slotCheck.owe(session),
    )
  return {
    admit: (request) => admit(gate, request),
    bill: billOf,
    later: laterUsage,
    async heartbeat(facts) {
      local.note(facts)
      const isBeaten = await breaker.run(
        async () => {
          await slots.beat(facts, facts)
          return true
        },
        () => false,
      )
      if (isBeaten) await Promise.all(slotCheck.takeOwed().map(release))
    },
    lastBeat: (session) =>
      breaker.run<LastBeat | undefined>(
        () => slots.counters(session),
        () => undefined,
      ),
    checkpoint: (facts) => checkpoint(ledger, daily, facts),
    async release(session) {
      local.leave(session)
      await release(session)
    },
    async allowRequest(ask) {
      const answer = await breaker.run<{ readonly is: 'taken' } | RateRefusal>(
        () => rates.take(ask, 'request'),
        () => local.rate(ask, 'request'),
      )
      return answer.is === 'refused' ? answer : { is: 'allowed' }
    },
    agentDay,
    ...createCharges({ ledger, prices, daily, clock, agentDay }),
    ...createReserves({ ledger, prices, daily, dayOpen: openDayOpen(db), clock, log }),
    async days(tenantId, range) {
      return daily.read(tenantId, { from: requireDay(range.from), to: requireDay(range.to) })
    },
  }
}

/** The ledger first: what a fenced owner counted is not usage. */
async function checkpoint(
  ledger: Ledger,
  daily: DailyStore,
  facts: CheckpointFacts,
): Promise<'applied' | 'fenced' | 'gone'> {
  const { tenantId, sessionId, agentId, channel, bill } = facts
  const day = requireDay(facts.day)
  const { lines, costUsdMicro } = bill
  const answer = await ledger.of(tenantId).checkpoint({ holdId: facts.holdId, epoch: facts.epoch, lines, costUsdMicro })
  if (answer !== 'applied') return answer
  const figures = {
    seconds: whole(facts.usage.seconds),
    tokens: bill.tokens,
    costUsdMicro,
    creditsMicro: bill.totalMicro,
    messages: whole(facts.usage.messages),
  }
  await daily.write(tenantId, { sessionId, agentId, channel, day, ...figures })
  return 'applied'
}

function requireDay(day: string): string {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) throw new Problem('invalid', 'A day is written YYYY-MM-DD.')
  return day
}
