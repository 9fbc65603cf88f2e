// Collection `team_owners`: the owners of each tenant in one document, so that of two who remove each other one fails.
// The roles of the operators are the truth; an owner missing here only makes a removal fail that could have been.

import { type Collection, type Db, MongoServerError } from 'mongodb'
import type { TenantId } from '../../platform/ids.ts'
import { type CollectionSpec, durable } from '../../platform/mongo.ts'

interface OwnersDoc {
  readonly _id: string
  readonly tenantId: string
  readonly ownerIds: readonly string[]
}

const duplicateKey = 11000

export const ownerStore = {
  spec: { name: 'team_owners', indexes: [] } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<OwnersDoc> = db.collection('team_owners', durable)
    return {
      async add(tenantId: TenantId, operatorId: string): Promise<void> {
        const one = { $addToSet: { ownerIds: operatorId } }
        try {
          await collection.updateOne({ _id: tenantId, tenantId }, one, { upsert: true })
        } catch (error) {
          if (!(error instanceof MongoServerError && error.code === duplicateKey)) throw error
          await collection.updateOne({ _id: tenantId, tenantId }, one)
        }
      },
      /** False, and nothing done, when nobody else would be left. */
      async takeOut(tenantId: TenantId, operatorId: string): Promise<boolean> {
        const { matchedCount } = await collection.updateOne(
          { _id: tenantId, tenantId, ownerIds: { $elemMatch: { $ne: operatorId } } },
          { $pull: { ownerIds: operatorId } },
        )
        return matchedCount === 1
      },
      /** Whoever is left. */
      async drop(tenantId: TenantId, operatorId: string): Promise<void> {
        await collection.updateOne({ _id: tenantId, tenantId }, { $pull: { ownerIds: operatorId } })
      },
    }
  },
}
