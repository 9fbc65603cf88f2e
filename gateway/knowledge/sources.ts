// What a tenant's people do with sources: upload, name a page, have it read again, remove. Reading itself is reader.ts.

import type { AuthContext } from '../platform/access.ts'
import type { Clock } from '../platform/clock.ts'
import { momentCursor, momentOf, type PageQuery, pageFrom } from '../platform/cursor.ts'
import type { FetchGuard } from '../platform/fetch-guard/fetch-guard.ts'
import { newId, type TenantId } from '../platform/ids.ts'
import { Problem } from '../platform/problem.ts'
import { type Filter, rowFilter } from '../platform/row-filter.ts'
import {
  type KnowledgeProgress,
  type KnowledgeSourcePage,
  type KnowledgeSourceView,
  maxSourceBytes,
} from '../protocol/knowledge.ts'
import { formatOf } from './extract/formats.ts'
import { Unreadable } from './extract/unreadable.ts'
import type { FileStore } from './file-store.ts'
import { sha256Of } from './sha.ts'
import { maxSources, type Source, type SourceStore, sourceRowFields } from './source-store.ts'
import type { VersionStore } from './store.ts'

export interface Upload {
  readonly name: string
  /** Media type, as the sender says. */
  readonly type: string
  readonly bytes: Uint8Array
}

export interface NamedPage {
  readonly url: string
  readonly name?: string | undefined
}

export interface KnowledgeSources {
  /** Newest first. `invalid` for a cursor of another list. */
  list(query: PageQuery): Promise<KnowledgeSourcePage>
  get(id: string): Promise<KnowledgeSourceView | undefined>
  progress(): Promise<KnowledgeProgress>
  /** Stored for good; read soon after. The same bytes under the same name are the source that is there. `too_large`, `unsupported`. */
  upload(file: Upload): Promise<KnowledgeSourceView>
  /** The same address is the source that is there. `address_refused` for one that the gateway does not ask. */
  addPage(page: NamedPage): Promise<KnowledgeSourceView>
  /** Undefined: there is none. */
  readAgain(id: string): Promise<KnowledgeSourceView | undefined>
  /** How many will be. */
  readAllAgain(): Promise<number>
  /** False: there is none. No search finds it from now on. */
  remove(id: string): Promise<boolean>
}

export interface SourcesDeps {
  readonly sources: SourceStore
  readonly files: FileStore
  readonly versions: VersionStore
  readonly clock: Clock
  readonly guard: Pick<FetchGuard, 'check'>
  /** There is something to read. */
  readonly kick: () => void
}

/** Bytes of all uploads of a tenant. */
const maxTenantBytes = 1024 ** 3
const nameChars = 200

export function sourcesOf(deps: SourcesDeps, tenantId: TenantId, auth: AuthContext): KnowledgeSources {
  const { sources } = deps
  const rows: Filter = rowFilter(auth.rows('knowledge'), auth, sourceRowFields) ?? {}
  const masked = (view: KnowledgeSourceView): KnowledgeSourceView => auth.masked('knowledge', view)
  const get = async (id: string) => {
    const view = await sources.get(tenantId, id, rows)
    return view === undefined ? undefined : masked(view)
  }
  /** What somebody may not see they may not touch either. */
  const isSeen = async (id: string): Promise<boolean> => (await sources.get(tenantId, id, rows)) !== undefined
  return {
    ...adding(deps, tenantId, auth),
    get,
    async list({ limit, cursor }) {
      const after = cursor === undefined ? undefined : momentOf(cursor)
      const found = await sources.page(tenantId, { rows, after, count: limit + 1 })
      const moment = (last: KnowledgeSourceView) => momentCursor({ at: new Date(last.createdAt), id: last.id })
      return pageFrom(found, limit, { view: masked, cursor: moment })
    },
    async progress() {
      return progressOf(await sources.page(tenantId, { rows, after: undefined, count: maxSources }))
    },
    async readAgain(id) {
      if (!(await isSeen(id))) return undefined
      const view = await sources.readAgain(tenantId, id)
      deps.kick()
      return view === undefined ? undefined : masked(view)
    },
    async readAllAgain() {
      const count = await sources.readAllAgain(tenantId, rows)
      deps.kick()
      return count
    },
    async remove(id) {
      if (!(await isSeen(id)) || !(await sources.hide(tenantId, id))) return false
      await deps.versions.bump(tenantId, 'sources')
      deps.kick()
      return true
    },
  }
}

