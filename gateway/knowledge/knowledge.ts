// What a tenant's agents may look up: documents put by programs, and sources that people upload or name. Owns them, the
// passages they were cut into and what searches them. An index holds one tenant's passages: no answer has another's.

import type { Db } from 'mongodb'
import type { AuthContext } from '../platform/access.ts'
import type { Clock } from '../platform/clock.ts'
import type { FetchGuard } from '../platform/fetch-guard/fetch-guard.ts'
import type { TenantId } from '../platform/ids.ts'
import type { Log } from '../platform/log.ts'
import type { CollectionSpec } from '../platform/mongo.ts'
import { Problem } from '../platform/problem.ts'
import { chunkSpec, openChunks } from './chunk-store.ts'
import { createOpenAiEmbedder } from './embeddings/openai-embedder.ts'
import type { EmbeddingPlan } from './embeddings/settings.ts'
import { extract } from './extract/extract.ts'
import { fileSpec, openFiles } from './file-store.ts'
import { createReader } from './reader.ts'
import { createSearchThread } from './search/search-thread.ts'
import type { Hit, ModelVector } from './search/tenant-index.ts'
import { mostDocuments, TenantIndexes } from './search/tenant-indexes.ts'
import { openSources, sourceSpec } from './source-store.ts'
import { type KnowledgeSources, sourcesOf } from './sources.ts'
import { documentStore, type KnowledgeDocument, versionStore } from './store.ts'
import { createSystemKnowledge, type SystemKnowledge } from './system-knowledge.ts'

export type { Hit as Finding } from './search/tenant-index.ts'
export type { KnowledgeSources } from './sources.ts'
export type { KnowledgeDocument } from './store.ts'
export type { SystemKnowledge } from './system-knowledge.ts'

export interface TenantKnowledge {
  /** Inserts or replaces by key. `too_large` beyond 20,000 characters of one text or 5,000 documents at once. */
  put(docs: readonly KnowledgeDocument[]): Promise<void>
  remove(keys: readonly string[]): Promise<void>
  all(): Promise<readonly KnowledgeDocument[]>
  /** As this caller may see and change them. */
  sources(auth: AuthContext): KnowledgeSources
}

export interface Knowledge {
  of(tenantId: TenantId): TenantKnowledge
  /** Our own papers, the same for every tenant. */
  readonly system: SystemKnowledge
  /** Of our own papers, what belongs into the prompt of this message; undefined when nothing does. For briefs with `systemKnowledge`. */
  systemFor(text: string): Promise<string | undefined>
  /** Best first, at most `limit`; empty when nothing fits. Sees every change that was acknowledged before the call. */
  search(tenantId: TenantId, text: string, limit: number): Promise<readonly Hit[]>
  /** Reads what is waiting to be read, of any tenant; resolves with how many sources that were. */
  work(): Promise<number>
  /** What is being read is left to the next process. */
  drain(): Promise<void>
}

export const knowledgeCollections: readonly CollectionSpec[] = [
  documentStore.spec,
  versionStore.spec,
  sourceSpec,
  fileSpec,
  chunkSpec,
]

const textChars = 20_000
const queryChars = 500
const queryMs = 1_500

export interface KnowledgeDeps {
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
  /** Of this process: leases name it. */
  readonly nodeId: string
  /** The way to pages on the web. */
  readonly guard: Pick<FetchGuard, 'check' | 'fetch'>
  /** Undefined: the built-in word vectors alone. */
  readonly embeddings?: EmbeddingPlan | undefined
}

export function createKnowledge(deps: KnowledgeDeps): Knowledge {
  const { db, clock, log, embeddings } = deps
  const embedder = embeddings === undefined ? undefined : createOpenAiEmbedder(embeddings)
  const documents = documentStore.open(db)
  const versions = versionStore.open(db)
  const sources = openSources(db, { owner: deps.nodeId })
  const files = openFiles(db)
  const chunks = openChunks(db)
  const thread = createSearchThread()
  const indexes = new TenantIndexes({ documents, versions, sources, chunks, thread })
  const reader = createReader({
    ...{ sources, files, chunks, versions, clock, log, embedder, guard: deps.guard },
    extract: (asked) => extract(clock, asked),
  })
  const kick = (): void => {
    reader.work().catch((error: unknown) => log.warn({ err: error }, 'sources wait to be read'))
  }
  /** Whoever speaks does not wait long for it: the words alone find much. */
  const vectorOf = async (text: string): Promise<ModelVector | undefined> => {
    if (embedder === undefined) return undefined
    try {
      const [values] = await embedder.embed([text], AbortSignal.timeout(queryMs))
      return values === undefined ? undefined : { model: embedder.model, values }
    } catch (error) {
      log.warn({ err: error, model: embedder.model }, 'a search went without its vector')
      return undefined
    }
  }
  const system = createSystemKnowledge()

  return {
    system,
    systemFor: (text) => system.systemFor(text),
    of: (tenantId) => ({
      async put(docs) {
        if (docs.length > mostDocuments) throw new Problem('too_large', 'Too many documents at once.')
        const long = docs.find((doc) => doc.text.length > textChars || doc.title.length > 500)
        if (long !== undefined) throw new Problem('too_large', `The document ${long.key} is too long.`)
        if ((await documents.put(tenantId, docs)) > 0) await versions.bump(tenantId, 'documents')
      },
      async remove(keys) {
        if ((await documents.remove(tenantId, keys)) > 0) await versions.bump(tenantId, 'documents')
      },
      all: () => documents.all(tenantId, mostDocuments),
      sources: (auth) => sourcesOf({ sources, files, versions, clock, kick, guard: deps.guard }, tenantId, auth),
    }),
    async search(tenantId, text, limit) {
      const asked = text.slice(0, queryChars)
      return indexes.search(tenantId, { text: asked, limit, vector: await vectorOf(asked) })
    },
    work: () => reader.work(),
    async drain() {
      await reader.drain()
      await thread.close()
    },
  }
}
