import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { authAs } from '../../../test/harness/auth.ts'
import { knowledgeIn } from '../../../test/harness/knowledge.ts'
import { ScriptedEmbeddings } from '../../../test/harness/scripted-embeddings.ts'
import { openTestStore, type TestStore } from '../../../test/harness/store.ts'
import { asTenantId } from '../../platform/ids.ts'
import { ensureIndexes } from '../../platform/mongo.ts'
import { knowledgeCollections } from '../knowledge.ts'
import { createOpenAiEmbedder } from './openai-embedder.ts'
import { embeddingPlan } from './settings.ts'

const meanings = [
  ['pool', 'piscina', 'schwimmbad'],
  ['dog', 'perro', 'hund'],
  ['breakfast', 'desayuno', 'frühstück'],
]
let store: TestStore
let server: ScriptedEmbeddings
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, knowledgeCollections)
})
afterAll(() => store[Symbol.asyncDispose]())
beforeEach(async () => {
  server = await new ScriptedEmbeddings('key-1', meanings).start()
})
afterEach(() => server.stop())

const plan = () => ({ model: 'scripted-3', baseUrl: server.baseUrl, apiKey: 'key-1', dimensions: undefined })
const signal = () => new AbortController().signal

test('[knowledge] with an embedding model a passage is found in another language, and without its answer by words', async () => {
  const tenantId = asTenantId('ten_embedded')
  const knowledge = knowledgeIn(store.db, { embeddings: plan() })
  const sources = knowledge.of(tenantId).sources(authAs(tenantId))
  const text = '# Pool\n\nThe pool opens at nine.\n\n# Dogs\n\nA dog is welcome.\n\n# Food\n\nThe breakfast is rich.'
  const { id } = await sources.upload({ name: 'house.md', type: '', bytes: Buffer.from(text) })
  while ((await knowledge.work()) > 0);
  expect(await sources.get(id)).toMatchObject({ state: 'ready', chunks: 3 })
  const best = async (query: string) => (await knowledge.search(tenantId, query, 1))[0]?.text
  expect(await best('¿Hay una piscina?')).toBe('The pool opens at nine.')
  expect(await best('darf mein hund mit')).toBe('A dog is welcome.')
  expect(server.asked[0]).toMatchObject({ model: 'scripted-3', encoding_format: 'base64' })
  server.fails.push(500, 500)
  expect(await best('rich breakfast')).toBe('The breakfast is rich.')
  await knowledge.drain()
}, 60_000)

test('[knowledge] an embedding server that is busy is asked once more; one that refuses is a failure', async () => {
  const embedder = createOpenAiEmbedder(plan())
  server.fails.push(429)
  const [pool, both] = await embedder.embed(['the pool', 'pool and dog'], signal())
  expect(pool?.[0]).toBeCloseTo(1, 2)
  expect(both?.[0]).toBeCloseTo(Math.SQRT1_2, 2)
  server.fails.push(503, 503)
  await expect(embedder.embed(['the pool'], signal())).rejects.toThrow('503')
  await expect(createOpenAiEmbedder({ ...plan(), apiKey: 'other' }).embed(['a'], signal())).rejects.toThrow('401')
})

test('[knowledge] the key of OpenAI goes to the address that it is for, and to no other', () => {
  const openai = { OPENAI_BASE_URL: 'https://api.openai.com/v1', OPENAI_API_KEY: 'sk-1' }
  expect(embeddingPlan(openai)).toBeUndefined()
  expect(embeddingPlan({ ...openai, EMBEDDINGS_MODEL: 'm' })).toMatchObject({ apiKey: 'sk-1' })
  const elsewhere = { ...openai, EMBEDDINGS_MODEL: 'm', EMBEDDINGS_BASE_URL: 'http://localhost:11434/v1' }
  expect(embeddingPlan(elsewhere)).toMatchObject({ apiKey: undefined, baseUrl: 'http://localhost:11434/v1' })
  expect(embeddingPlan({ ...elsewhere, EMBEDDINGS_API_KEY: 'k' })).toMatchObject({ apiKey: 'k' })
})
