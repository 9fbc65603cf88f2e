// Concurrency slots: leases of a tenant's sessions in one sorted set, scored by when they end, on Redis's own clock.
// A lease nobody renews ends by itself, so a crash or a wiped Redis heals within one lease. Rules U6 and U8.

import type { Redis } from '@upstash/redis'
import { type UsageSoFar, whole } from './bill.ts'

/** Six heartbeats: long enough to outlive a hiccup, short enough that a dead session's slot is soon free. */
export const leaseMs = 30_000
/** Counters outlive their session until the janitor has settled it for certain. */
const countersMs = 3_600_000

const now = `local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
`

/** Nothing to tell when the slot is taken; otherwise who holds them all, each with the milliseconds its lease has left. */
const acquireScript = `${now}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
for i = 4, #ARGV do redis.call('ZREM', KEYS[1], ARGV[i]) end
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  local holders = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
  for i = 2, #holders, 2 do holders[i] = tonumber(holders[i]) - now end
  return holders
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[3])), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {}`

/**
 * An older epoch is refused whole: a session that was taken over must not keep its lease alive. A new owner's counters
 * contain those of the owners before it: what one of these counted while it stood still must not outlive it.
 */
const beatScript = `${now}
local epoch = tonumber(redis.call('HGET', KEYS[2], 'epoch') or '0')
if epoch > tonumber(ARGV[3]) then return 0 end
if epoch < tonumber(ARGV[3]) then redis.call('DEL', KEYS[2]) end
redis.call('HSET', KEYS[2], 'epoch', ARGV[3])
for i = 5, #ARGV, 2 do
  local before = redis.call('HGET', KEYS[2], ARGV[i])
  if not before or tonumber(before) < tonumber(ARGV[i + 1]) then
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
  end
end
redis.call('PEXPIRE', KEYS[2], ARGV[4])
redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[2])), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`

export interface SessionKey {
  readonly tenantId: string
  readonly sessionId: string
}

export interface Holder {
  readonly sessionId: string
  /** Until its lease ends by itself. */
  readonly leftMs: number
}

export interface Slots {
  /**
   * Taken, or who the tenant's `limit` other sessions are. Asking again for a slot one has renews it. Slots of `evict`
   * are freed before.
   */
  acquire(
    session: SessionKey,
    limit: number,
    evict?: readonly string[],
  ): Promise<{ readonly is: 'taken' } | { readonly is: 'full'; readonly holders: readonly Holder[] }>
  /** Renews the lease and raises the counters, unless a later epoch beat already. */
  beat(session: SessionKey, facts: { epoch: number; usage: UsageSoFar }): Promise<boolean>
  /** What the last heartbeat told; undefined when there was none or it is forgotten. */
  counters(session: SessionKey): Promise<LastBeat | undefined>
  release(session: SessionKey): Promise<void>
}

export interface LastBeat {
  readonly epoch: number
  readonly usage: UsageSoFar
}

// The braces put both keys of a tenant on one node of a Redis cluster.
const slotsKey = ({ tenantId }: SessionKey) => `parley:slots:{${tenantId}}`
const countersKey = ({ tenantId, sessionId }: SessionKey) => `parley:usage:{${tenantId}}:${sessionId}`

export function createSlots(redis: Redis): Slots {
  const acquire = redis.createScript<readonly (string | number)[]>(acquireScript)
  const beat = redis.createScript<number>(beatScript)
  return {
    async acquire(session, limit, evict = []) {
      const args = [session.sessionId, String(limit), String(leaseMs), ...evict]
      const held = await acquire.exec([slotsKey(session)], args)
      if (held.length === 0) return { is: 'taken' }
      const holders = held.flatMap((sessionId, i) =>
        i % 2 === 0 ? [{ sessionId: String(sessionId), leftMs: Number(held[i + 1]) }] : [],
      )
      return { is: 'full', holders }
    },
    async beat(session, { epoch, usage }) {
      const pairs = Object.entries(toCounters(usage)).flatMap(([name, value]) => [name, String(whole(value))])
      const args = [session.sessionId, String(leaseMs), String(epoch), String(countersMs), ...pairs]
      return (await beat.exec([slotsKey(session), countersKey(session)], args)) === 1
    },
    async counters(session) {
      const stored = await redis.hgetall<Record<string, number>>(countersKey(session))
      if (stored === null) return undefined
      const { epoch = 0, ...counters } = stored
      return { epoch, usage: fromCounters(counters) }
    },
    async release(session) {
      await redis.zrem(slotsKey(session), session.sessionId)
    },
  }
}

const toolPrefix = 'tool:'

function toCounters({ seconds, toolCalls, meters, tools = {}, messages = 0 }: UsageSoFar): Record<string, number> {
  const byTool = Object.entries(tools).map(([name, calls]) => [toolPrefix + name, calls] as const)
  return { seconds, toolCalls, ...(messages > 0 ? { messages } : {}), ...meters, ...Object.fromEntries(byTool) }
}

function fromCounters(counters: Readonly<Record<string, number>>): UsageSoFar {
  const { seconds = 0, toolCalls = 0, messages, ...others } = counters
  const isTool = ([name]: readonly [string, number]) => name.startsWith(toolPrefix)
  const all = Object.entries(others)
  const tools = all.filter(isTool).map(([name, calls]) => [name.slice(toolPrefix.length), calls] as const)
  return {
    ...{ seconds, toolCalls, meters: Object.fromEntries(all.filter((each) => !isTool(each))) },
    ...(tools.length === 0 ? {} : { tools: Object.fromEntries(tools) }),
    ...(messages === undefined ? {} : { messages }),
  }
}
