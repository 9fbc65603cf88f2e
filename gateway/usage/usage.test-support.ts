// What tests of admission share: the real slice on a test store and an in-process Redis.

import { Redis } from '@upstash/redis'
import type { Db } from 'mongodb'
import { createEmbeddedRedis } from '../embedded/redis/embedded-redis.ts'
import { createLedger, type Ledger } from '../ledger/ledger.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import { asTenantId, newId, type TenantId } from '../platform/ids.ts'
import { createLog, type Log } from '../platform/log.ts'
import { type Admission, type AdmitAnswer, type AdmitRequest, createUsage, type UsageSoFar } from './usage.ts'

/** A busy machine must not look like a slow Redis: deadlines are for the tests about them. */
export const patient: Clock = { ...systemClock, after: () => ({ cancel() {} }) }

export interface RigOptions {
  readonly redis?: Redis
  readonly clock?: Clock
  readonly ledger?: Ledger
  readonly log?: Log
}

export function usageRig(db: Db, over: RigOptions = {}) {
  const redis = over.redis ?? new Redis(createEmbeddedRedis())
  const ledger = over.ledger ?? createLedger({ db })
  const clock = over.clock ?? patient
  return { redis, ledger, usage: createUsage({ db, redis, ledger, clock, log: over.log ?? createLog('silent') }) }
}
export type Rig = ReturnType<typeof usageRig>

export const fresh = () => asTenantId(newId('ten'))

export const grant = (ledger: Ledger, tenantId: TenantId, credits: number) =>
  ledger.of(tenantId).post({ key: newId('node'), kind: 'grant', amountMicro: credits * 1_000_000, note: '' })

export const ask = (tenantId: TenantId, over: Partial<AdmitRequest> = {}): AdmitRequest => ({
  tenantId,
  plan: 'free',
  agentId: 'agt_1',
  sessionId: newId('sess'),
  channel: 'widget',
  engine: 'demo',
  ip: '203.0.113.7',
  keyId: 'key_1',
  owner: 'node_1',
  ...over,
})

export const soFar = (seconds: number, meters: UsageSoFar['meters'] = {}): UsageSoFar => ({
  seconds,
  meters,
  toolCalls: 0,
})

export async function admitted({ usage }: Rig, request: AdmitRequest): Promise<Admission> {
  const answer = await usage.admit(request)
  if (answer.is !== 'admitted') throw new Error(`refused: ${answer.code}`)
  return answer.admission
}

export const codeOf = (answer: AdmitAnswer) => (answer.is === 'admitted' ? 'admitted' : answer.code)
