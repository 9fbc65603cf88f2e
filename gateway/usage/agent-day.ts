// What an agent may do on one day (UTC), against what it has done: messages and credits. Rule U13.

import type { Clock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import type { AgentDay, DailyStore } from './daily-store.ts'

/** Null or missing: no limit. */
export interface AgentLimits {
  readonly dailyMessages?: number | null
  readonly dailyCreditsMicro?: number | null
}

export interface AgentDayAsk {
  readonly tenantId: TenantId
  readonly agentId: string
  readonly agentLimits?: AgentLimits | undefined
}

export type AgentDayAnswer =
  | { readonly is: 'open' }
  | {
      readonly is: 'refused'
      readonly code: 'agent_day_messages' | 'agent_day_cost'
      /** Until midnight UTC. */
      readonly retryAfterMs: number
    }

const dayMs = 86_400_000
/** Checkpoints are 15 s apart anyway: a burst of sessions reads the day once. */
const keptMs = 2_000
const maxKept = 1_000

/** Nothing is read for an agent without limits. */
export function createAgentDays(daily: DailyStore, clock: Clock): (ask: AgentDayAsk) => Promise<AgentDayAnswer> {
  const kept = new Map<string, { readonly atMs: number; readonly used: Promise<AgentDay> }>()
  const usedBy = ({ tenantId, agentId }: AgentDayAsk, day: string): Promise<AgentDay> => {
    const key = JSON.stringify([tenantId, agentId, day])
    const nowMs = clock.monotonicMs()
    const known = kept.get(key)
    if (known !== undefined && nowMs - known.atMs < keptMs) return known.used
    if (kept.size >= maxKept) kept.clear()
    const used = daily.ofAgent(tenantId, agentId, day)
    kept.set(key, { atMs: nowMs, used })
    used.catch(() => kept.delete(key))
    return used
  }
  return async (ask) => {
    const { dailyMessages = null, dailyCreditsMicro = null } = ask.agentLimits ?? {}
    if (dailyMessages === null && dailyCreditsMicro === null) return { is: 'open' }
    const nowMs = clock.now()
    const used = await usedBy(ask, dayOf(nowMs))
    const retryAfterMs = dayMs - (nowMs % dayMs)
    if (dailyMessages !== null && used.messages >= dailyMessages)
      return { is: 'refused', code: 'agent_day_messages', retryAfterMs }
    if (dailyCreditsMicro !== null && used.creditsMicro >= dailyCreditsMicro)
      return { is: 'refused', code: 'agent_day_cost', retryAfterMs }
    return { is: 'open' }
  }
}

/** UTC calendar day, `YYYY-MM-DD`. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
