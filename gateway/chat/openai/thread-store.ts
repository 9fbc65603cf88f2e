// Collection `chat_threads`: which conversation a stateless client's history belongs to. The only file that knows it.

import type { Collection, Db } from 'mongodb'
import type { TenantId } from '../../platform/ids.ts'
import { type CollectionSpec, durable } from '../../platform/mongo.ts'

interface ThreadDoc {
  /** The mark of a history up to our answer. */
  readonly _id: string
  readonly tenantId: string
  readonly conversationId: string
  readonly expiresAt: Date
}

/** A client that comes back later begins a conversation anew. */
const keptMs = 30 * 24 * 3_600_000

export const threadStore = {
  spec: {
    name: 'chat_threads',
    indexes: [{ key: { expiresAt: 1 }, name: 'expiry', expireAfterSeconds: 0 }],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<ThreadDoc> = db.collection('chat_threads', durable)
    return {
      async conversation(tenantId: TenantId, mark: string): Promise<string | undefined> {
        return (await collection.findOne({ _id: mark, tenantId }))?.conversationId
      },
      async put(tenantId: TenantId, mark: string, conversationId: string, at: Date): Promise<void> {
        const expiresAt = new Date(at.getTime() + keptMs)
        await collection.updateOne({ _id: mark, tenantId }, { $set: { conversationId, expiresAt } }, { upsert: true })
      },
    }
  },
}
export type ThreadStore = ReturnType<typeof threadStore.open>
