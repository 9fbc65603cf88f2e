// Collection `knowledge_chunks`: the passages that sources were cut into, by the reading that made them.

import { Binary, type Collection, type Db } from 'mongodb'
import { idOf, type TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { Chunk } from './extract/chunks.ts'

interface ChunkDoc {
  _id: string
  tenantId: string
  sourceId: string
  generation: string
  n: number
  title: string
  heading?: string
  page?: number
  text: string
  /** 32-bit floats of length one, and the model that they are of. */
  vector?: Binary
  model?: string
}

export interface StoredChunk extends Chunk {
  readonly id: string
  readonly vector?: { readonly model: string; readonly values: Float32Array<ArrayBuffer> }
}

/** The passages of one reading of one source. */
export interface Generation {
  readonly sourceId: string
  readonly generation: string
}

export const chunkSpec: CollectionSpec = {
  name: 'knowledge_chunks',
  indexes: [{ key: { tenantId: 1, sourceId: 1, generation: 1, n: 1 }, name: 'reading', unique: true }],
}

/** A chunk has some 1.5 KB of text, 6 KB more with a vector. */
const batch = 200

export type ChunkStore = ReturnType<typeof openChunks>

export function openChunks(db: Db) {
  const collection: Collection<ChunkDoc> = db.collection(chunkSpec.name, durable)
  return {
    /** From place `first` on. Written again, they are the same ones. */
    async write(tenantId: TenantId, of: Generation, put: PutChunks): Promise<void> {
      const docs = put.chunks.map((chunk, i): ChunkDoc => {
        const { vector, ...rest } = chunk
        const n = put.first + i
        const id = idOf('chk', of.sourceId, of.generation, String(n))
        return { _id: id, tenantId, ...of, n, ...rest, ...(vector === undefined ? {} : stored(vector)) }
      })
      await collection.bulkWrite(
        docs.map((doc) => ({
          replaceOne: { filter: { _id: doc._id, tenantId }, replacement: doc, upsert: true },
        })),
        { ordered: false },
      )
    },
    /** In their order, some at a time. */
    async *read(tenantId: TenantId, of: Generation): AsyncGenerator<readonly StoredChunk[]> {
      let some: StoredChunk[] = []
      for await (const doc of collection
        .find({ tenantId, ...of })
        .sort({ n: 1 })
        .batchSize(batch)) {
        some.push(toChunk(doc))
        if (some.length < batch) continue
        yield some
        some = []
      }
      if (some.length > 0) yield some
    },
    /** All of a source but those of one reading; without it all. */
    async remove(tenantId: TenantId, sourceId: string, except?: string): Promise<void> {
      const others = except === undefined ? {} : { generation: { $ne: except } }
      await collection.deleteMany({ tenantId, sourceId, ...others })
    },
  }
}

export interface PutChunks {
  readonly first: number
  readonly chunks: readonly (Chunk & Pick<StoredChunk, 'vector'>)[]
}

function stored({ model, values }: NonNullable<StoredChunk['vector']>): Pick<ChunkDoc, 'vector' | 'model'> {
  return { model, vector: new Binary(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)) }
}

function toChunk(doc: ChunkDoc): StoredChunk {
  const { title, heading, page, text, vector, model } = doc
  return {
    ...{ id: doc._id, title, text },
    ...(heading === undefined ? {} : { heading }),
    ...(page === undefined ? {} : { page }),
    ...(vector === undefined || model === undefined ? {} : { vector: { model, values: floats(vector) } }),
  }
}

/** Copied: a view on the driver's own buffer need not begin at a multiple of four. */
function floats(vector: Binary): Float32Array<ArrayBuffer> {
  const bytes = Uint8Array.from(vector.value())
  return new Float32Array(bytes.buffer)
}
