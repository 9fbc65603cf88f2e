// Collection `chat_lines`: which messages of a conversation wait, in the order in which they came. One document each, so that
// the order is one order, whoever looks.

import type { Collection, Db } from 'mongodb'
import type { TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'

interface LineDoc {
  _id: string
  tenantId: string
  /** Ids of inbound messages; the first one is being answered. */
  waiting: string[]
}

export const lineSpec: CollectionSpec = {
  name: 'chat_lines',
  indexes: [{ key: { tenantId: 1 }, name: 'tenant' }],
}

/** At once in one conversation. A person writes a few, a program that floods is told to wait. */
export const lineLength = 128
const duplicateKey = 11000
const maxTries = 20

export interface LineStore {
  /** At the end, once. `full`: too many wait. */
  join(tenantId: TenantId, conversationId: string, id: string): Promise<'in' | 'full'>
  waiting(tenantId: TenantId, conversationId: string): Promise<readonly string[]>
  leave(tenantId: TenantId, conversationId: string, id: string): Promise<void>
}

export function openLines(db: Db): LineStore {
  const collection: Collection<LineDoc> = db.collection(lineSpec.name, durable)
  const waiting = async (tenantId: TenantId, conversationId: string): Promise<readonly string[]> =>
    (await collection.findOne({ _id: conversationId, tenantId }))?.waiting ?? []
  return {
    waiting,
    async join(tenantId, conversationId, id) {
      const room = { waiting: { $ne: id }, [`waiting.${lineLength - 1}`]: { $exists: false } }
      for (let attempt = 0; attempt < maxTries; attempt++) {
        try {
          await collection.updateOne(
            { _id: conversationId, tenantId, ...room },
            { $push: { waiting: id } },
            { upsert: true },
          )
          return 'in'
        } catch (error) {
          if (!(error instanceof Error && 'code' in error && error.code === duplicateKey)) throw error
        }
        // The line is there: it has this one already, is full, or was made by somebody else just now.
        const now = await waiting(tenantId, conversationId)
        if (now.includes(id)) return 'in'
        if (now.length >= lineLength) return 'full'
      }
      throw new Error('a line could not be joined')
    },
    async leave(tenantId, conversationId, id) {
      await collection.updateOne({ _id: conversationId, tenantId }, { $pull: { waiting: id } })
    },
  }
}
