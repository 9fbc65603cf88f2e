// Collections `agents` and `prompts`. The only file that knows their documents.

import { type Collection, type Db, MongoServerError } from 'mongodb'
import { newId, type TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { Agent, AgentStatus, Prompt } from './agent.ts'
import type { AgentConfig } from './config.ts'
import { readStoredConfig } from './stored-config.ts'

interface AgentDoc {
  _id: string
  tenantId: string
  slug: string
  name: string
  status: AgentStatus
  /** As the version of its time wrote them. */
  draft: unknown
  live?: unknown
  version: number
  createdAt: Date
  updatedAt: Date
}

interface PromptDoc {
  _id: string
  tenantId: string
  position: number
  name: string
  base: string
}

const duplicateKey = 11000

function toAgent(doc: AgentDoc): Agent {
  return {
    id: doc._id,
    slug: doc.slug,
    name: doc.name,
    status: doc.status,
    draft: readStoredConfig(doc.draft),
    ...(doc.live === undefined ? {} : { live: readStoredConfig(doc.live) }),
    version: doc.version,
  }
}

export const agentStore = {
  spec: {
    name: 'agents',
    indexes: [{ key: { tenantId: 1, slug: 1 }, name: 'slug', unique: true }],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<AgentDoc> = db.collection('agents', durable)
    const one = (doc: AgentDoc | null): Agent | undefined => (doc === null ? undefined : toAgent(doc))
    const after = { returnDocument: 'after' } as const
    return {
      async byId(tenantId: TenantId, id: string): Promise<Agent | undefined> {
        return one(await collection.findOne({ _id: id, tenantId }))
      },
      async bySlug(tenantId: TenantId, slug: string): Promise<Agent | undefined> {
        return one(await collection.findOne({ tenantId, slug }))
      },
      async list(tenantId: TenantId): Promise<readonly Agent[]> {
        return (await collection.find({ tenantId }).sort({ slug: 1 }).toArray()).map(toAgent)
      },
      /** Undefined when the tenant has an agent of this slug. */
      async insert(tenantId: TenantId, agent: Pick<Agent, 'slug' | 'name' | 'draft'>): Promise<Agent | undefined> {
        const now = new Date()
        const doc: AgentDoc = {
          _id: newId('agt'),
          tenantId,
          ...agent,
          status: 'draft',
          version: 0,
          createdAt: now,
          updatedAt: now,
        }
        try {
          await collection.insertOne(doc)
          return toAgent(doc)
        } catch (error) {
          if (error instanceof MongoServerError && error.code === duplicateKey) return undefined
          throw error
        }
      },
      async setDraft(tenantId: TenantId, id: string, draft: AgentConfig): Promise<Agent | undefined> {
        const update = { $set: { draft, updatedAt: new Date() } }
        return one(await collection.findOneAndUpdate({ _id: id, tenantId }, update, after))
      },
      /** Only from the version that was read: two publishers at once do not overwrite each other unseen. */
      async setLive(tenantId: TenantId, seen: Agent): Promise<Agent | undefined> {
        const update = {
          $set: { live: seen.draft, status: 'active' as const, updatedAt: new Date() },
          $inc: { version: 1 },
        }
        return one(await collection.findOneAndUpdate({ _id: seen.id, tenantId, version: seen.version }, update, after))
      },
      async setStatus(tenantId: TenantId, id: string, status: AgentStatus): Promise<Agent | undefined> {
        const update = { $set: { status, updatedAt: new Date() } }
        return one(await collection.findOneAndUpdate({ _id: id, tenantId }, update, after))
      },
    }
  },
}

/** Prompts every tenant may fall back to are filed under this name, which no tenant id can have. */
const shared = 'shared'

export const promptStore = {
  spec: {
    name: 'prompts',
    indexes: [{ key: { tenantId: 1, position: 1 }, name: 'position', unique: true }],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<PromptDoc> = db.collection('prompts', durable)
    return {
      /** The tenant's own and the shared ones, each in order. */
      async candidates(tenantId: TenantId): Promise<readonly (Prompt & { readonly tenantId: string })[]> {
        const docs = await collection.find({ tenantId: { $in: [tenantId, shared] } }).toArray()
        docs.sort((a, b) => a.position - b.position)
        return docs.map((doc) => ({ tenantId: doc.tenantId, name: doc.name, base: doc.base }))
      },
      async put(tenantId: TenantId | undefined, position: number, prompt: Prompt): Promise<void> {
        await collection.updateOne(
          { tenantId: tenantId ?? shared, position },
          { $set: { name: prompt.name, base: prompt.base }, $setOnInsert: { _id: newId('item') } },
          { upsert: true },
        )
      },
    }
  },
}
