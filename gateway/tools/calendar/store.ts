// Collection `booking_spans`: one document per thing that can be booked, with the times that are taken. One write takes a time or
// does not, so no two holders have the same minute, however many ask at once.

import type { Collection, Db } from 'mongodb'
import { idOf, type TenantId } from '../../platform/ids.ts'
import { type CollectionSpec, durable } from '../../platform/mongo.ts'
import type { Span } from './hours.ts'

export interface TakenSpan extends Span {
  /** Whoever has it: an idempotency key. */
  readonly holder: string
  /** Since when its booking is being written; null: it is. */
  readonly pendingSinceMs: number | null
}

interface SpansDoc {
  readonly _id: string
  readonly tenantId: string
  readonly resourceId: string
  readonly spans: readonly TakenSpan[]
}

export interface Place {
  readonly tenantId: TenantId
  readonly resourceId: string
}

/** What is over is not looked at any more. */
const keptMs = 2 * 86_400_000

export const spanStore = {
  spec: {
    name: 'booking_spans',
    indexes: [{ key: { tenantId: 1, resourceId: 1 }, name: 'resource', unique: true }],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<SpansDoc> = db.collection('booking_spans', durable)
    const of = ({ tenantId, resourceId }: Place) => ({ _id: idOf('ent', 'spans', tenantId, resourceId), tenantId })
    const spans = async (place: Place): Promise<readonly TakenSpan[]> =>
      (await collection.findOne(of(place)))?.spans ?? []
    return {
      spans,
      /** True: it is the holder's, from now on or from before. `except`: holders that are not in the way. */
      async take(place: Place, span: TakenSpan, except: readonly string[] = []): Promise<boolean> {
        const { holder, fromMs, toMs, pendingSinceMs } = span
        const { resourceId } = place
        await collection.updateOne(of(place), { $setOnInsert: { resourceId, spans: [] } }, { upsert: true })
        const inTheWay = { fromMs: { $lt: toMs }, toMs: { $gt: fromMs }, holder: { $nin: [holder, ...except] } }
        const result = await collection.updateOne(
          { ...of(place), 'spans.holder': { $ne: holder }, spans: { $not: { $elemMatch: inTheWay } } },
          { $push: { spans: { holder, fromMs, toMs, pendingSinceMs } } },
        )
        if (result.modifiedCount === 1) return true
        const own = (await spans(place)).find((each) => each.holder === holder)
        return own?.fromMs === fromMs && own.toMs === toMs
      },
      /** Its booking is written. False: it had been taken away before. */
      async confirm(place: Place, holder: string): Promise<boolean> {
        const result = await collection.updateOne(
          { ...of(place), 'spans.holder': holder },
          { $set: { 'spans.$.pendingSinceMs': null } },
        )
        return result.matchedCount === 1
      },
      async release(place: Place, holder: string, nowMs: number): Promise<void> {
        await collection.updateOne(of(place), { $pull: { spans: { holder } } })
        await collection.updateOne(of(place), { $pull: { spans: { toMs: { $lt: nowMs - keptMs } } } })
      },
    }
  },
}
