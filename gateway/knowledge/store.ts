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
  documents?: number
}

/** Counters that only grow. */
export interface KnowledgeVersion {
  /** Of all that is searched. */
  readonly version: number
  /** Of the documents alone. */
  readonly documents: number
}

export type DocumentStore = ReturnType<typeof documentStore.open>
export type VersionStore = ReturnType<typeof versionStore.open>

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
      async current(tenantId: TenantId): Promise<KnowledgeVersion> {
        const doc = await collection.findOne({ tenantId })
        // Stored before sources were: every change was one of the documents.
        return { version: doc?.version ?? 0, documents: doc?.documents ?? doc?.version ?? 0 }
      },
      /** `_id` is the tenant, so that two first writers at once make one counter. */
      async bump(tenantId: TenantId, changed: 'documents' | 'sources'): Promise<void> {
        const grown = changed === 'documents' ? { version: 1, documents: 1 } : { version: 1 }
        await collection.updateOne({ _id: tenantId, tenantId }, { $inc: grown }, { upsert: true })
      },
    }
  },
}
