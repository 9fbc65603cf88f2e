// Collections `knowledge_documents` and `knowledge_versions`. The only file that knows their documents.

import type { Collection, Db } from 'mongodb'
import { newId, type TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'

export interface KnowledgeDocument {
  /** Unique in the tenant, chosen by whoever puts it. */
  readonly key: string
  /** `faq`, `page`, `policy`, … */
  readonly kind: string
  readonly title: string
  readonly text: string
}

interface StoredDoc extends KnowledgeDocument {
  readonly _id: string
  readonly tenantId: string
}

interface VersionDoc {
  _id: string
  tenantId: string
  version: number
}

export const documentStore = {
  spec: {
    name: 'knowledge_documents',
    indexes: [{ key: { tenantId: 1, key: 1 }, name: 'key', unique: true }],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<StoredDoc> = db.collection('knowledge_documents', durable)
    return {
      /** How many documents are new or different now. */
      async put(tenantId: TenantId, docs: readonly KnowledgeDocument[]): Promise<number> {
        if (docs.length === 0) return 0
        const result = await collection.bulkWrite(
          docs.map((doc) => ({
            updateOne: {
              filter: { tenantId, key: doc.key },
              update: {
                $set: { kind: doc.kind, title: doc.title, text: doc.text },
                $setOnInsert: { _id: newId('ent') },
              },
              upsert: true,
            },
          })),
          { ordered: false },
        )
        return result.upsertedCount + result.modifiedCount
      },
      async remove(tenantId: TenantId, keys: readonly string[]): Promise<number> {
        return (await collection.deleteMany({ tenantId, key: { $in: [...keys] } })).deletedCount
      },
      async all(tenantId: TenantId, limit: number): Promise<readonly KnowledgeDocument[]> {
        const docs = await collection.find({ tenantId }).sort({ key: 1 }).limit(limit).toArray()
        return docs.map((doc) => ({ key: doc.key, kind: doc.kind, title: doc.title, text: doc.text }))
      },
    }
  },
}

export const versionStore = {
  spec: {
    name: 'knowledge_versions',
    indexes: [{ key: { tenantId: 1 }, name: 'tenant', unique: true }],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<VersionDoc> = db.collection('knowledge_versions', durable)
    return {
      async current(tenantId: TenantId): Promise<number> {
        return (await collection.findOne({ tenantId }))?.version ?? 0
      },
      /** `_id` is the tenant, so that two first writers at once make one counter. */
      async bump(tenantId: TenantId): Promise<void> {
        await collection.updateOne({ _id: tenantId, tenantId }, { $inc: { version: 1 } }, { upsert: true })
      },
    }
  },
}
