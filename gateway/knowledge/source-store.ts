// Collection `knowledge_sources`. The only file that knows its documents. Leases are by the database's clock.

import type { Collection, Db, Filter, UpdateFilter } from 'mongodb'
import { afterMoment, type Moment } from '../platform/cursor.ts'
import { asTenantId, type TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { Filter as RowPart } from '../platform/row-filter.ts'
import type { KnowledgeSourceView, SourceFormat, SourceProblem, SourceState } from '../protocol/knowledge.ts'

interface SourceDoc {
  _id: string
  tenantId: string
  name: string
  kind: 'file' | 'url'
  format?: SourceFormat
  url?: string
  /** As its server gave them: what has not changed since is not fetched again. */
  etag?: string
  lastModified?: string
  /** `removing`: nobody sees it any more, its passages and bytes go. */
  state: SourceState | 'removing'
  /** There is something to be done. */
  open: boolean
  owner: string
  epoch: number
  attempts: number
  leaseAt: Date
  progress: number
  problem?: SourceProblem
  chunks: number
  bytes: number
  sha256?: string
  /** Of the vectors of its passages. */
  model?: string
  /** Which passages of it are searched. */
  generation?: string
  createdBy: string
  at: Date
  updatedAt: Date
  readAt?: Date
}

export interface Source {
  readonly id: string
  readonly tenantId: TenantId
  readonly name: string
  readonly kind: 'file' | 'url'
  readonly format: SourceFormat | undefined
  readonly url: string | undefined
  readonly etag: string | undefined
  readonly lastModified: string | undefined
  readonly state: SourceState | 'removing'
  readonly epoch: number
  readonly attempts: number
  readonly chunks: number
  readonly bytes: number
  readonly sha256: string | undefined
  readonly model: string | undefined
  readonly generation: string | undefined
}

export interface NewSource {
  readonly id: string
  readonly name: string
  readonly kind: 'file' | 'url'
  readonly format?: SourceFormat | undefined
  readonly url?: string | undefined
  readonly bytes: number
  readonly sha256?: string | undefined
  readonly createdBy: string
  readonly at: Date
}

/** What one reading found. */
export interface Reading {
  readonly generation: string
  readonly chunks: number
  readonly bytes: number
  readonly format: SourceFormat
  readonly sha256: string
  readonly model?: string | undefined
  readonly etag?: string | undefined
  readonly lastModified?: string | undefined
}

export interface Owned {
  readonly tenantId: TenantId
  readonly id: string
  readonly epoch: number
}

/** Three renewals of a working owner may be missed. */
export const leaseMs = 12_000
export const renewMs = 3_000
/** Of one tenant; all of them are looked at when its index is made. */
export const maxSources = 1_000

export const sourceSpec: CollectionSpec = {
  name: 'knowledge_sources',
  indexes: [
    { key: { tenantId: 1, at: -1, _id: -1 }, name: 'newest' },
    { key: { leaseAt: 1 }, name: 'open', partialFilterExpression: { open: true } },
  ],
}

export type SourceStore = ReturnType<typeof openSources>

const ruleFields: ReadonlySet<string> = new Set(['name', 'kind', 'format', 'state', 'createdBy'])
export const sourceRowFields = { path: (field: string) => (ruleFields.has(field) ? field : undefined) }

export function openSources(db: Db, deps: { readonly owner: string }) {
  const collection: Collection<SourceDoc> = db.collection(sourceSpec.name, durable)
  return { ...reading(collection), ...asking(collection), ...owning(collection, deps.owner) }
}

const seen = { state: { $ne: 'removing' } } as const

function reading(collection: Collection<SourceDoc>) {
  return {
    async get(tenantId: TenantId, id: string, rows: RowPart = {}): Promise<KnowledgeSourceView | undefined> {
      const doc = await collection.findOne({ _id: id, tenantId, ...seen, $and: [rows] })
      return doc === null ? undefined : toView(doc)
    },
    /** Newest first. */
    async page(
      tenantId: TenantId,
      query: { readonly rows: RowPart; readonly after: Moment | undefined; readonly count: number },
    ): Promise<readonly KnowledgeSourceView[]> {
      const parts = [query.rows, ...(query.after === undefined ? [] : [afterMoment(query.after)])]
      const found = collection
        .find({ tenantId, ...seen, $and: parts })
        .sort({ at: -1, _id: -1 })
        .limit(query.count)
      return (await found.toArray()).map(toView)
    },
    /** All of a tenant, newest first. */
    async all(tenantId: TenantId): Promise<readonly Source[]> {
      const docs = await collection.find({ tenantId }).sort({ at: -1, _id: -1 }).limit(maxSources).toArray()
      return docs.map(toSource)
    },
    /** Of all tenants: open ones without a living owner, those waiting longest first. */
    async waiting(limit: number): Promise<readonly Source[]> {
      const docs = await collection
        .find({ open: true, ...expired }, { comment: 'all-tenants' })
        .sort({ leaseAt: 1 })
        .limit(limit)
        .toArray()
      return docs.map(toSource)
    },
  }
}

/** A lease of long ago: whoever comes first takes it. */
const free = new Date(0)

function asking(collection: Collection<SourceDoc>) {
  return {
    /** `held`: nobody takes it before `offer`, or before a lease has run out. */
    async insert(tenantId: TenantId, source: NewSource, { held }: { readonly held: boolean }): Promise<void> {
      const { id, name, kind, format, url, bytes, sha256, createdBy, at } = source
      await collection.updateOne(
        { _id: id, tenantId },
        {
          $setOnInsert: {
            ...{ name, kind, state: 'queued', open: true, owner: '', epoch: 0, attempts: 0 },
            ...(format === undefined ? {} : { format }),
            ...(url === undefined ? {} : { url }),
            ...(sha256 === undefined ? {} : { sha256 }),
            ...{ progress: 0, chunks: 0, bytes, createdBy, at, updatedAt: at, ...(held ? {} : { leaseAt: free }) },
          },
          ...(held ? { $currentDate: { leaseAt: true } } : {}),
        },
        { upsert: true },
      )
    },
    /** All of it is there. */
    async offer(tenantId: TenantId, id: string): Promise<void> {
      await collection.updateOne({ _id: id, tenantId, epoch: 0 }, { $set: { leaseAt: free } })
    },
    /** Undefined: there is none. One that is read just now is read once more afterwards: its owner loses it. */
    async readAgain(tenantId: TenantId, id: string): Promise<KnowledgeSourceView | undefined> {
      const doc = await collection.findOneAndUpdate({ _id: id, tenantId, ...seen }, again, { returnDocument: 'after' })
      return doc === null ? undefined : toView(doc)
    },
    async readAllAgain(tenantId: TenantId, rows: RowPart = {}): Promise<number> {
      const filter = { tenantId, state: { $in: ['ready' as const, 'failed' as const] }, $and: [rows] }
      return (await collection.updateMany(filter, again)).modifiedCount
    },
    /** False: there is none. From now on nobody sees it. */
    async hide(tenantId: TenantId, id: string): Promise<boolean> {
      const hidden = await collection.updateOne(
        { _id: id, tenantId, ...seen },
        { $set: { state: 'removing', open: true, owner: '', leaseAt: free, attempts: 0 }, $inc: { epoch: 1 } },
      )
      return hidden.matchedCount === 1
    },
  }
}

const again: UpdateFilter<SourceDoc> = {
  $set: { state: 'queued', open: true, owner: '', leaseAt: free, progress: 0, attempts: 0 },
  $inc: { epoch: 1 },
  $unset: { problem: '' },
  $currentDate: { updatedAt: true },
}

const expired = {
  $expr: { $lt: ['$leaseAt', { $dateSubtract: { startDate: '$$NOW', unit: 'millisecond', amount: leaseMs } }] },
}

function owning(collection: Collection<SourceDoc>, owner: string) {
  const mine = ({ tenantId, id, epoch }: Owned): Filter<SourceDoc> => ({ _id: id, tenantId, epoch, owner, open: true })
  const change = async (of: Owned, update: UpdateFilter<SourceDoc>): Promise<boolean> =>
    (await collection.updateOne(mine(of), update)).matchedCount === 1
  return {
    /** Undefined: somebody else was faster. One that is to be read is being read from now on. */
    async take({ tenantId, id, epoch, state }: Source): Promise<Source | undefined> {
      const reads = state === 'queued' || state === 'reading'
      const doc = await collection.findOneAndUpdate(
        { _id: id, tenantId, epoch, open: true, ...expired },
        {
          $set: { owner, ...(reads ? { state: 'reading' as const, progress: 0 } : {}) },
          $inc: { epoch: 1, attempts: 1 },
          $currentDate: { leaseAt: true, updatedAt: true },
        },
        { returnDocument: 'after' },
      )
      return doc === null ? undefined : toSource(doc)
    },
    /** False: it has another owner now, and nothing was written. */
    progress: (of: Owned, progress: number) =>
      change(of, { $set: { progress }, $currentDate: { leaseAt: true, updatedAt: true } }),
    renew: (of: Owned) => change(of, { $currentDate: { leaseAt: true } }),
    /** Searched from now on; still to be told to the indexes and to be cleared of what was before: it stays open. */
    found(of: Owned, { etag, lastModified, model, ...read }: Reading): Promise<boolean> {
      const validators = {
        ...(etag === undefined ? {} : { etag }),
        ...(lastModified === undefined ? {} : { lastModified }),
        ...(model === undefined ? {} : { model }),
      }
      const gone = {
        ...(etag === undefined ? { etag: '' as const } : {}),
        ...(lastModified === undefined ? { lastModified: '' as const } : {}),
        ...(model === undefined ? { model: '' as const } : {}),
      }
      return change(of, {
        $set: { ...read, ...validators, state: 'ready', progress: 100 },
        $unset: { problem: '', ...gone },
        $currentDate: { updatedAt: true, readAt: true },
      })
    },
    /** What was read before is as good as new. */
    unchanged: (of: Owned) =>
      change(of, {
        $set: { state: 'ready', progress: 100, open: false },
        $unset: { problem: '' },
        $currentDate: { updatedAt: true, readAt: true },
      }),
    fail: (of: Owned, problem: SourceProblem) =>
      change(of, { $set: { state: 'failed', problem, open: false }, $currentDate: { updatedAt: true } }),
    close: (of: Owned) => change(of, { $set: { open: false } }),
    /** For whoever looks next: this process stops. */
    letGo: (of: Owned) => change(of, { $set: { leaseAt: free, owner: '' }, $inc: { attempts: -1 } }),
    async erase(of: Owned): Promise<boolean> {
      return (await collection.deleteOne(mine(of))).deletedCount === 1
    },
  }
}

function toSource(doc: SourceDoc): Source {
  const { name, kind, format, url, etag, lastModified, state, epoch, attempts, chunks, bytes } = doc
  return {
    ...{ id: doc._id, tenantId: asTenantId(doc.tenantId), name, kind, format, url, etag, lastModified },
    ...{ state, epoch, attempts, chunks, bytes, sha256: doc.sha256, model: doc.model, generation: doc.generation },
  }
}

function toView(doc: SourceDoc): KnowledgeSourceView {
  const { name, kind, format, url, state, progress, problem, chunks, bytes, sha256, createdBy } = doc
  return {
    ...{ id: doc._id, name, kind, format: format ?? null, url: url ?? null, progress, problem: problem ?? null },
    // One that is being removed is shown to nobody.
    state: state === 'removing' ? 'queued' : state,
    ...{ chunks, bytes, sha256: sha256 ?? null, createdBy },
    createdAt: doc.at.toISOString(),
    updatedAt: doc.updatedAt.toISOString(),
    readAt: doc.readAt?.toISOString() ?? null,
  }
}
