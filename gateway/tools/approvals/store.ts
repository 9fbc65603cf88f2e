// Collection `approvals`. The only file that knows its documents. Leases are by the database's clock.

import type { Collection, Db, Filter as MongoFilter } from 'mongodb'
import type { Actor } from '../../platform/access.ts'
import { afterMoment, type Moment } from '../../platform/cursor.ts'
import { asTenantId, type TenantId } from '../../platform/ids.ts'
import { type CollectionSpec, durable } from '../../platform/mongo.ts'
import type { Filter } from '../../platform/row-filter.ts'
import type { ApprovalState } from '../../protocol/approvals.ts'
import type { Channel } from '../../protocol/turn.ts'
import { type Approval, type Decision, isOver } from './approval.ts'
import type { LogEvent } from './outbox.ts'

interface ApprovalDoc {
  _id: string
  tenantId: string
  agentId: string
  agentName: string
  agentVersion: number
  origin: Approval['origin']
  sessionId: string
  conversationId: string
  contactId?: string
  caller?: Actor
  channel: Channel
  callId: string
  tool: string
  /** As JSON text: the names of its fields are a model's, and no field names of documents. */
  argsJson: string
  hash: string
  /** The hash while it is open: one such call waits at a time. */
  openHash?: string
  state: ApprovalState
  /** When it was asked for. */
  at: Date
  expiresAt: Date
  decision?: { by: Actor; at: Date; reason?: string; note?: string; editedJson?: string; hash?: string }
  effectAt?: Date
  attempts: number
  result?: string
  why?: string
  endedAt?: Date
  delivery: Approval['delivery']
  rev: number
  /** When somebody has to look at it by itself; missing: never. */
  dueAt?: Date
  /** Who is at it, the effect or the telling. */
  owner?: string
  leaseAt?: Date
  /** Events of changes that are not in the log yet. */
  outbox?: LogEvent[]
  pendingAt?: Date
}

/** Three renewals of `renewMs` may be missed. */
export const leaseMs = 15_000
export const renewMs = 4_000
const duplicateKey = 11000

export const approvalSpec: CollectionSpec = {
  name: 'approvals',
  indexes: [
    { key: { tenantId: 1, at: -1, _id: -1 }, name: 'newest' },
    { key: { tenantId: 1, state: 1, at: -1, _id: -1 }, name: 'state' },
    { key: { tenantId: 1, agentId: 1, at: -1, _id: -1 }, name: 'agent' },
    {
      ...{ key: { tenantId: 1, openHash: 1 }, name: 'open_call', unique: true },
      partialFilterExpression: { openHash: { $exists: true } },
    },
    { key: { dueAt: 1 }, name: 'due', partialFilterExpression: { dueAt: { $exists: true } } },
    { key: { pendingAt: 1 }, name: 'outbox', partialFilterExpression: { pendingAt: { $exists: true } } },
  ],
}

const ruleFields: ReadonlySet<string> = new Set(['agentId', 'contactId', 'conversationId', 'channel', 'tool', 'state'])
export const approvalRowFields = { path: (field: string) => (ruleFields.has(field) ? field : undefined) }

export interface ApprovalFilter {
  /** `decided`: all but what is pending. */
  readonly state?: ApprovalState | 'decided' | undefined
  readonly agentId?: string | undefined
  readonly conversationId?: string | undefined
}

export type ApprovalStore = ReturnType<typeof openApprovals>

const ms = (date: Date): number => date.getTime()

function toApproval(doc: ApprovalDoc): Approval {
  const { agentId: id, agentName: name, agentVersion: version, decision, effectAt, endedAt } = doc
  const { contactId, caller, result, why } = doc
  return {
    id: doc._id,
    tenantId: asTenantId(doc.tenantId),
    agent: { id, name, version },
    ...{ origin: doc.origin, sessionId: doc.sessionId, conversationId: doc.conversationId, channel: doc.channel },
    ...(contactId === undefined ? {} : { contactId }),
    ...(caller === undefined ? {} : { caller }),
    ...{ callId: doc.callId, tool: doc.tool, args: doc.argsJson, hash: doc.hash, state: doc.state },
    ...{ requestedAtMs: ms(doc.at), expiresAtMs: ms(doc.expiresAt), attempts: doc.attempts },
    ...(decision === undefined ? {} : { decision: decisionOf(decision) }),
    ...(effectAt === undefined ? {} : { effectAtMs: ms(effectAt) }),
    ...(result === undefined ? {} : { result }),
    ...(why === undefined ? {} : { why }),
    ...(endedAt === undefined ? {} : { endedAtMs: ms(endedAt) }),
    ...{ delivery: doc.delivery, rev: doc.rev },
  }
}

function decisionOf({ at, editedJson, ...rest }: NonNullable<ApprovalDoc['decision']>): Decision {
  return { ...rest, atMs: ms(at), ...(editedJson === undefined ? {} : { edited: editedJson }) }
}

