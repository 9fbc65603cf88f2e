// Collection `conversations`. The only file that knows its documents.

import type { Collection, Db } from 'mongodb'
import type { Clock } from '../platform/clock.ts'
import { newId, type TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'

interface ConversationDoc {
  _id: string
  tenantId: string
  agentId: string
  contactId: string
  status: 'active' | 'closed' | 'handed_off'
  createdAt: Date
  updatedAt: Date
}

const duplicateKey = 11000

export const conversationStore = {
  spec: {
    name: 'conversations',
    indexes: [
      {
        key: { tenantId: 1, agentId: 1, contactId: 1 },
        name: 'one_active',
        unique: true,
        partialFilterExpression: { status: 'active' },
      },
    ],
  } satisfies CollectionSpec,
  open(db: Db, clock: Clock) {
    const collection: Collection<ConversationDoc> = db.collection('conversations', durable)
    return {
      async findOrCreate(tenantId: TenantId, key: { agentId: string; contactId: string }): Promise<string> {
        const filter = { tenantId, agentId: key.agentId, contactId: key.contactId, status: 'active' as const }
        for (let attempt = 0; ; attempt++) {
          const now = new Date(clock.now())
          try {
            const found = await collection.findOneAndUpdate(
              filter,
              { $set: { updatedAt: now }, $setOnInsert: { _id: newId('conv'), createdAt: now } },
              { upsert: true, returnDocument: 'after' },
            )
            if (found !== null) return found._id
          } catch (error) {
            // Two first messages at once: the unique index lets one insert win, the other finds it.
            if (!(error instanceof Error && 'code' in error && error.code === duplicateKey) || attempt > 4) throw error
          }
        }
      },
    }
  },
}
