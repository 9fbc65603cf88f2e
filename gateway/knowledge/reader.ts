// Sources on their way to being searched: taken by one process at a time, for as long as it shows that it lives; read,
// cut into passages, embedded, stored, and only then searched instead of what was there before.

import type { Clock } from '../platform/clock.ts'
import type { FetchGuard } from '../platform/fetch-guard/fetch-guard.ts'
import type { Log } from '../platform/log.ts'
import type { SourceFormat } from '../protocol/knowledge.ts'
import type { ChunkStore, StoredChunk } from './chunk-store.ts'
import type { Embedder } from './embeddings/embedder.ts'
import type { Chunk } from './extract/chunks.ts'
import type { Extraction } from './extract/extract.ts'
import { formatOf } from './extract/formats.ts'
import { Unreadable } from './extract/unreadable.ts'
import { fetchPage, type Validators } from './fetch-page.ts'
import type { FileStore } from './file-store.ts'
import { sha256Of } from './sha.ts'
import { type Owned, renewMs, type Source, type SourceStore } from './source-store.ts'
import type { VersionStore } from './store.ts'

export interface ReaderDeps {
  readonly sources: SourceStore
  readonly files: FileStore
  readonly chunks: ChunkStore
  readonly versions: VersionStore
  readonly extract: (asked: Extraction) => Promise<readonly Chunk[]>
  readonly guard: Pick<FetchGuard, 'fetch'>
  readonly embedder: Embedder | undefined
  readonly clock: Clock
  readonly log: Log
}

export interface Reader {
  /** Does what is to be done now, of any tenant; resolves with how many sources that were. One run at a time. */
  work(): Promise<number>
  /** Leaves what it is at to the next process. */
  drain(): Promise<void>
}

/** Processes that may stop over one source before it is given up. */
const maxAttempts = 3
/** Of one tenant: what a search takes grows with it. */
export const maxTenantChunks = 20_000
const chunksPerWrite = 200
const embeddedAtOnce = 64
/** Of those that wait: among them the next tenant is looked for. */
const window = 200

/** Another process has it, or this one stops. */
class Lost extends Error {}

export function createReader(deps: ReaderDeps): Reader {
  const { sources, log } = deps
  const stopping = new AbortController()
  /** When each tenant had its last turn: one that uploads a thousand files does not make the others wait for all of them. */
  const turns = new Map<string, number>()
  let running: Promise<number> | undefined

  async function all(): Promise<number> {
    let done = 0
    while (!stopping.signal.aborted) {
      const waiting = await sources.waiting(window)
      const turn = (each: Source): number => turns.get(each.tenantId) ?? -1
      const next = waiting.reduce<Source | undefined>(
        (first, each) => (first === undefined || turn(each) < turn(first) ? each : first),
        undefined,
      )
      if (next === undefined) {
        turns.clear()
        return done
      }
      turns.set(next.tenantId, done)
      const taken = await sources.take(next)
      if (taken === undefined) continue
      await one(taken)
      done++
    }
    return done
  }

  async function one(source: Source): Promise<void> {
    try {
      if (source.state === 'removing') await erase(deps, source)
      else if (source.state === 'ready') await settle(deps, source, source.generation)
      else await held(deps, source, stopping.signal)
    } catch (error) {
      if (error instanceof Lost) await sources.letGo(source).catch(() => undefined)
      else await notRead(deps, source, error)
    }
  }

  return {
    work() {
      running ??= all().finally(() => {
        running = undefined
      })
      return running
    },
    async drain() {
      stopping.abort(new Lost())
      await running?.catch((error: unknown) => log.warn({ err: error }, 'a source was left unread'))
    },
  }
}

async function notRead({ sources, log }: ReaderDeps, source: Source, error: unknown): Promise<void> {
  const { tenantId, id, attempts } = source
  if (error instanceof Unreadable) {
    log.info({ tenantId, sourceId: id, code: error.code }, 'a source could not be read')
    await sources.fail(source, { code: error.code, message: error.message })
    return
  }
  log.warn({ err: error, tenantId, sourceId: id }, 'reading a source failed')
  // Its lease runs out, and it is tried again.
  if (attempts < maxAttempts) return
  await sources.fail(source, { code: 'failed', message: 'It could not be read just now. Try again later.' })
}

/** Works on it and shows that it does; stops when it is lost. */
async function held(deps: ReaderDeps, source: Source, stopping: AbortSignal): Promise<void> {
  if (source.attempts > maxAttempts)
    throw new Unreadable('interrupted', 'The gateway stopped several times while it read this. It may be damaged.')
  const lost = new AbortController()
  const signal = AbortSignal.any([stopping, lost.signal])
  let progress = 0
  const timer = deps.clock.every(renewMs / 2, () => {
    deps.sources.progress(source, progress).then(
      (isMine) => isMine || lost.abort(new Lost()),
      (error: unknown) => deps.log.warn({ err: error, sourceId: source.id }, 'a source’s lease was not renewed'),
    )
  })
  try {
    await read(deps, source, {
      signal,
      at: (percent) => {
        progress = Math.round(percent)
      },
    })
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    timer.cancel()
  }
}

