// Admission and metering: rate limits, concurrency slots, the price book, the running bill, usage per day.
// Never opens a session and never moves credit itself: it asks the ledger.

import type { Redis } from '@upstash/redis'
import type { Db } from 'mongodb'
import type { Meters } from '../engines/engines.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Clock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import type { Log } from '../platform/log.ts'
import type { CollectionSpec } from '../platform/mongo.ts'
import type { ReceiptLine, UsageDay } from '../protocol/rest.ts'
import type { Channel } from '../protocol/turn.ts'

/** A price book entry as it stood when the session began: an edit during the call changes nothing. */
export interface PriceSnapshot {
  readonly id: string
  readonly engine: string
  /** Micro-credits for one second of session, always charged. */
  readonly secondMicro: number
  /** Micro-credits per million units of each meter. */
  readonly meterMicroPerMillion: Readonly<Record<string, number>>
  /** Micro-dollars per million units, what the provider charges us. Null: unknown. */
  readonly costUsdMicroPerMillion: Readonly<Record<string, number>> | null
  /** What a busy second costs at most: sizes the hold. */
  readonly holdSecondMicro: number
}

/** Cumulative facts of one session. Seconds are media seconds by the gateway's monotonic clock. */
export interface UsageSoFar {
  readonly seconds: number
  readonly meters: Meters
  readonly toolCalls: number
}

export interface Bill {
  readonly lines: readonly ReceiptLine[]
  readonly totalMicro: number
  readonly tokens: number
  readonly costUsdMicro: number | null
}

export interface AdmitRequest {
  readonly tenantId: TenantId
  readonly plan: 'free' | 'pro' | 'enterprise'
  readonly agentId: string
  readonly sessionId: string
  readonly channel: Channel
  readonly engine: string
  readonly ip: string
  readonly keyId: string
  readonly owner: string
}

export interface Admission {
  readonly holdId: string
  readonly epoch: number
  readonly heldMicro: number
  readonly price: PriceSnapshot
}

export type AdmitAnswer =
  | { readonly is: 'admitted'; readonly admission: Admission }
  | { readonly is: 'refused'; readonly code: 'too_many' | 'no_slot' | 'out_of_credit'; readonly retryAfterMs: number }

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

export interface Usage {
  /** Rate, slot, hold: in that order; a refusal leaves nothing behind. */
  admit(request: AdmitRequest): Promise<AdmitAnswer>
  bill(price: PriceSnapshot, usage: UsageSoFar): Bill
  /** Redis: renews the slot's lease and the cumulative counters (set if greater under the same epoch). Never throws, at most 50 ms. */
  heartbeat(facts: HeartbeatFacts): Promise<void>
  /** Mongo: the hold's high-water and usage_daily, max-merged. */
  checkpoint(facts: CheckpointFacts): Promise<'applied' | 'fenced' | 'gone'>
  /** Gives the slot back. Safe to call twice, never throws. */
  release(facts: { readonly tenantId: TenantId; readonly sessionId: string }): Promise<void>
  days(tenantId: TenantId, range: { readonly from: string; readonly to: string }): Promise<readonly UsageDay[]>
}

export declare const usageCollections: readonly CollectionSpec[]
export declare function createUsage(deps: {
  readonly db: Db
  readonly redis: Redis
  readonly ledger: Ledger
  readonly clock: Clock
  readonly log: Log
}): Usage
