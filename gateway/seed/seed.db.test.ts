import { randomBytes } from 'node:crypto'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { insideTools } from '../../test/harness/inside-tools.ts'
import { knowledgeIn } from '../../test/harness/knowledge.ts'
import { recordsIn } from '../../test/harness/records.ts'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { agentCollections, createAgents } from '../agents/agents.ts'
import { entityCollections } from '../entities/entities.ts'
import { productRoutes } from '../entities/product-routes.ts'
import { createIdentity, identityCollections } from '../identity/identity.ts'
import { knowledgeCollections } from '../knowledge/knowledge.ts'
import { createObjects, objectCollections } from '../objects/objects.ts'
import type { TenantId } from '../platform/ids.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import type { EntryView } from '../protocol/rest.ts'
import { createTenants, tenantCollections } from '../tenants/tenants.ts'
import { createTools, toolCollections } from '../tools/tools.ts'
import { type SeedDeps, type Seeded, seedDemo } from './seed.ts'

class CountingLedger {
  readonly posted = new Map<string, number>()
  of(tenantId: TenantId) {
    return {
      post: async (request: { key: string; amountMicro: number; note: string }): Promise<EntryView> => {
        this.posted.set(`${tenantId} ${request.key}`, request.amountMicro)
        const { amountMicro, note } = request
        return { id: 'ent_1', kind: 'grant', amountMicro, balanceMicro: amountMicro, note, at: '' }
      },
    }
  }
}

const specs = [
  ...tenantCollections,
  ...objectCollections,
  ...agentCollections,
  ...identityCollections,
  ...knowledgeCollections,
  ...entityCollections,
  ...toolCollections,
]
const origin = 'http://127.0.0.1:4000'
const ledger = new CountingLedger()
let store: TestStore
let deps: SeedDeps
let first: Seeded

beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, specs)
  const { db } = store
  const tenants = createTenants({ db })
  const agents = createAgents({ db, tenants, objects: createObjects({ db }) })
  const entities = recordsIn(db).entities
  const knowledge = knowledgeIn(db)
  const identity = createIdentity({ db, publicUrl: origin, secret: randomBytes(32), tenants, agents })
  const tools = createTools({
    ...{ ...recordsIn(db), db, entities, knowledge, log: pino({ level: 'silent' }) },
    executors: [insideTools(productRoutes({ entities }))],
  })
  deps = { tenants, agents, identity, knowledge, entities, tools, ledger, origins: [origin] }
  first = await seedDemo(deps)
})
afterAll(() => store[Symbol.asyncDispose]())

async function everything() {
  const found: Record<string, unknown[]> = {}
  for (const { name } of specs) found[name] = await store.db.collection(name).find({}).sort({ _id: 1 }).toArray()
  return found
}

const tenantId = async (slug: string) => (await deps.tenants.bySlug(slug))!.id
async function call(slug: string, name: string, args: object) {
  const agent = { cypress: 'cypress', productco: 'productco', eventco: 'event' }[slug]!
  const id = await tenantId(slug)
  const { id: agentId } = (await deps.agents.of(id).bySlug(agent))!
  const brief = await deps.agents.resolve({ tenantId: id, agentId, channel: 'widget' })
  const result = await deps.tools.run({
    tenantId: id,
    sessionId: 'sess_1',
    callId: randomBytes(6).toString('hex'),
    name,
    arguments: JSON.stringify(args),
    allowed: brief!.tools,
  })
  expect(result.ok, result.output).toBe(true)
  return JSON.parse(result.output)
}

test('seeding twice changes no document and tells the API key once', async () => {
  expect(first.tenants.map((each) => each.slug)).toEqual(['cypress', 'productco', 'eventco'])
  expect(first.apiKey).toMatch(/^af_live_/)
  const before = await everything()
  const filled = ['tenants', 'prompts', 'keys', 'knowledge_documents', 'knowledge_versions', 'entities', 'tools']
  for (const name of filled) expect(before[name]?.length, name).toBeGreaterThan(0)
  const second = await seedDemo(deps)
  expect(second.apiKey).toBeUndefined()
  expect(second.tenants).toEqual(first.tenants)
  expect(await everything()).toEqual(before)
})

test('every demo tenant has 10,000 credits under one key and a page that may show its widget', async () => {
  expect([...ledger.posted.values()]).toEqual([10_000_000_000, 10_000_000_000, 10_000_000_000])
  for (const { siteKey, agent } of first.tenants) {
    expect((await deps.identity.bootstrap({ key: siteKey, agent, origin })).agent.slug).toBe(agent)
  }
})

test('a new origin of the gateway is added to what its owner had allowed', async () => {
  await seedDemo({ ...deps, origins: ['http://127.0.0.1:5000'] })
  expect((await deps.tenants.bySlug('cypress'))?.origins).toEqual([origin, 'http://127.0.0.1:5000'])
})

test('a given demo API key is kept over every run', async () => {
  const apiKey = 'af_live_demoDEMO_0123456789abcdef0123456789abcdef'
  expect((await seedDemo({ ...deps, apiKey })).apiKey).toBe(apiKey)
  expect((await seedDemo({ ...deps, apiKey })).apiKey).toBe(apiKey)
  expect(await deps.identity.verifyApiKey(apiKey)).toMatchObject({ tenantId: await tenantId('productco') })
})

test('[S002-17] "red sofa under 500" finds red sofas under 500 and nothing else', async () => {
  const { items } = await call('productco', 'search_products', { query: 'red sofa under 500' })
  expect(items.map((each: { name: string }) => each.name)).toEqual(['Alba 2-Seater', 'Alba 3-Seater'])
})

test('[S002-16] the event agent knows who speaks at 10', async () => {
  const { items } = await call('eventco', 'event_program', { at: '10:00', day: '2027-03-18' })
  const names = items.flatMap((each: { speakers: { name: string }[] }) => each.speakers.map((one) => one.name))
  expect(names.toSorted()).toEqual(['Jonas Weber', 'Lucas Ferreira'])
})

test('the catalogue, the answers and the conference are as large as a demo needs', async () => {
  expect((await call('productco', 'product_stats', {})).count).toBeGreaterThanOrEqual(24)
  for (const { id } of first.tenants) expect((await deps.knowledge.of(id).all()).length).toBeGreaterThanOrEqual(12)
  const event = deps.entities.of(await tenantId('eventco'))
  expect((await event.speakers()).length).toBeGreaterThanOrEqual(8)
  const program = await event.program({})
  expect(program.length).toBeGreaterThanOrEqual(16)
  const known = new Set((await event.speakers()).map((each) => each.slug))
  for (const item of program) for (const each of item.speakers) expect(known.has(each.slug), each.slug).toBe(true)
})

test('each agent answers common questions from its own papers', async () => {
  const questions = {
    cypress: { 'do you allow dogs': 'pets', 'when can I check in': 'check-in', 'is breakfast included': 'Breakfast' },
    productco: {
      'how long does delivery take': 'delivery',
      'can I return it': 'return',
      'is there a warranty': 'warranty',
    },
    eventco: { 'how much are tickets': 'tickets', 'how do I get to the venue': 'venue', 'is there food': 'food' },
  }
  for (const [slug, pairs] of Object.entries(questions)) {
    for (const [query, word] of Object.entries(pairs)) {
      const { items } = await call(slug, 'search_knowledge', { query })
      expect(`${items[0]?.title} ${items[0]?.text}`.toLowerCase(), query).toContain(word.toLowerCase())
    }
  }
})
