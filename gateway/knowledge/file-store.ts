// Collection `knowledge_files`: the bytes of uploaded sources, in parts, so that they can be read again. ADR 0020 says why here.

import { Binary, type Collection, type Db } from 'mongodb'
import { idOf, type TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'

interface PartDoc {
  _id: string
  tenantId: string
  sourceId: string
  n: number
  bytes: Binary
}

/** The store takes 16 MB at once; a megabyte is written in a moment. */
const partBytes = 1024 * 1024

export const fileSpec: CollectionSpec = {
  name: 'knowledge_files',
  indexes: [{ key: { tenantId: 1, sourceId: 1, n: 1 }, name: 'parts', unique: true }],
}

export type FileStore = ReturnType<typeof openFiles>

export function openFiles(db: Db) {
  const collection: Collection<PartDoc> = db.collection(fileSpec.name, durable)
  return {
    async write(tenantId: TenantId, sourceId: string, bytes: Uint8Array): Promise<void> {
      for (let n = 0; n * partBytes < bytes.length; n++) {
        const part = bytes.subarray(n * partBytes, (n + 1) * partBytes)
        await collection.insertOne({
          ...{ _id: idOf('item', sourceId, String(n)), tenantId, sourceId, n },
          bytes: new Binary(part),
        })
      }
    },
    async read(tenantId: TenantId, sourceId: string): Promise<Uint8Array> {
      const parts: Uint8Array[] = []
      for await (const { bytes } of collection.find({ tenantId, sourceId }).sort({ n: 1 }).batchSize(4))
        parts.push(bytes.value())
      return Buffer.concat(parts)
    },
    async remove(tenantId: TenantId, sourceId: string): Promise<void> {
      await collection.deleteMany({ tenantId, sourceId })
    },
  }
}
