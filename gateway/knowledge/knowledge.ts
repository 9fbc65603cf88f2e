// What a tenant's agents may look up. Owns the documents, their version counter and one search index per tenant.
// An index holds the documents of exactly one tenant: an answer cannot contain another's.

import type { Db } from 'mongodb'
import type { TenantId } from '../platform/ids.ts'
import type { CollectionSpec } from '../platform/mongo.ts'
import { Problem } from '../platform/problem.ts'
import { buildIndex, type Finding, type SearchIndex } from './search-index.ts'
import { documentStore, type KnowledgeDocument, versionStore } from './store.ts'
import { createSystemKnowledge, type SystemKnowledge } from './system-knowledge.ts'

export type { Finding } from './search-index.ts'
export type { KnowledgeDocument } from './store.ts'
export type { SystemKnowledge } from './system-knowledge.ts'

export interface TenantKnowledge {
  /** Inserts or replaces by key. `too_large` beyond 20,000 characters of one text or 5,000 documents at once. */
  put(docs: readonly KnowledgeDocument[]): Promise<void>
  remove(keys: readonly string[]): Promise<void>
  all(): Promise<readonly KnowledgeDocument[]>
}

export interface Knowledge {
  of(tenantId: TenantId): TenantKnowledge
  /** Our own papers, the same for every tenant. */
  readonly system: SystemKnowledge
  /** Of our own papers, what belongs into the prompt of this message; undefined when nothing does. For briefs with `systemKnowledge`. */
  systemFor(text: string): Promise<string | undefined>
  /** Best first, at most `limit`; empty when nothing fits. Sees every put that was acknowledged before the call. */
  search(tenantId: TenantId, text: string, limit: number): Promise<readonly Finding[]>
}

export const knowledgeCollections: readonly CollectionSpec[] = [documentStore.spec, versionStore.spec]

/** About 5 MB of index for the largest tenant; the least recently searched tenant goes first. */
const tenantsInMemory = 50
const documentsPerTenant = 5_000
const textChars = 20_000
const queryChars = 500

interface Built {
  readonly version: number
  readonly index: Promise<SearchIndex>
}

export function createKnowledge(deps: { readonly db: Db }): Knowledge {
  const documents = documentStore.open(deps.db)
  const versions = versionStore.open(deps.db)
  // Insertion order is age: a hit is taken out and put back at the end.
  const built = new Map<TenantId, Built>()

  /** The version is read before the documents: an index may be newer than its number, never older. */
  async function indexOf(tenantId: TenantId): Promise<SearchIndex> {
    const version = await versions.current(tenantId)
    const known = built.get(tenantId)
    const entry = known !== undefined && known.version >= version ? known : { version, index: load(tenantId) }
    built.delete(tenantId)
    built.set(tenantId, entry)
    const oldest = built.keys().next().value
    if (built.size > tenantsInMemory && oldest !== undefined) built.delete(oldest)
    try {
      return await entry.index
    } catch (error) {
      if (built.get(tenantId) === entry) built.delete(tenantId)
      throw error
    }
  }
  const system = createSystemKnowledge()
  const load = async (tenantId: TenantId) => buildIndex(await documents.all(tenantId, documentsPerTenant))

  return {
    system,
    systemFor: (text) => system.systemFor(text),
    of: (tenantId) => ({
      async put(docs) {
        if (docs.length > documentsPerTenant) throw new Problem('too_large', 'Too many documents at once.')
        const long = docs.find((doc) => doc.text.length > textChars || doc.title.length > 500)
        if (long !== undefined) throw new Problem('too_large', `The document ${long.key} is too long.`)
        if ((await documents.put(tenantId, docs)) > 0) await versions.bump(tenantId)
      },
      async remove(keys) {
        if ((await documents.remove(tenantId, keys)) > 0) await versions.bump(tenantId)
      },
      all: () => documents.all(tenantId, documentsPerTenant),
    }),
    async search(tenantId, text, limit) {
      return (await indexOf(tenantId)).search(text.slice(0, queryChars), limit)
    },
  }
}