interface Going {
  readonly signal: AbortSignal
  /** 0 to 100. */
  readonly at: (percent: number) => void
}

interface Got extends Validators {
  readonly bytes: Uint8Array
  readonly format: SourceFormat
}

async function read(deps: ReaderDeps, source: Source, { signal, at }: Going): Promise<void> {
  const got = await bytesOf(deps, source, signal)
  if (got === undefined) return keepAsIs(deps, source)
  const sha256 = await sha256Of(got.bytes)
  if (source.kind === 'file' && sha256 !== source.sha256)
    throw new Unreadable('unreadable', 'The upload broke off. Upload the file again.')
  at(5)
  const found = await deps.extract({
    ...{ bytes: got.bytes, format: got.format, name: source.name, signal },
    onProgress: (share) => at(5 + share * 65),
  })
  await makeSureOfRoom(deps, source, found.length)
  const of = { sourceId: source.id, generation: String(source.epoch) }
  for (let first = 0; first < found.length; first += chunksPerWrite) {
    const some = found.slice(first, first + chunksPerWrite)
    await deps.chunks.write(source.tenantId, of, { first, chunks: await embedded(deps, some, signal) })
    signal.throwIfAborted()
    at(70 + (25 * first) / found.length)
  }
  const { bytes, format, etag, lastModified } = got
  const reading = {
    generation: of.generation,
    chunks: found.length,
    bytes: bytes.length,
    format,
    sha256,
    model: deps.embedder?.model,
  }
  if (!(await deps.sources.found(source, { ...reading, etag, lastModified }))) throw new Lost()
  await settle(deps, source, of.generation)
}

/** Undefined: it is what it was. */
async function bytesOf(
  { files, guard, embedder }: ReaderDeps,
  source: Source,
  signal: AbortSignal,
): Promise<Got | undefined> {
  const { tenantId, id, kind, url, name, generation, etag, lastModified } = source
  if (kind === 'file') {
    const bytes = await files.read(tenantId, id)
    return { bytes, format: source.format ?? formatOf(bytes, { name, type: '' }) }
  }
  // What was read for another model is read again.
  const isCurrent = generation !== undefined && source.model === embedder?.model
  const known = isCurrent ? { etag, lastModified } : {}
  const page = await fetchPage(guard, { tenantId, url: url ?? '', known, signal })
  if (page.is === 'unchanged') return undefined
  const path = URL.parse(url ?? '')?.pathname ?? ''
  return { ...page, format: formatOf(page.bytes, { name: path, type: page.type }) }
}

async function keepAsIs({ sources }: ReaderDeps, source: Source): Promise<void> {
  if (!(await sources.unchanged(source))) throw new Lost()
}

async function makeSureOfRoom({ sources }: ReaderDeps, source: Source, chunks: number): Promise<void> {
  const others = (await sources.all(source.tenantId)).filter((each) => each.id !== source.id)
  const sum = others.reduce((all, each) => all + each.chunks, chunks)
  if (sum > maxTenantChunks)
    throw new Unreadable('full', `There is room for ${maxTenantChunks} passages. Remove sources that nobody needs.`)
}

/** Without an answer of the model the words alone are searched: a source is not lost over it. */
async function embedded(
  { embedder, log }: ReaderDeps,
  chunks: readonly Chunk[],
  signal: AbortSignal,
): Promise<readonly (Chunk & Pick<StoredChunk, 'vector'>)[]> {
  if (embedder === undefined) return chunks
  const made: (Chunk & Pick<StoredChunk, 'vector'>)[] = []
  for (let first = 0; first < chunks.length; first += embeddedAtOnce) {
    const some = chunks.slice(first, first + embeddedAtOnce)
    const texts = some.map(({ title, heading = '', text }) => `${title}\n${heading}\n${text}`)
    const vectors = await embedder.embed(texts, signal).catch((error: unknown) => {
      log.warn({ err: error, model: embedder.model }, 'passages were stored without vectors')
      return []
    })
    made.push(
      ...some.map((chunk, i) => {
        const values = vectors[i]
        return values === undefined ? chunk : { ...chunk, vector: { model: embedder.model, values } }
      }),
    )
  }
  return made
}

/** After what was found is stored: the indexes are told, then what was there before goes. Any process may do it again. */
async function settle(
  { versions, chunks, sources }: ReaderDeps,
  of: Owned,
  generation: string | undefined,
): Promise<void> {
  await versions.bump(of.tenantId, 'sources')
  await chunks.remove(of.tenantId, of.id, generation)
  await sources.close(of)
}

async function erase({ versions, chunks, files, sources }: ReaderDeps, of: Owned): Promise<void> {
  await versions.bump(of.tenantId, 'sources')
  await chunks.remove(of.tenantId, of.id)
  await files.remove(of.tenantId, of.id)
  await sources.erase(of)
}