/** What never changes. */
function firstOf({ tenantId, agent, caller, contactId, ...approval }: Approval): Omit<ApprovalDoc, '_id'> {
  const { origin, sessionId, conversationId, channel, callId, tool, args, hash } = approval
  return {
    ...{ tenantId, agentId: agent.id, agentName: agent.name, agentVersion: agent.version },
    ...{ origin, sessionId, conversationId, channel, callId, tool, argsJson: args, hash },
    ...(contactId === undefined ? {} : { contactId }),
    ...(caller === undefined ? {} : { caller }),
    at: new Date(approval.requestedAtMs),
    expiresAt: new Date(approval.expiresAtMs),
    ...{ state: approval.state, attempts: 0, delivery: approval.delivery, rev: approval.rev },
    openHash: hash,
    dueAt: new Date(approval.expiresAtMs),
  }
}

/** When somebody has to look at it. Undefined: never again. */
function dueOf(approval: Approval, nowMs: number): number | undefined {
  switch (approval.state) {
    case 'pending':
      return approval.expiresAtMs
    case 'approved':
      return approval.effectAtMs
    case 'running':
      return nowMs + leaseMs
    default:
      return approval.delivery === 'owed' ? nowMs : undefined
  }
}

type Change = Partial<ApprovalDoc>
const optional = ['decision', 'effectAt', 'result', 'why', 'endedAt', 'dueAt', 'openHash', 'owner', 'leaseAt'] as const

/** All of it that changes. */
function changeOf(approval: Approval, nowMs: number): Change {
  const { state, decision, effectAtMs, attempts, result, why, endedAtMs, delivery, rev, hash } = approval
  const dueMs = dueOf(approval, nowMs)
  return {
    ...{ state, attempts, delivery, rev },
    ...(decision === undefined ? {} : { decision: decisionDoc(decision) }),
    ...(effectAtMs === undefined ? {} : { effectAt: new Date(effectAtMs) }),
    ...(result === undefined ? {} : { result }),
    ...(why === undefined ? {} : { why }),
    ...(endedAtMs === undefined ? {} : { endedAt: new Date(endedAtMs) }),
    ...(dueMs === undefined ? {} : { dueAt: new Date(dueMs) }),
    ...(isOver(approval) ? {} : { openHash: hash }),
  }
}

function decisionDoc({ atMs, edited, ...rest }: Decision): NonNullable<ApprovalDoc['decision']> {
  return { ...rest, at: new Date(atMs), ...(edited === undefined ? {} : { editedJson: edited }) }
}

export interface Swap {
  readonly nowMs: number
  readonly events: readonly LogEvent[]
}

const gone = (names: readonly (keyof ApprovalDoc)[]): Record<string, ''> =>
  Object.fromEntries(names.map((name) => [name, '']))

const expired = {
  $expr: { $lt: ['$leaseAt', { $dateSubtract: { startDate: '$$NOW', unit: 'millisecond', amount: leaseMs } }] },
}

export function openApprovals(db: Db, { owner }: { readonly owner: string }) {
  const collection: Collection<ApprovalDoc> = db.collection(approvalSpec.name, durable)
  return { ...changing(collection, owner), ...reading(collection), ...leases(collection, owner) }
}

function changing(collection: Collection<ApprovalDoc>, owner: string) {
  return {
    /** `same`: this call waits already. `twin`: another call that asks for the very same does. */
    async insert(
      approval: Approval,
      { nowMs, events }: Swap,
    ): Promise<{ readonly is: 'new' | 'same' | 'twin'; readonly approval: Approval }> {
      const { id, tenantId, hash } = approval
      const first = { ...firstOf(approval), outbox: [...events], pendingAt: new Date(nowMs) }
      try {
        const made = await collection.updateOne({ _id: id, tenantId }, { $setOnInsert: first }, { upsert: true })
        if (made.upsertedCount === 1) return { is: 'new', approval }
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === duplicateKey)) throw error
      }
      const own = await collection.findOne({ _id: id, tenantId })
      if (own !== null) return { is: 'same', approval: toApproval(own) }
      const twin = await collection.findOne({ tenantId, openHash: hash })
      if (twin !== null) return { is: 'twin', approval: toApproval(twin) }
      throw new Error('a call that waits was neither found nor made')
    },
    /** False: somebody changed it meanwhile, and nothing was written. */
    async swap(from: Approval, to: Approval, { nowMs, events }: Swap): Promise<boolean> {
      const isMine = to.state === 'running'
      const change: Change = {
        ...changeOf(to, nowMs),
        ...(events.length === 0 ? {} : { pendingAt: new Date(nowMs) }),
        ...(isMine ? { owner } : {}),
      }
      const kept = new Set([...Object.keys(change), ...(isMine ? ['leaseAt'] : [])])
      const filter = { _id: from.id, tenantId: from.tenantId, rev: from.rev }
      const updated = await collection.updateOne(filter, {
        $set: change,
        $unset: gone(optional.filter((name) => !kept.has(name))),
        ...(events.length === 0 ? {} : { $push: { outbox: { $each: [...events] } } }),
        ...(isMine ? { $currentDate: { leaseAt: true as const } } : {}),
      })
      return updated.matchedCount === 1
    },
    /** What is in the log is taken out. */
    async settle(approval: Pick<Approval, 'id' | 'tenantId'>, events: readonly LogEvent[]): Promise<void> {
      const { id, tenantId } = approval
      const filter = { _id: id, tenantId }
      await collection.updateOne(filter, { $pull: { outbox: { id: { $in: events.map((each) => each.id) } } } })
      await collection.updateOne({ ...filter, outbox: { $size: 0 } }, { $unset: gone(['outbox', 'pendingAt']) })
    },
  }
}

