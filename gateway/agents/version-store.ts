// Collection `agent_versions`: every config an agent ever had, written once and never changed. The only file that knows its
// documents.

import { createHash } from 'node:crypto'
import { type Collection, type Db, MongoServerError } from 'mongodb'
import type { Actor } from '../platform/access.ts'
import { idOf, type TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { AgentConfig } from './config.ts'
import { readStoredConfig } from './stored-config.ts'

interface VersionDoc {
  /** Of tenant, agent and number. */
  readonly _id: string
  readonly tenantId: string
  readonly agentId: string
  readonly number: number
  /** As the program of its time wrote it. */
  readonly config: unknown
  readonly hash: string
  readonly author: Actor
  readonly note: string
  readonly at: Date
}

export interface AgentVersion {
  readonly agentId: string
  /** From 1, in the order of the changes. */
  readonly number: number
  readonly config: AgentConfig
  /** Of the config: equal ones have the same. */
  readonly hash: string
  readonly author: Actor
  readonly note: string
  readonly at: Date
}

const duplicateKey = 11000
/** Some 5 kB each. Versions never change: what is kept is never wrong. */
const keptConfigs = 500

/** SHA-256 of the config with its fields in order. */
export function hashOf(config: AgentConfig): string {
  return createHash('sha256')
    .update(JSON.stringify(ordered(config)))
    .digest('hex')
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, each]) => each !== undefined)
  return Object.fromEntries(
    entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, each]) => [name, ordered(each)]),
  )
}

export interface VersionRef {
  readonly agentId: string
  readonly number: number
}

const refOf = (tenantId: TenantId, { agentId, number }: VersionRef): string =>
  idOf('ver', tenantId, agentId, String(number))

export const versionStore = {
  spec: {
    name: 'agent_versions',
    indexes: [{ key: { tenantId: 1, agentId: 1, number: 1 }, name: 'number', unique: true }],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<VersionDoc> = db.collection('agent_versions', durable)
    // Insertion order is age: a hit is taken out and put back at the end.
    const kept = new Map<string, AgentConfig>()
    const keep = (id: string, config: AgentConfig): AgentConfig => {
      kept.delete(id)
      kept.set(id, config)
      const oldest = kept.keys().next().value
      if (kept.size > keptConfigs && oldest !== undefined) kept.delete(oldest)
      return config
    }
    return {
      /** False when this number was written already: it stays as it is. */
      async insert(tenantId: TenantId, version: AgentVersion): Promise<boolean> {
        try {
          await collection.insertOne({ _id: refOf(tenantId, version), tenantId, ...version })
          return true
        } catch (error) {
          if (error instanceof MongoServerError && error.code === duplicateKey) return false
          throw error
        }
      },
      async get(tenantId: TenantId, ref: VersionRef): Promise<AgentVersion | undefined> {
        const doc = await collection.findOne({ _id: refOf(tenantId, ref), tenantId })
        return doc === null ? undefined : toVersion(doc)
      },
      /** The configs of those that exist, by what `keyOf` gives for them. */
      async configs(
        tenantId: TenantId,
        refs: readonly VersionRef[],
      ): Promise<(ref: VersionRef) => AgentConfig | undefined> {
        const found = new Map<string, AgentConfig>()
        const missing: string[] = []
        for (const id of new Set(refs.map((each) => refOf(tenantId, each)))) {
          const known = kept.get(id)
          if (known === undefined) missing.push(id)
          else found.set(id, keep(id, known))
        }
        if (missing.length > 0) {
          const docs = await collection.find({ tenantId, _id: { $in: missing } }).toArray()
          for (const doc of docs) found.set(doc._id, keep(doc._id, readStoredConfig(doc.config)))
        }
        return (ref) => found.get(refOf(tenantId, ref))
      },
      /** Newest first; one more than `limit` when there are more. */
      async list(
        tenantId: TenantId,
        { agentId, before, limit }: { readonly agentId: string; readonly before: number; readonly limit: number },
      ): Promise<readonly AgentVersion[]> {
        const docs = await collection
          .find({ tenantId, agentId, number: { $lt: before } })
          .sort({ number: -1 })
          .limit(limit + 1)
          .toArray()
        return docs.map(toVersion)
      },
    }
  },
}

function toVersion({ _id, tenantId: _, config, ...rest }: VersionDoc): AgentVersion {
  return { ...rest, config: readStoredConfig(config) }
}
