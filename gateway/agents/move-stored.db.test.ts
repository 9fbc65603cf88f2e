import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { createObjects, objectCollections } from '../objects/objects.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import { createTenants, type Tenant, tenantCollections } from '../tenants/tenants.ts'
import { type Agents, agentCollections, createAgents } from './agents.ts'

let store: TestStore
let agents: Agents
let tenant: Tenant
const process = () => {
  const tenants = createTenants({ db: store.db })
  return createAgents({ db: store.db, tenants, objects: createObjects({ db: store.db }) })
}
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, [...tenantCollections, ...objectCollections, ...agentCollections])
  tenant = await createTenants({ db: store.db }).create({ slug: 'old', name: 'Old' })
  agents = process()
})
afterAll(() => store[Symbol.asyncDispose]())

const words = (instructions: string) => ({
  ...{ engine: 'auto', instructions, tools: ['search'], deniedTools: [], voice: 'ash' },
  limits: { idleMs: 9_000, maxDurationMs: 90_000, dailyMessages: 3, dailyCreditsMicro: null },
})
const old = (n: number, own: object) => ({
  ...{ _id: `agt_old${n}`, tenantId: tenant.id, slug: `old-${n}`, name: `Old ${n}`, version: 1 },
  ...{ status: 'active', createdAt: new Date(5), updatedAt: new Date(6) },
  ...own,
})
const collection = () => store.db.collection<{ _id: string }>('agents')

test('[S000-2] agents of the first shape are moved to the objects once, by any number of processes, and answer as before', async () => {
  await collection().insertMany([
    old(1, { draft: words('New words.'), live: words('Live words.') }),
    old(2, { draft: words('Same.'), live: words('Same.'), status: 'paused' }),
    old(3, { draft: words('Never live.'), status: 'draft', version: 0 }),
    ...Array.from({ length: 20 }, (_, n) => old(n + 4, { draft: words('x'), live: words('x') })),
  ])
  const moved = await Promise.all(Array.from({ length: 5 }, () => process().moveStored()))
  expect(moved.reduce((sum, each) => sum + each)).toBe(23)
  expect(await collection().countDocuments()).toBe(0)
  const scope = agents.of(tenant.id)
  expect(await scope.list()).toHaveLength(23)
  const brief = await agents.resolve({ tenantId: tenant.id, agentId: 'agt_old1', channel: 'widget' })
  expect(brief).toMatchObject({
    instructions: expect.stringContaining('Live words.'),
    ...{ version: 1, tools: ['search'], voice: 'ash' },
    limits: { idleMs: 9_000, maxDurationMs: 90_000, dailyMessages: 3, dailyCreditsMicro: null },
  })
  const first = await scope.byId('agt_old1')
  expect(first).toMatchObject({ slug: 'old-1', status: 'active', version: 1, draftVersion: 2, subtype: 'general' })
  expect(first?.draft).toMatchObject({ systemPrompt: 'New words.', enabledTools: ['search'], maxMessagesPerDay: 3 })
  expect(await scope.byId('agt_old2')).toMatchObject({ status: 'paused', version: 1, draftVersion: 1 })
  expect(await scope.byId('agt_old3')).toMatchObject({ status: 'draft', version: 0, draftVersion: 1 })
  const versions = await store.db.collection('agent_versions').countDocuments({ tenantId: tenant.id })
  expect(versions).toBe(24)
  expect(await process().moveStored()).toBe(0)
})

test('a move that was cut off half-way is finished by the next start, and a change made since stays', async () => {
  const doc = old(50, { draft: words('New.'), live: words('Old.') })
  await collection().insertOne(doc)
  await process().moveStored()
  await agents.of(tenant.id).saveDraft('agt_old50', { systemPrompt: 'Edited since.' })
  // The process died before the old document was taken away.
  await collection().insertOne(doc)
  expect(await process().moveStored()).toBe(1)
  expect((await agents.of(tenant.id).byId('agt_old50'))?.draft.systemPrompt).toBe('Edited since.')
  expect(await collection().countDocuments()).toBe(0)
})
