// Collection `prompts`: the prompt library. The only file that knows its documents.

import type { Collection, Db } from 'mongodb'
import { newId, type TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { Prompt } from './agent.ts'

interface PromptDoc {
  _id: string
  tenantId: string
  position: number
  name: string
  base: string
}

export interface LibraryPrompt extends Prompt {
  readonly tenantId: string
  readonly position: number
}

/** Prompts every tenant may fall back to are filed under this name, which no tenant id can have. */
export const sharedShelf = 'shared'

export const promptStore = {
  spec: {
    name: 'prompts',
    indexes: [{ key: { tenantId: 1, position: 1 }, name: 'position', unique: true }],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<PromptDoc> = db.collection('prompts', durable)
    return {
      /** The tenant's own and the shared ones, each in order. */
      async candidates(tenantId: TenantId): Promise<readonly LibraryPrompt[]> {
        const docs = await collection.find({ tenantId: { $in: [tenantId, sharedShelf] } }).toArray()
        docs.sort((a, b) => a.position - b.position)
        return docs.map(({ _id: _, ...prompt }) => prompt)
      },
      async put(tenantId: TenantId | undefined, position: number, prompt: Prompt): Promise<void> {
        await collection.updateOne(
          { tenantId: tenantId ?? sharedShelf, position },
          { $set: { name: prompt.name, base: prompt.base }, $setOnInsert: { _id: newId('item') } },
          { upsert: true },
        )
      },
      /** False when the tenant has none at this place. */
      async remove(tenantId: TenantId, position: number): Promise<boolean> {
        return (await collection.deleteOne({ tenantId, position })).deletedCount === 1
      },
    }
  },
}
