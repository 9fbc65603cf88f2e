// Collection `executions`. The only file that knows its documents.

import type { Collection, Db } from 'mongodb'
import { afterMoment, type Moment } from '../platform/cursor.ts'
import { newOrderedId, type TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { Filter } from '../platform/row-filter.ts'
import type { ExecutionStatus, ExecutionStep, ExecutionSums, ExecutionView } from '../protocol/records.ts'
import type { Channel } from '../protocol/turn.ts'
import { maxErrorChars, maxSteps, type NewExecution, whole } from './execution.ts'

interface ExecutionDoc {
  _id: string
  tenantId: string
  agentId: string
  conversationId: string
  sessionId?: string
  channel: Channel
  model: string
  provider: string
  inputTokens: number
  cachedTokens: number
  outputTokens: number
  latencyMs: number
  costUsdMicro: number | null
  creditsMicro: number
  status: ExecutionStatus
  error?: string
  steps: readonly ExecutionStep[]
  /** `YYYY-MM-DD` in UTC */
  day: string
  at: Date
}

export interface ExecutionFilter {
  readonly agentId?: string | undefined
  readonly conversationId?: string | undefined
  readonly status?: ExecutionStatus | undefined
  readonly model?: string | undefined
  /** Included. */
  readonly from?: Date | undefined
  /** Not included. */
  readonly to?: Date | undefined
}

const ruleFields: ReadonlySet<string> = new Set([
  ...['agentId', 'conversationId', 'sessionId', 'channel', 'model', 'provider', 'status'],
])
export const executionRowFields = { path: (field: string) => (ruleFields.has(field) ? field : undefined) }

export const momentOfExecution = (view: ExecutionView): Moment => ({ at: new Date(view.at), id: view.id })

/** By what sums are grouped. */
export type Grouping = 'agent' | 'model' | 'day'
const groups = {
  agent: { agentId: '$agentId' },
  model: { provider: '$provider', model: '$model' },
  day: { day: '$day' },
} as const satisfies Record<Grouping, object>

export interface Group {
  readonly agentId?: string
  readonly provider?: string
  readonly model?: string
  readonly day?: string
}

export type ExecutionStore = ReturnType<typeof executionStore.open>

export const executionStore = {
  spec: {
    name: 'executions',
    indexes: [
      { key: { tenantId: 1, at: -1, _id: -1 }, name: 'newest' },
      { key: { tenantId: 1, agentId: 1, at: -1, _id: -1 }, name: 'agent' },
      { key: { tenantId: 1, conversationId: 1, at: -1, _id: -1 }, name: 'conversation' },
    ],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<ExecutionDoc> = db.collection('executions', durable)
    return {
      /** The first one under an id stays. */
      async insert(tenantId: TenantId, run: NewExecution, now: Date): Promise<ExecutionView> {
        const { _id, ...doc } = toDoc(tenantId, run, now)
        const stored = await collection.findOneAndUpdate(
          { _id, tenantId },
          { $setOnInsert: doc },
          { upsert: true, returnDocument: 'after' },
        )
        return toView(stored ?? { _id, ...doc })
      },
      async get(tenantId: TenantId, id: string, rows: Filter): Promise<ExecutionView | undefined> {
        const doc = await collection.findOne({ _id: id, tenantId, ...rows })
        return doc === null ? undefined : toView(doc)
      },
      /** Newest first. */
      async page(
        tenantId: TenantId,
        query: { filter: ExecutionFilter; rows: Filter; after: Moment | undefined; count: number },
      ): Promise<readonly ExecutionView[]> {
        const parts = [query.rows, ...(query.after === undefined ? [] : [afterMoment(query.after)])]
        const found = collection
          .find({ tenantId, ...toFilter(query.filter), $and: parts })
          .sort({ at: -1, _id: -1 })
          .limit(query.count)
        return (await found.toArray()).map(toView)
      },
      async sums(
        tenantId: TenantId,
        query: { filter: ExecutionFilter; rows: Filter; by: Grouping },
      ): Promise<readonly (ExecutionSums & Group)[]> {
        const found = await collection
          .aggregate<ExecutionSums & { _id: Group }>([
            { $match: { tenantId, ...toFilter(query.filter), $and: [query.rows] } },
            { $group: { _id: groups[query.by], ...summed } },
            { $sort: { _id: 1 } },
          ])
          .toArray()
        return found.map(({ _id, ...sums }) => ({ ..._id, ...sums }))
      },
    }
  },
}

const summed = {
  count: { $sum: 1 },
  failed: { $sum: { $cond: [{ $eq: ['$status', 'failed'] }, 1, 0] } },
  inputTokens: { $sum: '$inputTokens' },
  cachedTokens: { $sum: '$cachedTokens' },
  outputTokens: { $sum: '$outputTokens' },
  latencyMs: { $sum: '$latencyMs' },
  costUsdMicro: { $sum: '$costUsdMicro' },
  creditsMicro: { $sum: '$creditsMicro' },
} as const satisfies Record<keyof ExecutionSums, object>

function toFilter({ agentId, conversationId, status, model, from, to }: ExecutionFilter): Filter {
  const at = { ...(from === undefined ? {} : { $gte: from }), ...(to === undefined ? {} : { $lt: to }) }
  return {
    ...(agentId === undefined ? {} : { agentId }),
    ...(conversationId === undefined ? {} : { conversationId }),
    ...(status === undefined ? {} : { status }),
    ...(model === undefined ? {} : { model }),
    ...(Object.keys(at).length === 0 ? {} : { at }),
  }
}

function toDoc(tenantId: TenantId, run: NewExecution, now: Date): ExecutionDoc {
  const { agentId, conversationId, sessionId, channel, model, provider, costUsdMicro, status, error } = run
  return {
    ...{ _id: run.id ?? newOrderedId('exec', now.getTime()), tenantId, agentId, conversationId, channel },
    ...{ model, provider, status },
    ...(sessionId === undefined ? {} : { sessionId }),
    inputTokens: whole(run.inputTokens),
    cachedTokens: whole(run.cachedTokens),
    outputTokens: whole(run.outputTokens),
    latencyMs: whole(run.latencyMs),
    costUsdMicro: costUsdMicro === null ? null : whole(costUsdMicro),
    creditsMicro: whole(run.creditsMicro),
    ...(error === undefined ? {} : { error: error.slice(0, maxErrorChars) }),
    steps: run.steps.slice(0, maxSteps).map(({ name, ms, outcome }) => ({ name, ms: whole(ms), outcome })),
    day: now.toISOString().slice(0, 10),
    at: now,
  }
}

function toView(doc: ExecutionDoc): ExecutionView {
  const { _id, tenantId: _tenantId, day: _day, at, sessionId, error, ...rest } = doc
  return { id: _id, ...rest, sessionId: sessionId ?? null, error: error ?? null, at: at.toISOString() }
}