function adding(
  deps: SourcesDeps,
  tenantId: TenantId,
  auth: AuthContext,
): Pick<KnowledgeSources, 'upload' | 'addPage'> {
  const { sources, files } = deps
  const shown = async (id: string): Promise<KnowledgeSourceView> => {
    const view = await sources.get(tenantId, id)
    if (view === undefined) throw new Problem('conflict', 'The source was removed meanwhile.')
    return auth.masked('knowledge', view)
  }
  const facts = () => ({ id: newId('src'), createdBy: auth.actor.id, at: new Date(deps.clock.now()) })
  return {
    async upload({ name: given, type, bytes }) {
      if (bytes.length > maxSourceBytes)
        throw new Problem('too_large', `A file has ${maxSourceBytes >> 20} MB at most.`)
      const name = nameOf(given)
      const format = formatFor(bytes, { name, type })
      const sha256 = await sha256Of(bytes)
      const all = await sources.all(tenantId)
      const same = all.find(
        (each) => isSeen(each) && each.kind === 'file' && each.sha256 === sha256 && each.name === name,
      )
      if (same !== undefined) return shown(same.id)
      makeSureOfRoom(all, bytes.length)
      const source = { ...facts(), name, kind: 'file' as const, format, bytes: bytes.length, sha256 }
      // Nobody reads it before all of it is there; if this process dies first, whoever finds it sees that it is cut off.
      await sources.insert(tenantId, source, { held: true })
      await files.write(tenantId, source.id, bytes)
      await sources.offer(tenantId, source.id)
      deps.kick()
      return shown(source.id)
    },
    async addPage({ url, name }) {
      const all = await sources.all(tenantId)
      const same = all.find((each) => isSeen(each) && each.url === url)
      if (same !== undefined) return shown(same.id)
      makeSureOfRoom(all, 0)
      await deps.guard.check(url)
      const source = { ...facts(), name: nameOf(name ?? url), kind: 'url' as const, url, bytes: 0 }
      await sources.insert(tenantId, source, { held: false })
      deps.kick()
      return shown(source.id)
    },
  }
}

const isSeen = ({ state }: Source): boolean => state !== 'removing'

function nameOf(given: string): string {
  const name = given
    .toWellFormed()
    .replace(/\p{Cc}/gu, '')
    .trim()
    .slice(0, nameChars)
  return name === '' ? 'Untitled' : name
}

function formatFor(bytes: Uint8Array, called: { readonly name: string; readonly type: string }) {
  try {
    return formatOf(bytes, called)
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    throw new Problem(error.code === 'unsupported' ? 'unsupported' : 'invalid', error.message)
  }
}

function makeSureOfRoom(all: readonly Source[], bytes: number): void {
  if (all.length >= maxSources) throw new Problem('too_large', `There is room for ${maxSources} sources.`)
  const sum = all.reduce((so, each) => so + (each.kind === 'file' ? each.bytes : 0), bytes)
  if (sum > maxTenantBytes) throw new Problem('too_large', 'There is room for 1 GB of files. Remove some first.')
}

function progressOf(all: readonly KnowledgeSourceView[]): KnowledgeProgress {
  const count = (state: KnowledgeSourceView['state']) => all.filter((each) => each.state === state).length
  const going = all.filter(({ state }) => state === 'queued' || state === 'reading')
  const sum = going.reduce((so, { state, progress }) => so + (state === 'reading' ? progress : 0), 0)
  return {
    ...{ sources: all.length, queued: count('queued'), reading: count('reading'), failed: count('failed') },
    ...{ ready: count('ready'), chunks: all.reduce((so, { chunks }) => so + chunks, 0) },
    progress: going.length === 0 ? 100 : Math.floor(sum / going.length),
  }
}
