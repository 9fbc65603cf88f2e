// Collection `order_forms`: what people have said of an order that is not made yet. The only file that knows its documents.

import { type Collection, type Db, MongoServerError } from 'mongodb'
import { idOf, type TenantId } from '../../platform/ids.ts'
import { type CollectionSpec, durable } from '../../platform/mongo.ts'

/** As it was understood; nothing of it is proven. */
export interface OrderDraft {
  /** Slug. */
  readonly product: string
  readonly quantity: number
  readonly name?: string
  readonly email?: string
  readonly address?: string
  readonly note?: string
}

export interface OrderForm {
  /** Counts the forms of one conversation, from 1. */
  readonly n: number
  readonly draft: OrderDraft
  /** Of the order that was made of it: nothing is changed any more. */
  readonly number?: string
}

/** One form is open in a conversation at a time. */
interface FormDoc extends OrderForm {
  readonly _id: string
  readonly tenantId: string
  readonly conversationId: string
  readonly rev: number
  readonly updatedAt: Date
}

const keptSeconds = 30 * 86_400
const maxTries = 8
const duplicateKey = 11000

export const orderFormStore = {
  spec: {
    name: 'order_forms',
    indexes: [
      { key: { tenantId: 1, conversationId: 1 }, name: 'conversation', unique: true },
      { key: { updatedAt: 1 }, name: 'expiry', expireAfterSeconds: keptSeconds },
    ],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<FormDoc> = db.collection('order_forms', durable)
    return {
      async find(tenantId: TenantId, conversationId: string): Promise<OrderForm | undefined> {
        const doc = await collection.findOne({ tenantId, conversationId })
        return doc === null ? undefined : toForm(doc)
      },
      /** Undefined from `next` leaves it as it is. Asked again where somebody else was faster. */
      async change(
        tenantId: TenantId,
        conversationId: string,
        next: (form: OrderForm | undefined) => OrderForm | undefined,
      ): Promise<OrderForm | undefined> {
        for (let tries = 0; tries < maxTries; tries++) {
          const doc = await collection.findOne({ tenantId, conversationId })
          const before = doc === null ? undefined : toForm(doc)
          const after = next(before)
          if (after === undefined) return before
          if (await write(collection, { tenantId, conversationId }, { after, rev: doc?.rev })) return after
        }
        throw new Error('an order form is changed from elsewhere all the time')
      },
    }
  },
}

/** False: somebody else was faster. */
async function write(
  collection: Collection<FormDoc>,
  key: Pick<FormDoc, 'tenantId' | 'conversationId'>,
  { after, rev }: { readonly after: OrderForm; readonly rev: number | undefined },
): Promise<boolean> {
  const set = { ...after, rev: (rev ?? 0) + 1, updatedAt: new Date() }
  if (rev !== undefined) {
    const update = after.number === undefined ? { $set: set, $unset: { number: '' as const } } : { $set: set }
    return (await collection.updateOne({ ...key, rev }, update)).modifiedCount === 1
  }
  const _id = idOf('item', key.tenantId, key.conversationId, 'order form')
  try {
    return (await collection.updateOne(key, { $setOnInsert: { _id, ...set } }, { upsert: true })).upsertedCount === 1
  } catch (error) {
    if (error instanceof MongoServerError && error.code === duplicateKey) return false
    throw error
  }
}

function toForm({ n, draft, number }: FormDoc): OrderForm {
  return { n, draft, ...(number === undefined ? {} : { number }) }
}
