// Collection `usage_daily`: one row per tenant, session and UTC day with the session's cumulative figures as they stood at
// the end of that day (or now). A day's share is the difference to the session's row before it, taken when read. Rules U10 and U11.

import { Long } from 'bson'
import type { Db, Document, Filter } from 'mongodb'
import type { TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { UsageDay } from '../protocol/rest.ts'
import type { Channel } from '../protocol/turn.ts'

interface Figures {
  seconds: number
  tokens: number
  costUsdMicro: number
  creditsMicro: number
}

interface DayDoc extends Figures {
  _id: string
  tenantId: string
  sessionId: string
  agentId: string
  channel: Channel
  day: string
  /** Missing in rows from before messages were counted. */
  messages?: number
  /** Charged by the piece: no session. */
  single?: true
  /** The session has a row of an earlier day: this row's figures contain that one's. */
  carried?: true
  /** Some of the cost is unknown: `costUsdMicro` is what is known. */
  costUnknown?: true
}

interface Loose extends Document {
  _id: string
}

export interface DayWrite {
  readonly sessionId: string
  readonly agentId: string
  readonly channel: Channel
  readonly day: string
  readonly seconds: number
  readonly tokens: number
  readonly costUsdMicro: number | null
  readonly creditsMicro: number
  readonly messages: number
  /** Set for what was charged by the piece; `sessionId` is the charge's own id then. */
  readonly single?: true
}

/** What an agent has done of its day. */
export interface AgentDay {
  readonly messages: number
  readonly creditsMicro: number
}

export const dailySpec: CollectionSpec = {
  name: 'usage_daily',
  indexes: [
    { key: { tenantId: 1, day: 1, carried: 1 }, name: 'day' },
    { key: { tenantId: 1, sessionId: 1, day: 1 }, name: 'session' },
    { key: { tenantId: 1, agentId: 1, day: 1 }, name: 'agent' },
  ],
}

export interface DailyStore {
  /** Cumulative figures, merged by maximum: repeats, retries and late writes change nothing. */
  write(tenantId: TenantId, write: DayWrite): Promise<void>
  read(tenantId: TenantId, range: { readonly from: string; readonly to: string }): Promise<readonly UsageDay[]>
  ofAgent(tenantId: TenantId, agentId: string, day: string): Promise<AgentDay>
}

export function openDaily(db: Db): DailyStore {
  const days = db.collection<DayDoc>(dailySpec.name, durable)
  const loose = db.collection<Loose>(dailySpec.name, durable)
  return {
    async write(tenantId, { sessionId, day, agentId, channel, costUsdMicro, single, ...figures }) {
      const result = await loose.updateOne(
        { _id: `${tenantId}/${sessionId}/${day}`, tenantId },
        {
          $setOnInsert: { sessionId, day, agentId, channel, ...(single === undefined ? {} : { single }) },
          ...(costUsdMicro === null ? { $set: { costUnknown: true } } : {}),
          $max: int64s({ ...figures, costUsdMicro: costUsdMicro ?? 0 }),
        },
        { upsert: true },
      )
      if (result.upsertedCount === 0) return
      // Insert first, look after: of two days' first rows at least one sees the other.
      const earlier = await days.findOne({ tenantId, sessionId, day: { $lt: day } }, { projection: { _id: 1 } })
      if (earlier !== null)
        await loose.updateOne({ _id: `${tenantId}/${sessionId}/${day}`, tenantId }, { $set: { carried: true } })
      await loose.updateMany({ tenantId, sessionId, day: { $gt: day } }, { $set: { carried: true } })
    },
    read: async (tenantId, range) => {
      const sums = await sumsByDay(db, tenantId, range)
      const inRange = { tenantId, day: { $gte: range.from, $lte: range.to } }
      for (const [row, before] of await carriedRows(db, inRange)) subtract(sums, row, before)
      return [...sums.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
    },
    async ofAgent(tenantId, agentId, day) {
      const [sum] = await loose
        .aggregate<{ messages: number; creditsMicro: number }>([
          { $match: { tenantId, agentId, day } },
          { $group: { _id: null, messages: { $sum: '$messages' }, creditsMicro: { $sum: '$creditsMicro' } } },
        ])
        .toArray()
      let { messages = 0, creditsMicro = 0 } = sum ?? {}
      for (const [, before] of await carriedRows(db, { tenantId, agentId, day })) {
        messages -= before.messages ?? 0
        creditsMicro -= before.creditsMicro
      }
      return { messages, creditsMicro }
    },
  }
}

function int64s(figures: Figures & { messages: number }): Record<keyof Figures | 'messages', Long> {
  const { seconds, tokens, costUsdMicro, creditsMicro, messages } = figures
  return {
    messages: Long.fromNumber(messages),
    seconds: Long.fromNumber(seconds),
    tokens: Long.fromNumber(tokens),
    costUsdMicro: Long.fromNumber(costUsdMicro),
    creditsMicro: Long.fromNumber(creditsMicro),
  }
}

type Sum = { -readonly [field in keyof UsageDay]: UsageDay[field] }

function keyOf({ day, channel, agentId }: { day: string; channel: string; agentId: string }): string {
  return `${day}/${channel}/${agentId}`
}

async function sumsByDay(db: Db, tenantId: TenantId, range: { from: string; to: string }): Promise<Map<string, Sum>> {
  const groups = await db
    .collection(dailySpec.name, durable)
    .aggregate<
      Figures & { _id: { day: string; channel: Channel; agentId: string }; sessions: number; costUnknown: number }
    >([
      { $match: { tenantId, day: { $gte: range.from, $lte: range.to } } },
      {
        $group: {
          _id: { day: '$day', channel: '$channel', agentId: '$agentId' },
          sessions: {
            $sum: { $cond: [{ $or: [{ $eq: ['$carried', true] }, { $eq: ['$single', true] }] }, 0, 1] },
          },
          seconds: { $sum: '$seconds' },
          tokens: { $sum: '$tokens' },
          costUsdMicro: { $sum: '$costUsdMicro' },
          costUnknown: { $sum: { $cond: [{ $eq: ['$costUnknown', true] }, 1, 0] } },
          creditsMicro: { $sum: '$creditsMicro' },
        },
      },
    ])
    .toArray()
  return new Map(groups.map(({ _id, ...sums }) => [keyOf(_id), { ..._id, ...sums }]))
}

/** Rows that contain an earlier day, each with the row before it. Few: sessions that ran over midnight. */
async function carriedRows(
  db: Db,
  which: Filter<DayDoc> & { readonly tenantId: TenantId },
): Promise<readonly (readonly [DayDoc, DayDoc])[]> {
  const { tenantId } = which
  const days = db.collection<DayDoc>(dailySpec.name, durable)
  const carried = await days.find({ ...which, carried: true }).toArray()
  if (carried.length === 0) return []
  const asked = new Set(carried.map((row) => row._id))
  const sessionId = { $in: [...new Set(carried.map((row) => row.sessionId))] }
  const all = await days.find({ tenantId, sessionId }).sort({ sessionId: 1, day: 1 }).toArray()
  return all.flatMap((row, i) => {
    const before = all[i - 1]
    return asked.has(row._id) && before?.sessionId === row.sessionId ? [[row, before] as const] : []
  })
}

function subtract(sums: Map<string, Sum>, row: DayDoc, before: DayDoc): void {
  const sum = sums.get(keyOf(row))
  if (sum === undefined) return
  sum.seconds -= before.seconds
  sum.tokens -= before.tokens
  sum.costUsdMicro -= before.costUsdMicro
  sum.creditsMicro -= before.creditsMicro
}
