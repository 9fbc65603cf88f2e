// Collection `webhook_deliveries`: the outbox. The only file that knows its documents.

import { type Collection, type Db, MongoBulkWriteError } from 'mongodb'
import { afterMoment, type Moment } from '../platform/cursor.ts'
import type { TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { DeliveryState } from './webhook.ts'

/** One event to one endpoint. */
export interface Delivery {
  /** The same for the same event and endpoint, whoever makes it: receivers know by it what they have had. */
  readonly id: string
  readonly endpointId: string
  readonly eventId: string
  readonly type: string
  readonly state: DeliveryState
  readonly attempts: number
  /** HTTP status of the last answer. */
  readonly status: number | null
  readonly error: string | null
  readonly nextAt: Date | null
  readonly at: Date
}

interface DeliveryDoc extends Omit<Delivery, 'id'> {
  readonly _id: string
  readonly tenantId: string
  readonly body: string
  readonly expiresAt: Date
}

export type NewDelivery = Pick<Delivery, 'id' | 'endpointId' | 'eventId' | 'type'> & { readonly body: string }
export type Claimed = Delivery & { readonly body: string }

/** What was sent holds what happened: not for longer than it may be asked for. */
const keptMs = 7 * 86_400_000
const duplicateKey = 11000

const toDelivery = ({ _id, tenantId: _, body: __, expiresAt: ___, ...doc }: DeliveryDoc): Delivery => ({
  id: _id,
  ...doc,
})

export type DeliveryStore = ReturnType<typeof deliveryStore.open>

export const deliveryStore = {
  spec: {
    name: 'webhook_deliveries',
    indexes: [
      { key: { tenantId: 1, endpointId: 1, at: -1, _id: -1 }, name: 'newest' },
      { key: { tenantId: 1, endpointId: 1, state: 1, nextAt: 1 }, name: 'due' },
      { key: { expiresAt: 1 }, name: 'expiry', expireAfterSeconds: 0 },
    ],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<DeliveryDoc> = db.collection('webhook_deliveries', durable)
    return {
      /** What is there already stays as it is. */
      async add(tenantId: TenantId, deliveries: readonly NewDelivery[], now: Date): Promise<void> {
        if (deliveries.length === 0) return
        const docs = deliveries.map(
          ({ id, ...rest }): DeliveryDoc => ({
            ...{ _id: id, tenantId, ...rest, state: 'waiting', attempts: 0, status: null, error: null },
            ...{ nextAt: now, at: now, expiresAt: new Date(now.getTime() + keptMs) },
          }),
        )
        try {
          await collection.insertMany(docs, { ordered: false })
        } catch (error) {
          if (!onlyDuplicates(error)) throw error
        }
      },
      /** Newest first. */
      async page(
        tenantId: TenantId,
        endpointId: string,
        page: { readonly after: Moment | undefined; readonly limit: number },
      ): Promise<readonly Delivery[]> {
        const filter = { tenantId, endpointId, ...(page.after === undefined ? {} : afterMoment(page.after)) }
        return (await collection.find(filter).sort({ at: -1, _id: -1 }).limit(page.limit).toArray()).map(toDelivery)
      },
      /** The one that has waited longest of those that are due; nobody else gets it until `until`. */
      async claim(tenantId: TenantId, endpointId: string, now: Date, until: Date): Promise<Claimed | undefined> {
        const doc = await collection.findOneAndUpdate(
          { tenantId, endpointId, state: 'waiting', nextAt: { $lte: now } },
          { $set: { nextAt: until }, $inc: { attempts: 1 } },
          { sort: { nextAt: 1 }, returnDocument: 'after' },
        )
        return doc === null ? undefined : { ...toDelivery(doc), body: doc.body }
      },
      async settle(
        tenantId: TenantId,
        id: string,
        set: Pick<Delivery, 'state' | 'status' | 'error' | 'nextAt'>,
      ): Promise<void> {
        await collection.updateOne({ _id: id, tenantId }, { $set: set })
      },
      /** Once more from the beginning, whatever became of it. Undefined: it is not there. */
      async again(tenantId: TenantId, endpointId: string, id: string, now: Date): Promise<Delivery | undefined> {
        const doc = await collection.findOneAndUpdate(
          { _id: id, tenantId, endpointId },
          { $set: { state: 'waiting', attempts: 0, nextAt: now, error: null } },
          { returnDocument: 'after' },
        )
        return doc === null ? undefined : toDelivery(doc)
      },
      /** When the next one of an endpoint is due. */
      async nextDue(tenantId: TenantId, endpointId: string): Promise<Date | undefined> {
        const [doc] = await collection
          .find({ tenantId, endpointId, state: 'waiting' })
          .sort({ nextAt: 1 })
          .limit(1)
          .toArray()
        return doc?.nextAt ?? undefined
      },
      async removeAll(tenantId: TenantId, endpointId: string): Promise<void> {
        await collection.deleteMany({ tenantId, endpointId })
      },
    }
  },
}

function onlyDuplicates(error: unknown): boolean {
  if (!(error instanceof MongoBulkWriteError) || error.code !== duplicateKey) return false
  return [error.writeErrors].flat().every((each) => each.code === duplicateKey)
}
