// Collection `webhooks`. The only file that knows its documents.

import type { Collection, Db } from 'mongodb'
import { asTenantId, newId, type TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { EndpointState } from './webhook.ts'

export interface Endpoint {
  readonly id: string
  readonly tenantId: TenantId
  readonly url: string
  readonly description: string
  readonly types: readonly string[]
  readonly state: EndpointState
  /** Why it is off by our own decision. */
  readonly error: string | null
  /** Since the last success. */
  readonly failures: number
  readonly failingSince: Date | null
  readonly lastSuccessAt: Date | null
  /** Everything in the log before it was looked at. */
  readonly sweptTo: Date
  readonly createdAt: Date
}

interface EndpointDoc extends Omit<Endpoint, 'id' | 'tenantId'> {
  readonly _id: string
  readonly tenantId: string
  /** When the earliest of its deliveries is due; missing: none waits. */
  readonly dueAt?: Date
}

export type EndpointChange = Partial<
  Pick<Endpoint, 'url' | 'description' | 'types' | 'state' | 'error' | 'failures' | 'failingSince'>
>

function toEndpoint({ _id, tenantId, dueAt: _, ...doc }: EndpointDoc): Endpoint {
  return { id: _id, tenantId: asTenantId(tenantId), ...doc }
}

export type EndpointStore = ReturnType<typeof endpointStore.open>

export const endpointStore = {
  spec: {
    name: 'webhooks',
    indexes: [
      { key: { tenantId: 1, _id: 1 }, name: 'tenant' },
      { key: { state: 1, dueAt: 1 }, name: 'due' },
      { key: { state: 1, sweptTo: 1 }, name: 'swept' },
    ],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<EndpointDoc> = db.collection('webhooks', durable)
    return {
      async byId(tenantId: TenantId, id: string): Promise<Endpoint | undefined> {
        const doc = await collection.findOne({ _id: id, tenantId })
        return doc === null ? undefined : toEndpoint(doc)
      },
      /** In the order of their ids. */
      async list(
        tenantId: TenantId,
        page: { readonly after?: string | undefined; readonly limit: number },
      ): Promise<readonly Endpoint[]> {
        const filter = { tenantId, ...(page.after === undefined ? {} : { _id: { $gt: page.after } }) }
        return (await collection.find(filter).sort({ _id: 1 }).limit(page.limit).toArray()).map(toEndpoint)
      },
      async insert(
        tenantId: TenantId,
        given: Pick<Endpoint, 'url' | 'description' | 'types'>,
        now: Date,
      ): Promise<Endpoint> {
        const doc: EndpointDoc = {
          ...{ _id: newId('hook'), tenantId, ...given, state: 'on', error: null, failures: 0 },
          ...{ failingSince: null, lastSuccessAt: null, sweptTo: now, createdAt: now },
        }
        await collection.insertOne(doc)
        return toEndpoint(doc)
      },
      async change(tenantId: TenantId, id: string, set: EndpointChange): Promise<Endpoint | undefined> {
        const doc = await collection.findOneAndUpdate({ _id: id, tenantId }, { $set: set }, { returnDocument: 'after' })
        return doc === null ? undefined : toEndpoint(doc)
      },
      async remove(tenantId: TenantId, id: string): Promise<boolean> {
        return (await collection.deleteOne({ _id: id, tenantId })).deletedCount === 1
      },
      async succeeded(tenantId: TenantId, id: string, now: Date): Promise<void> {
        const set = { failures: 0, failingSince: null, lastSuccessAt: now }
        await collection.updateOne({ _id: id, tenantId }, { $set: set })
      },
      async failed(tenantId: TenantId, id: string, now: Date): Promise<Endpoint | undefined> {
        await collection.updateOne({ _id: id, tenantId, failingSince: null }, { $set: { failingSince: now } })
        const doc = await collection.findOneAndUpdate(
          { _id: id, tenantId },
          { $inc: { failures: 1 } },
          { returnDocument: 'after' },
        )
        return doc === null ? undefined : toEndpoint(doc)
      },
      /** Sooner than it was, or as well. */
      async dueBy(tenantId: TenantId, id: string, at: Date): Promise<void> {
        await collection.updateOne({ _id: id, tenantId }, { $min: { dueAt: at } })
      },
      /** Only while nobody has made it sooner since it was read. */
      async settleDue(tenantId: TenantId, id: string, read: Date, next: Date | undefined): Promise<void> {
        const update = next === undefined ? { $unset: { dueAt: '' as const } } : { $set: { dueAt: next } }
        await collection.updateOne({ _id: id, tenantId, dueAt: read }, update)
      },
      /** Of all tenants. */
      async due(now: Date, limit: number): Promise<readonly (Endpoint & { readonly dueAt: Date })[]> {
        const docs = await collection
          .find({ state: 'on', dueAt: { $lte: now } })
          .sort({ dueAt: 1 })
          .limit(limit)
          .toArray()
        return docs.map((doc) => ({ ...toEndpoint(doc), dueAt: doc.dueAt ?? now }))
      },
      /** Of all tenants: those whose log nobody has looked through since. */
      async unswept(before: Date, limit: number): Promise<readonly Endpoint[]> {
        const found = collection.find({ state: 'on', sweptTo: { $lt: before } })
        return (await found.sort({ sweptTo: 1 }).limit(limit).toArray()).map(toEndpoint)
      },
      async swept(tenantId: TenantId, id: string, to: Date): Promise<void> {
        await collection.updateOne({ _id: id, tenantId }, { $max: { sweptTo: to } })
      },
    }
  },
}
