// Collections `conversations` and `turns`. The only file that knows their documents.

import type { AnyBulkWriteOperation, Collection, Db } from 'mongodb'
import { newId, type TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { Channel, Turn, TurnRole, TurnState } from '../protocol/turn.ts'
import { WriteQueue } from './write-queue.ts'

interface ConversationDoc {
  _id: string
  tenantId: string
  agentId: string
  contactId: string
  status: 'active' | 'closed' | 'handed_off'
  createdAt: Date
  updatedAt: Date
}

interface TurnDoc {
  _id: string
  tenantId: string
  channel: Channel
  sessionId: string
  conversationId: string
  role: TurnRole
  state: TurnState
  seq: number
  text: string
  unheard?: string
  voice: boolean
  itemId: string
  tool?: Turn['tool']
  audio?: Turn['audio']
  latencyMs?: number
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
  open(db: Db) {
    const collection: Collection<ConversationDoc> = db.collection('conversations', durable)
    return {
      async findOrCreate(tenantId: TenantId, key: { agentId: string; contactId: string }): Promise<string> {
        const filter = { tenantId, agentId: key.agentId, contactId: key.contactId, status: 'active' as const }
        for (let attempt = 0; ; attempt++) {
          try {
            const found = await collection.findOneAndUpdate(
              filter,
              { $set: { updatedAt: new Date() }, $setOnInsert: { _id: newId('conv'), createdAt: new Date() } },
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

function toTurn(doc: TurnDoc): Turn {
  return {
    id: doc._id,
    sessionId: doc.sessionId,
    conversationId: doc.conversationId,
    channel: doc.channel,
    role: doc.role,
    state: doc.state,
    seq: doc.seq,
    text: doc.text,
    ...(doc.unheard === undefined ? {} : { unheard: doc.unheard }),
    voice: doc.voice,
    itemId: doc.itemId,
    ...(doc.tool === undefined ? {} : { tool: doc.tool }),
    ...(doc.audio === undefined ? {} : { audio: doc.audio }),
    ...(doc.latencyMs === undefined ? {} : { latencyMs: doc.latencyMs }),
    createdAt: doc.createdAt.toISOString(),
    updatedAt: doc.updatedAt.toISOString(),
  }
}

/** What may change of a stored turn; the rest is set once. */
function changes(turn: Turn) {
  return {
    state: turn.state,
    text: turn.text,
    ...(turn.unheard === undefined ? {} : { unheard: turn.unheard }),
    voice: turn.voice,
    ...(turn.tool === undefined ? {} : { tool: turn.tool }),
    ...(turn.audio === undefined ? {} : { audio: turn.audio }),
    ...(turn.latencyMs === undefined ? {} : { latencyMs: turn.latencyMs }),
    updatedAt: new Date(turn.updatedAt),
  }
}

function upsert(tenantId: TenantId, turn: Turn): AnyBulkWriteOperation<TurnDoc> {
  return {
    updateOne: {
      filter: { _id: turn.id, tenantId },
      update: {
        $set: changes(turn),
        $setOnInsert: {
          channel: turn.channel,
          sessionId: turn.sessionId,
          conversationId: turn.conversationId,
          role: turn.role,
          seq: turn.seq,
          itemId: turn.itemId,
          createdAt: new Date(turn.createdAt),
        },
      },
      upsert: true,
    },
  }
}

export const turnStore = {
  spec: {
    name: 'turns',
    indexes: [
      { key: { tenantId: 1, conversationId: 1, seq: 1 }, name: 'conversation' },
      { key: { tenantId: 1, sessionId: 1, seq: 1 }, name: 'session' },
    ],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<TurnDoc> = db.collection('turns', durable)
    // Unordered: each turn is its own document, and a session has one write in flight.
    const queue = new WriteQueue<AnyBulkWriteOperation<TurnDoc>>(async (operations) => {
      await collection.bulkWrite([...operations], { ordered: false })
    })
    return {
      /** `turns` of one tenant; the command holds those of all sessions that write in the same moment. */
      async write(tenantId: TenantId, turns: readonly Turn[]): Promise<void> {
        if (turns.length > 0) await queue.add(turns.map((turn) => upsert(tenantId, turn)))
      },
      async ofConversation(tenantId: TenantId, conversationId: string, limit: number): Promise<readonly Turn[]> {
        const docs = await collection.find({ tenantId, conversationId }).sort({ seq: -1 }).limit(limit).toArray()
        return docs.reverse().map(toTurn)
      },
      async ofSession(tenantId: TenantId, sessionId: string): Promise<readonly Turn[]> {
        const docs = await collection.find({ tenantId, sessionId }).sort({ seq: 1 }).toArray()
        return docs.map(toTurn)
      },
      async closePartial(tenantId: TenantId, sessionId: string): Promise<number> {
        const result = await collection.updateMany(
          { tenantId, sessionId, state: 'partial' },
          { $set: { state: 'final', updatedAt: new Date() } },
        )
        return result.modifiedCount
      },
    }
  },
}
