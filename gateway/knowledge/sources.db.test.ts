import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { authAs } from '../../test/harness/auth.ts'
import { docxOf, pdfOf, zipOf } from '../../test/harness/documents.ts'
import { QueryWatch } from '../../test/harness/indexed.ts'
import { knowledgeIn } from '../../test/harness/knowledge.ts'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { asTenantId, type TenantId } from '../platform/ids.ts'
import { ensureIndexes, openMongo } from '../platform/mongo.ts'
import type { KnowledgeSourceView } from '../protocol/knowledge.ts'
import { type Knowledge, type KnowledgeDeps, knowledgeCollections } from './knowledge.ts'

let store: TestStore
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, knowledgeCollections)
})
afterAll(() => store[Symbol.asyncDispose]())

let count = 0
const freshTenant = () => asTenantId(`ten_s${String(count++)}`)

/** One whose people are at work: nothing of it is read before `work` is called. */
function place(over: Partial<KnowledgeDeps> = {}, tenantId: TenantId = freshTenant()) {
  return placeIn(knowledgeIn(store.db, over), tenantId)
}

function placeIn(knowledge: Knowledge, tenantId: TenantId = freshTenant()) {
  const sources = knowledge.of(tenantId).sources(authAs(tenantId))
  const upload = (name: string, bytes: Uint8Array | string) =>
    sources.upload({ name, type: '', bytes: Buffer.from(bytes) })
  const done = async (id: string): Promise<KnowledgeSourceView> => {
    for (;;) {
      await knowledge.work()
      const source = await sources.get(id)
      if (source === undefined) throw new Error(`${id} is gone`)
      if (source.state === 'ready' || source.state === 'failed') return source
      await delay(20)
    }
  }
  const find = async (text: string) => (await knowledge.search(tenantId, text, 5)).map((hit) => hit.text)
  return { knowledge, sources, tenantId, upload, done, find }
}

test('[knowledge] uploaded files are read, and found with the source, heading and page they are from', async () => {
  const { knowledge, tenantId, upload, done, sources } = place()
  const pdf = await upload('Handbook.pdf', pdfOf([['Welcome.'], ['Bicycles can be rented at the gate.']]))
  expect(pdf).toMatchObject({ name: 'Handbook.pdf', kind: 'file', format: 'pdf', problem: null, readAt: null })
  expect(await done(pdf.id)).toMatchObject({ state: 'ready', progress: 100, chunks: 2, readAt: expect.any(String) })
  const docx = await upload('Rules.docx', docxOf([{ heading: 'Noise' }, 'Trumpets are forbidden after nine.']))
  await done(docx.id)
  const [bike] = await knowledge.search(tenantId, 'where do I rent a bicycle', 3)
  expect(bike).toMatchObject({ kind: 'source', sourceId: pdf.id, source: 'Handbook.pdf', page: 2 })
  const [trumpet] = await knowledge.search(tenantId, 'trumpets', 3)
  expect(trumpet).toMatchObject({ sourceId: docx.id, heading: 'Noise', title: 'Rules.docx' })
  expect((await sources.list({ limit: 1 })).items).toMatchObject([{ id: docx.id }])
  expect(await sources.progress()).toMatchObject({ sources: 2, ready: 2, chunks: 3, progress: 100 })
}, 120_000)

test('[knowledge] the same bytes under the same name are one source, and what cannot be read is refused or says why', async () => {
  const { upload, done, find, sources } = place()
  const first = await upload('a.md', 'The lamp is green.')
  expect((await upload('a.md', 'The lamp is green.')).id).toBe(first.id)
  await expect(upload('a.png', Buffer.from([0x89, 0x50, 0, 0]))).rejects.toMatchObject({ code: 'unsupported' })
  await expect(upload('a.md', '')).rejects.toMatchObject({ code: 'invalid' })
  await expect(upload('a.txt', Buffer.alloc(20 * 1024 * 1024 + 1, 'a'))).rejects.toMatchObject({ code: 'too_large' })
  const bomb = await upload('a.docx', zipOf([['word/document.xml', Buffer.alloc(200_000_000)]], 500))
  expect(await done(bomb.id)).toMatchObject({ state: 'failed', problem: { code: 'too_large' } })
  expect(await done(first.id)).toMatchObject({ state: 'ready' })
  expect(await find('lamp')).toEqual(['The lamp is green.'])
  expect((await sources.list({ limit: 10 })).items).toHaveLength(2)
}, 120_000)

test('[knowledge] removed, a source is found by no search that begins after the answer', async () => {
  const { upload, done, find, sources, knowledge, tenantId } = place()
  const { id } = await upload('a.md', 'The cellar is flooded.')
  await done(id)
  expect(await find('cellar')).toHaveLength(1)
  expect(await sources.remove(id)).toBe(true)
  expect(await find('cellar')).toEqual([])
  expect(await sources.get(id)).toBeUndefined()
  expect(await sources.remove(id)).toBe(false)
  await knowledge.work()
  for (const name of ['knowledge_sources', 'knowledge_chunks', 'knowledge_files'])
    expect(await store.db.collection(name).countDocuments({ tenantId })).toBe(0)
}, 60_000)

