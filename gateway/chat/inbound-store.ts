// Collection `inbound_messages`. The only file that knows its documents. Leases are by the database's clock.

import type { Collection, Db, Filter } from 'mongodb'
import { asTenantId, type TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { Channel } from '../protocol/turn.ts'
import type { Inbound } from './inbound.ts'

interface InboundDoc {
  _id: string
  tenantId: string
  agentId: string
  channel: Channel
  messageId: string
  conversationId?: string
  state: Inbound['state']
  /** Is not decided yet. */
  open: boolean
  owner: string
  epoch: number
  attempts: number
  round: number
  leaseAt: Date
  /** Not before then: a failure that may pass. */
  notBefore?: Date
  /** What a model or a program wrote has field names that are not documents' own: JSON text. */
  askedJson: string
  workJson: string
  createdAt: Date
  endedAt?: Date
}

/** What changes while it is worked on. */
export type Work = Pick<
  Inbound,
  | 'contactId'
  | 'seq'
  | 'reservation'
  | 'delegations'
  | 'progress'
  | 'answer'
  | 'charged'
  | 'reply'
  | 'steps'
  | 'failure'
>

export interface Owned {
  readonly tenantId: TenantId
  readonly id: string
  readonly epoch: number
}

/** Two renewals of `renewMs` may be missed. */
export const leaseMs = 10_000
export const renewMs = 3_000
/** How long the same id gets the same reply. Later its turns and its charge still are there once: it is refused then. */
const keptSeconds = 7 * 86_400
const duplicateKey = 11000

export const inboundSpec: CollectionSpec = {
  name: 'inbound_messages',
  indexes: [
    { key: { leaseAt: 1 }, name: 'open', partialFilterExpression: { open: true } },
    { key: { tenantId: 1, conversationId: 1, messageId: 1 }, name: 'conversation' },
    { key: { endedAt: 1 }, name: 'expiry', expireAfterSeconds: keptSeconds },
  ],
}

export type InboundStore = ReturnType<typeof openInbound>

function toInbound(doc: InboundDoc): Inbound {
  const work: Work = JSON.parse(doc.workJson)
  const { agentId, channel, messageId, state, epoch, attempts, round, conversationId } = doc
  return {
    ...work,
    ...{ agentId, channel, messageId, state, epoch, attempts, round },
    ...(conversationId === undefined ? {} : { conversationId }),
    id: doc._id,
    tenantId: asTenantId(doc.tenantId),
    asked: JSON.parse(doc.askedJson),
    receivedAt: doc.createdAt.toISOString(),
  }
}

export function openInbound(db: Db, deps: { readonly owner: string }) {
  const collection: Collection<InboundDoc> = db.collection(inboundSpec.name, durable)
  return { ...owning(collection, deps.owner), ...reading(collection), ...working(collection, deps.owner) }
}

const expired = {
  $expr: { $lt: ['$leaseAt', { $dateSubtract: { startDate: '$$NOW', unit: 'millisecond', amount: leaseMs } }] },
}

function owning(collection: Collection<InboundDoc>, owner: string) {
  const take = async (filter: Filter<InboundDoc>, asked: { readonly again: boolean }): Promise<Inbound | undefined> => {
    const doc = await collection.findOneAndUpdate(
      filter,
      {
        $set: { owner, open: true, state: 'open', ...(asked.again ? { attempts: 1 } : {}) },
        $inc: { epoch: 1, ...(asked.again ? { round: 1 } : { attempts: 1 }) },
        $unset: { endedAt: '', notBefore: '' },
        $currentDate: { leaseAt: true },
      },
      { returnDocument: 'after' },
    )
    return doc === null ? undefined : toInbound(doc)
  }
  return {
    /** Undefined: there is one already. */
    async insert(
      first: Omit<Inbound, 'state' | 'epoch' | 'attempts' | 'round' | 'steps'>,
    ): Promise<Inbound | undefined> {
      const { id, tenantId, agentId, channel, messageId, asked, receivedAt } = first
      const inbound: Inbound = { ...first, state: 'open', epoch: 1, attempts: 1, round: 0, steps: [] }
      try {
        await collection.updateOne(
          { _id: id, tenantId, epoch: 0 },
          {
            $set: { epoch: 1 },
            $setOnInsert: {
              ...{ agentId, channel, messageId, state: 'open', open: true, owner, attempts: 1, round: 0 },
              ...{ askedJson: JSON.stringify(asked), workJson: JSON.stringify({ steps: [] }) },
              createdAt: new Date(receivedAt),
            },
            $currentDate: { leaseAt: true },
          },
          { upsert: true },
        )
        return inbound
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === duplicateKey) return undefined
        throw error
      }
    },
    /** Of an owner that is gone. Undefined: it lives, or somebody else was faster. */
    takeOver: ({ tenantId, id, epoch }: Owned) =>
      take({ _id: id, tenantId, epoch, open: true, ...expired }, { again: false }),
    /** A failed one, because it is asked for again. */
    reopen: ({ tenantId, id, epoch }: Owned) => take({ _id: id, tenantId, epoch, state: 'failed' }, { again: true }),
    async renew(tenantId: TenantId, ids: readonly string[]): Promise<void> {
      const filter = { _id: { $in: [...ids] }, tenantId, owner, open: true }
      await collection.updateMany(filter, { $currentDate: { leaseAt: true } })
    },
  }
}

function reading(collection: Collection<InboundDoc>) {
  return {
    async find(tenantId: TenantId, id: string): Promise<Inbound | undefined> {
      const doc = await collection.findOne({ _id: id, tenantId })
      return doc === null ? undefined : toInbound(doc)
    },
    /** The one of this id in the conversation, however that was named. */
    async findIn(tenantId: TenantId, conversationId: string, messageId: string): Promise<Inbound | undefined> {
      const doc = await collection.findOne({ tenantId, conversationId, messageId })
      return doc === null ? undefined : toInbound(doc)
    },
    /** Of all tenants: open ones whose owner is gone, and those that may be tried again by now. */
    async stale(limit: number): Promise<readonly Inbound[]> {
      const docs = await collection
        .find({ open: true, ...expired }, { comment: 'all-tenants' })
        .sort({ leaseAt: 1 })
        .limit(limit)
        .toArray()
      return docs.filter((doc) => (doc.notBefore?.getTime() ?? 0) <= Date.now()).map(toInbound)
    },
  }
}

function working(collection: Collection<InboundDoc>, owner: string) {
  const mine = ({ tenantId, id, epoch }: Owned) => ({ _id: id, tenantId, epoch, owner, open: true })
  return {
    /** False: it has another owner now, and nothing was written. */
    async save(of: Owned, work: Work, conversationId?: string): Promise<boolean> {
      const set = { workJson: JSON.stringify(work), ...(conversationId === undefined ? {} : { conversationId }) }
      return (await collection.updateOne(mine(of), { $set: set, $currentDate: { leaseAt: true } })).matchedCount === 1
    },
    async end(of: Owned, work: Work, state: 'done' | 'failed'): Promise<boolean> {
      const set = { workJson: JSON.stringify(work), state, open: false }
      return (await collection.updateOne(mine(of), { $set: set, $currentDate: { endedAt: true } })).matchedCount === 1
    },
    /** To be tried again by whoever looks after `notBefore`, with this round's reservation or a new one. */
    async postpone(of: Owned, work: Work, { round, notBefore }: { round: number; notBefore: Date }): Promise<boolean> {
      const set = { workJson: JSON.stringify(work), round, notBefore, leaseAt: new Date(0) }
      return (await collection.updateOne(mine(of), { $set: set })).matchedCount === 1
    },
  }
}