function reading(collection: Collection<ApprovalDoc>) {
  return {
    async get(tenantId: TenantId, id: string, rows: Filter = {}): Promise<Approval | undefined> {
      const doc = await collection.findOne({ _id: id, tenantId, ...rows })
      return doc === null ? undefined : toApproval(doc)
    },
    /** Newest first. */
    async page(
      tenantId: TenantId,
      query: { filter: ApprovalFilter; rows: Filter; after: Moment | undefined; count: number },
    ): Promise<readonly Approval[]> {
      const { state, ...rest } = query.filter
      const states = state === 'decided' ? { $ne: 'pending' as const } : state
      const wanted = Object.entries({ ...rest, state: states }).filter(([, value]) => value !== undefined)
      const parts = [query.rows, ...(query.after === undefined ? [] : [afterMoment(query.after)])]
      const found = collection.find({ tenantId, ...Object.fromEntries(wanted), $and: parts }).sort({ at: -1, _id: -1 })
      return (await found.limit(query.count).toArray()).map(toApproval)
    },
    /** Of all tenants: those at which somebody has to look. */
    async due(now: Date, limit: number): Promise<readonly Approval[]> {
      const found = collection.find({ dueAt: { $lte: now } }, { comment: 'all-tenants' })
      return (await found.sort({ dueAt: 1 }).limit(limit).toArray()).map(toApproval)
    },
    /** Of one tenant: those whose time is over. */
    async expiring(tenantId: TenantId, now: Date): Promise<readonly Approval[]> {
      const filter = { tenantId, state: 'pending', expiresAt: { $lte: now } } as const
      return (await collection.find(filter).limit(200).toArray()).map(toApproval)
    },
    async pending(of: { readonly id: string; readonly tenantId: TenantId }): Promise<readonly LogEvent[]> {
      return (await collection.findOne({ _id: of.id, tenantId: of.tenantId }))?.outbox ?? []
    },
    /** Of all tenants: changes whose events somebody died over. */
    async unsettled(before: Date, limit: number): Promise<readonly Pick<Approval, 'id' | 'tenantId'>[]> {
      const found = collection.find({ pendingAt: { $lt: before } }, { comment: 'all-tenants' }).limit(limit)
      return (await found.toArray()).map(({ _id, tenantId }) => ({ id: _id, tenantId: asTenantId(tenantId) }))
    },
  }
}

function leases(collection: Collection<ApprovalDoc>, owner: string) {
  const keyOf = ({ id, tenantId, rev }: Approval) => ({ _id: id, tenantId, rev })
  const take = async (approval: Approval, free: MongoFilter<ApprovalDoc>, dueAt: Date): Promise<boolean> => {
    const update = { $set: { owner, dueAt }, $currentDate: { leaseAt: true as const } }
    return (await collection.updateOne({ ...keyOf(approval), ...free }, update)).matchedCount === 1
  }
  return {
    /** Of a running one whose process died. False: it lives, or somebody else was faster. */
    takeOver: (approval: Approval, dueAt: Date) => take(approval, expired, dueAt),
    /** To tell the outcome. False: somebody is at it. */
    takeTelling: (approval: Approval, dueAt: Date) =>
      take(approval, { delivery: 'owed', $or: [{ owner: { $exists: false } }, expired] }, dueAt),
    /** Not yet: somebody looks again at `dueAt`. */
    async giveBack(approval: Approval, dueAt: Date): Promise<void> {
      const update = { $set: { dueAt }, $unset: gone(['owner', 'leaseAt']) }
      await collection.updateOne({ ...keyOf(approval), owner }, update)
    },
    async renew(approval: Approval, dueAt: Date): Promise<void> {
      await collection.updateOne({ ...keyOf(approval), owner }, { $set: { dueAt }, $currentDate: { leaseAt: true } })
    },
  }
}
