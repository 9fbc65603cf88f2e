// What every run of an agent took: tokens, time, cost. Owns the figures and their sums; charges nothing.

import type { Db } from 'mongodb'
import type { AuthContext } from '../platform/access.ts'
import type { Clock } from '../platform/clock.ts'
import { momentCursor, momentOf, type PageQuery, pageFrom } from '../platform/cursor.ts'
import type { TenantId } from '../platform/ids.ts'
import type { CollectionSpec } from '../platform/mongo.ts'
import { type Filter, rowFilter } from '../platform/row-filter.ts'
import type { ExecutionPage, ExecutionStats, ExecutionSums, ExecutionView } from '../protocol/records.ts'
import type { NewExecution } from './execution.ts'
import {
  type ExecutionFilter,
  type ExecutionStore,
  executionRowFields,
  executionStore,
  momentOfExecution,
} from './store.ts'

export type { NewExecution } from './execution.ts'
export type { ExecutionFilter } from './store.ts'

export interface ExecutionLog {
  /** Newest first. `invalid` for a cursor of another list. */
  list(query: ExecutionFilter & PageQuery): Promise<ExecutionPage>
  get(id: string): Promise<ExecutionView | undefined>
  /** Sums over exactly what `list` shows for the same filter. */
  getStats(filter: ExecutionFilter): Promise<ExecutionStats>
}

/** Unrestricted by itself: for the gateway's own use. */
export interface TenantExecutions extends ExecutionLog {
  record(run: NewExecution): Promise<ExecutionView>
  as(auth: AuthContext): ExecutionLog
}

export interface Executions {
  of(tenantId: TenantId): TenantExecutions
}

export const executionCollections: readonly CollectionSpec[] = [executionStore.spec]

export function createExecutions(deps: { readonly db: Db; readonly clock: Clock }): Executions {
  const store = executionStore.open(deps.db)
  return {
    of: (tenantId) => ({
      ...logOf(store, tenantId, undefined),
      record: (run) => store.insert(tenantId, run, new Date(deps.clock.now())),
      as: (auth) => logOf(store, tenantId, auth),
    }),
  }
}

function logOf(store: ExecutionStore, tenantId: TenantId, auth: AuthContext | undefined): ExecutionLog {
  const rows: Filter = (auth && rowFilter(auth.rows('executions'), auth, executionRowFields)) ?? {}
  const masked = <T extends object>(record: T): T => auth?.masked('executions', record) ?? record
  return {
    async list({ limit, cursor, ...filter }) {
      const after = cursor === undefined ? undefined : momentOf(cursor)
      const found = await store.page(tenantId, { filter, rows, after, count: limit + 1 })
      return pageFrom(found, limit, { view: masked, cursor: (last) => momentCursor(momentOfExecution(last)) })
    },
    async get(id) {
      const run = await store.get(tenantId, id, rows)
      return run === undefined ? undefined : masked(run)
    },
    async getStats(filter) {
      const [agents, models, days] = await Promise.all([
        store.sums(tenantId, { filter, rows, by: 'agent' }),
        store.sums(tenantId, { filter, rows, by: 'model' }),
        store.sums(tenantId, { filter, rows, by: 'day' }),
      ])
      return {
        total: masked(agents.reduce(added, nothingYet)),
        byAgent: agents.map((each) => masked({ ...each, agentId: each.agentId ?? '' })),
        byModel: models.map((each) => masked({ ...each, provider: each.provider ?? '', model: each.model ?? '' })),
        byDay: days.map((each) => masked({ ...each, day: each.day ?? '' })),
      }
    },
  }
}

const nothingYet: ExecutionSums = {
  ...{ count: 0, failed: 0, inputTokens: 0, cachedTokens: 0, outputTokens: 0 },
  ...{ latencyMs: 0, costUsdMicro: 0, creditsMicro: 0 },
}

function added(sum: ExecutionSums, one: ExecutionSums): ExecutionSums {
  return {
    count: sum.count + one.count,
    failed: sum.failed + one.failed,
    inputTokens: sum.inputTokens + one.inputTokens,
    cachedTokens: sum.cachedTokens + one.cachedTokens,
    outputTokens: sum.outputTokens + one.outputTokens,
    latencyMs: sum.latencyMs + one.latencyMs,
    costUsdMicro: sum.costUsdMicro + one.costUsdMicro,
    creditsMicro: sum.creditsMicro + one.creditsMicro,
  }
}
