// Which tenants' passages the searching thread holds, and how new they are. What has not changed is not read again: a new
// source costs its own passages, not those of the tenant's others.

import type { TenantId } from '../../platform/ids.ts'
import type { ChunkStore } from '../chunk-store.ts'
import type { Source, SourceStore } from '../source-store.ts'
import type { DocumentStore, KnowledgeVersion, VersionStore } from '../store.ts'
import type { SearchThread } from './search-thread.ts'
import type { Entry, Hit, Query } from './tenant-index.ts'

export interface IndexDeps {
  readonly documents: Pick<DocumentStore, 'all'>
  readonly versions: Pick<VersionStore, 'current'>
  readonly sources: Pick<SourceStore, 'all'>
  readonly chunks: Pick<ChunkStore, 'read'>
  readonly thread: SearchThread
}

/** Of one tenant. */
export const mostDocuments = 5_000
/** In memory at once, over all tenants. The least recently searched tenant goes first. */
const mostPassages = 60_000

const documentGroup = 'documents'

interface Held {
  /** The thread that holds it. */
  readonly life: number
  version: number
  /** By group (the documents, or one source): in which state it is held, and how many passages that are. */
  readonly groups: Map<string, { readonly at: string; readonly passages: number }>
}

export class TenantIndexes {
  readonly #deps: IndexDeps
  /** Insertion order is age: a tenant that is searched is put at the end. */
  readonly #held = new Map<TenantId, Held>()
  /** One at a time for each tenant. */
  readonly #renewing = new Map<TenantId, Promise<Held>>()

  constructor(deps: IndexDeps) {
    this.#deps = deps
  }

  /** Best first; sees every change that was acknowledged before the call. */
  async search(tenantId: TenantId, query: Query): Promise<readonly Hit[]> {
    let held = await this.#current(tenantId)
    // Another tenant's passages may just have taken its place.
    while (this.#held.get(tenantId) !== held) held = await this.#current(tenantId)
    this.#held.delete(tenantId)
    this.#held.set(tenantId, held)
    return this.#deps.thread.ask({ do: 'search', tenantId, query })
  }

  async #current(tenantId: TenantId): Promise<Held> {
    for (;;) {
      // Read before what it is of: an index may be newer than its number, never older.
      const now = await this.#deps.versions.current(tenantId)
      const known = this.#held.get(tenantId)
      if (known !== undefined && known.version >= now.version && known.life === this.#deps.thread.life) return known
      const running = this.#renewing.get(tenantId)
      if (running === undefined) {
        const started = this.#renew(tenantId, now).finally(() => this.#renewing.delete(tenantId))
        this.#renewing.set(tenantId, started)
        return started
      }
      await running
    }
  }

  async #renew(tenantId: TenantId, now: KnowledgeVersion): Promise<Held> {
    const known = this.#held.get(tenantId)
    const { life } = this.#deps.thread
    const held: Held = known?.life === life ? known : { life, version: -1, groups: new Map() }
    this.#held.set(tenantId, held)
    try {
      await this.#bringUp(tenantId, held, now)
    } catch (error) {
      // Half of it may be there.
      this.#drop(tenantId)
      throw error
    }
    held.version = now.version
    this.#makeRoom(tenantId)
    return held
  }

  async #bringUp(tenantId: TenantId, { groups }: Held, now: KnowledgeVersion): Promise<void> {
    const { thread, sources } = this.#deps
    const searched = (await sources.all(tenantId)).flatMap((each) =>
      each.generation === undefined || each.state === 'removing' ? [] : [{ ...each, generation: each.generation }],
    )
    const wanted = new Map([
      [documentGroup, String(now.documents)],
      ...searched.map((each) => [each.id, each.generation] as const),
    ])
    for (const [group, { at }] of groups) {
      if (wanted.get(group) === at) continue
      await thread.ask({ do: 'remove', tenantId, group })
      groups.delete(group)
    }
    const add = async (group: string, at: string, some: AsyncIterable<readonly Entry[]>): Promise<void> => {
      if (groups.has(group)) return
      let passages = 0
      for await (const entries of some) {
        await thread.ask({ do: 'add', tenantId, group, entries })
        passages += entries.length
      }
      groups.set(group, { at, passages })
    }
    await add(documentGroup, String(now.documents), this.#documents(tenantId))
    for (const source of searched) await add(source.id, source.generation, this.#chunks(source))
  }

  async *#documents(tenantId: TenantId): AsyncGenerator<readonly Entry[]> {
    yield await this.#deps.documents.all(tenantId, mostDocuments)
  }

  async *#chunks({ tenantId, id: sourceId, generation, name, url }: Source & { readonly generation: string }) {
    const from = { kind: 'source', sourceId, source: name, ...(url === undefined ? {} : { url }) }
    for await (const some of this.#deps.chunks.read(tenantId, { sourceId, generation }))
      yield some.map(({ id, ...chunk }): Entry => ({ ...chunk, ...from, key: id }))
  }

  #drop(tenantId: TenantId): void {
    this.#held.delete(tenantId)
    // Lost with its thread, it is gone too.
    this.#deps.thread.ask({ do: 'drop', tenantId }).catch(() => undefined)
  }

  #makeRoom(keep: TenantId): void {
    const count = ({ groups }: Held) => groups.values().reduce((sum, { passages }) => sum + passages, 0)
    let sum = this.#held.values().reduce((all, held) => all + count(held), 0)
    for (const [tenantId, held] of this.#held) {
      if (sum <= mostPassages) return
      if (tenantId === keep || this.#renewing.has(tenantId)) continue
      sum -= count(held)
      this.#drop(tenantId)
    }
  }
}
