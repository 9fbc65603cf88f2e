// Collection `agent_days`: what is reserved of an agent's day and not in `usage_daily` yet. A day's count is that row's plus
// these; the version keeps a reader of both from counting too little. Rule U17.

import { Long } from 'bson'
import type { Db, Document } from 'mongodb'
import type { TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { AgentDay } from './daily-store.ts'

export interface DayKey {
  readonly tenantId: TenantId
  readonly agentId: string
  /** UTC, `YYYY-MM-DD`. */
  readonly day: string
}

export interface DayAsk {
  readonly holdId: string
  readonly amountMicro: number
  readonly dailyMessages: number | null
  readonly dailyCreditsMicro: number | null
  /** What the day's rows say now. */
  readonly used: () => Promise<AgentDay>
}

export interface DayOpenStore {
  /** Undefined: it is counted. */
  open(key: DayKey, ask: DayAsk): Promise<'agent_day_messages' | 'agent_day_cost' | undefined>
  /** After the day's row has it, or when it is given back. */
  close(key: DayKey, holdId: string): Promise<void>
}

interface DayDoc extends Document {
  _id: string
  tenantId: string
  agentId: string
  day: string
  v: number
  /** Micro-credits by hold. */
  open: Record<string, number>
  createdAt: Date
}

/** Long over by then. */
const keptSeconds = 3 * 86_400
/** Each lost round means another message was counted. */
const maxRounds = 500

export const dayOpenSpec: CollectionSpec = {
  name: 'agent_days',
  indexes: [
    { key: { tenantId: 1, agentId: 1, day: 1 }, name: 'day' },
    { key: { createdAt: 1 }, name: 'expiry', expireAfterSeconds: keptSeconds },
  ],
}

export function openDayOpen(db: Db): DayOpenStore {
  const days = db.collection<DayDoc>(dayOpenSpec.name, durable)
  const idOf = ({ tenantId, agentId, day }: DayKey) => `${tenantId}/${agentId}/${day}`
  const read = async (key: DayKey): Promise<DayDoc> => {
    const filter = { _id: idOf(key), tenantId: key.tenantId }
    const found = await days.findOne(filter)
    if (found !== null) return found
    const { agentId, day } = key
    const first = { agentId, day, v: 0, open: {}, createdAt: new Date() }
    await days.updateOne(filter, { $setOnInsert: first }, { upsert: true }).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === duplicateKey)) throw error
    })
    return { _id: filter._id, tenantId: key.tenantId, ...first }
  }
  return {
    async open(key, { holdId, amountMicro, dailyMessages, dailyCreditsMicro, used }) {
      for (let round = 0; round < maxRounds; round++) {
        // In this order: what leaves the open ones meanwhile is in the rows, and moves the version.
        const doc = await read(key)
        if (Object.hasOwn(doc.open, holdId)) return undefined
        const done = await used()
        const open = Object.values(doc.open)
        if (dailyMessages !== null && done.messages + open.length >= dailyMessages) return 'agent_day_messages'
        const spentMicro = done.creditsMicro + open.reduce((sum, each) => sum + each, 0)
        if (dailyCreditsMicro !== null && spentMicro >= dailyCreditsMicro) return 'agent_day_cost'
        const result = await days.updateOne(
          { _id: doc._id, tenantId: key.tenantId, v: doc.v },
          { $set: { [`open.${holdId}`]: Long.fromNumber(amountMicro) }, $inc: { v: 1 } },
        )
        if (result.matchedCount === 1) return undefined
      }
      throw new Error('an agent’s day is asked for too often at once')
    },
    async close(key, holdId) {
      const filter = { _id: idOf(key), tenantId: key.tenantId, [`open.${holdId}`]: { $exists: true } }
      await days.updateOne(filter, { $unset: { [`open.${holdId}`]: '' }, $inc: { v: 1 } })
    },
  }
}

const duplicateKey = 11000