test('[knowledge] a page is fetched through the port it was given; read again, it is asked whether it changed', async () => {
  let [body, status] = ['# Fees\n\nEntry is nine euros.', 200]
  const asked: Headers[] = []
  const { sources, done, find } = place({
    guard: {
      check: async (url) => new URL(url),
      async fetch(_url, { headers } = {}) {
        const given = new Headers(headers)
        asked.push(given)
        const etag = `"${body.length}"`
        if (status === 200 && given.get('if-none-match') === etag) return new Response(null, { status: 304 })
        return new Response(body, { status, headers: { 'content-type': 'text/markdown', etag } })
      },
    },
  })
  const page = await sources.addPage({ url: 'https://museum.example/fees' })
  expect(page).toMatchObject({ kind: 'url', url: 'https://museum.example/fees', format: null })
  expect((await sources.addPage({ url: 'https://museum.example/fees' })).id).toBe(page.id)
  const first = await done(page.id)
  expect(first).toMatchObject({ state: 'ready', format: 'markdown', chunks: 1 })
  await sources.readAgain(page.id)
  expect(await done(page.id)).toMatchObject({ state: 'ready', chunks: 1, sha256: first.sha256 })
  body = '# Fees\n\nEntry is twelve euros.'
  expect(await sources.readAllAgain()).toBe(1)
  await done(page.id)
  expect(await find('entry fees')).toEqual(['Entry is twelve euros.'])
  status = 500
  await sources.readAgain(page.id)
  expect(await done(page.id)).toMatchObject({ state: 'failed', problem: { code: 'unreachable' }, chunks: 1 })
  expect(await find('entry fees')).toEqual(['Entry is twelve euros.'])
  expect(asked.map((headers) => headers.has('if-none-match'))).toEqual([false, true, true, true])
}, 120_000)

test('[knowledge] a source whose process stops is read by another one, and a reading that was lost writes nothing', async () => {
  const gate = Promise.withResolvers<void>()
  const tenantId = freshTenant()
  const started = Promise.withResolvers<void>()
  const check = async (url: string) => new URL(url)
  const text = (words: string) => new Response(words, { headers: { 'content-type': 'text/plain' } })
  const slow = place(
    {
      guard: {
        check,
        async fetch() {
          started.resolve()
          await gate.promise
          return text('Old words.')
        },
      },
    },
    tenantId,
  )
  const { id } = await slow.sources.addPage({ url: 'https://a.example/' })
  await started.promise
  const other = place({ guard: { check, fetch: async () => text('New words.') } }, tenantId)
  expect(await other.sources.get(id)).toMatchObject({ state: 'reading' })
  // Asked for anew, it is another reading's: whoever was at it is out.
  await other.sources.readAgain(id)
  const read = await other.done(id)
  expect(read).toMatchObject({ state: 'ready', chunks: 1 })
  gate.resolve()
  await slow.knowledge.drain()
  expect(await other.find('words')).toEqual(['New words.'])
  expect(await other.sources.get(id)).toEqual(read)
}, 60_000)

test('[knowledge] [TEN-13] 1,000 searches over the sources of two tenants show neither the other’s canary', async () => {
  // One process for both, as in a gateway.
  const a = place()
  const b = placeIn(a.knowledge)
  const sure = await a.upload('a.md', '# Pool\n\nALPHA-7731 the pool closes at ten, towels are at the gate.')
  const other = await b.upload('b.md', '# Pool\n\nBRAVO-9942 the pool closes at six, towels are at the gate.')
  await Promise.all([a.done(sure.id), b.done(other.id)])
  const words = [
    'pool',
    'towels',
    'gate',
    'ALPHA-7731',
    'BRAVO-9942',
    'closes',
    'six',
    'ten',
    'alpha',
    'bravo',
    sure.id,
  ]
  let found = 0
  for (let n = 0; n < 500; n++) {
    const text = [words[n % words.length], words[(n * 7) % words.length], words[(n * 3) % words.length]].join(' ')
    const [of, ofOther] = await Promise.all([a.find(text), b.find(text)])
    found += of.length + ofOther.length
    expect(of.join()).not.toContain('BRAVO')
    expect(ofOther.join()).not.toContain('ALPHA')
  }
  expect(found).toBeGreaterThan(500)
  expect(await a.sources.get(other.id)).toBeUndefined()
  expect(await a.sources.readAgain(other.id)).toBeUndefined()
  expect(await a.sources.remove(other.id)).toBe(false)
}, 120_000)

test('[knowledge] every query of sources, files and passages has an index', async () => {
  const watch = new QueryWatch()
  const mongo = await openMongo(store.uri, store.database, { timeoutMs: 10_000, onCommand: watch.onCommand })
  try {
    const tenantId = freshTenant()
    const knowledge: Knowledge = knowledgeIn(mongo.db)
    const sources = knowledge.of(tenantId).sources(authAs(tenantId))
    const { id } = await sources.upload({ name: 'a.md', type: '', bytes: Buffer.from('One two three.') })
    await knowledge.work()
    await knowledge.search(tenantId, 'two', 3)
    await sources.list({ limit: 1 })
    await sources.progress()
    await sources.readAgain(id)
    await knowledge.work()
    await sources.readAllAgain()
    await sources.remove(id)
    await knowledge.work()
    expect(watch.seen).toBeGreaterThan(10)
    expect(
      await watch.scans(
        mongo.db,
        knowledgeCollections.map((each) => each.name),
      ),
    ).toEqual([])
    await knowledge.drain()
  } finally {
    await mongo.close()
  }
}, 60_000)
