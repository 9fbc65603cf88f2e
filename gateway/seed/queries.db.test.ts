// Every query of the tenant-facing slices, as the driver really sent it: each has an index, and each names its tenant.

import { randomBytes } from 'node:crypto'
import { type CommandStartedEvent, type Document, MongoClient } from 'mongodb'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { briefFor } from '../../test/harness/brief.ts'
import { insideTools } from '../../test/harness/inside-tools.ts'
import { knowledgeIn } from '../../test/harness/knowledge.ts'
import { recordsIn } from '../../test/harness/records.ts'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { agentCollections, createAgents } from '../agents/agents.ts'
import { entityCollections, migrateImages } from '../entities/entities.ts'
import { productRoutes } from '../entities/product-routes.ts'
import { createIdentity, identityCollections } from '../identity/identity.ts'
import { knowledgeCollections } from '../knowledge/knowledge.ts'
import { createObjects, objectCollections } from '../objects/objects.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import { createTenants, tenantCollections } from '../tenants/tenants.ts'
import { createTools, toolCollections } from '../tools/tools.ts'
import { seedDemo } from './seed.ts'

interface Query {
  readonly collection: string
  readonly filter: Document
  readonly sort: Document | undefined
}

let store: TestStore
let client: MongoClient
const queries = new Map<string, Query>()

/** Filters of finds, counts, updates and deletes; the first `$match` of aggregations. */
function queriesOf({ commandName, command }: CommandStartedEvent): Query[] {
  const of = (filter: Document, sort?: Document): Query => ({
    collection: command[commandName],
    filter,
    // The driver sends a Map, to keep the order.
    sort: sort instanceof Map ? Object.fromEntries(sort) : sort,
  })
  if (commandName === 'find') return [of(command.filter ?? {}, command.sort)]
  if (commandName === 'aggregate') return [of(command.pipeline[0]?.$match ?? {})]
  if (commandName === 'update') return command.updates.map((each: Document) => of(each.q))
  if (commandName === 'delete') return command.deletes.map((each: Document) => of(each.q))
  if (commandName === 'findAndModify') return [of(command.query, command.sort)]
  return []
}

beforeAll(async () => {
  store = await openTestStore()
  client = await MongoClient.connect(store.uri, { monitorCommands: true, ignoreUndefined: true })
  const db = client.db(store.database)
  await ensureIndexes(db, [
    ...tenantCollections,
    ...objectCollections,
    ...agentCollections,
    ...identityCollections,
    ...knowledgeCollections,
    ...entityCollections,
    ...toolCollections,
  ])
  client.on('commandStarted', (event) => {
    for (const query of queriesOf(event)) {
      const shape = JSON.stringify([query.collection, Object.keys(query.filter), query.sort])
      if (!queries.has(shape)) queries.set(shape, query)
    }
  })
  await useEverything()
  client.removeAllListeners('commandStarted')
})
afterAll(async () => {
  await client.close()
  await store[Symbol.asyncDispose]()
})

async function useEverything() {
  const db = client.db(store.database)
  const origin = 'https://shop.example'
  const tenants = createTenants({ db })
  const agents = createAgents({ db, tenants, objects: createObjects({ db }) })
  const entities = recordsIn(db).entities
  const knowledge = knowledgeIn(db)
  const identity = createIdentity({ db, publicUrl: origin, secret: randomBytes(32), tenants, agents })
  const tools = createTools({
    ...{ ...recordsIn(db), db, entities, knowledge, log: pino({ level: 'silent' }) },
    executors: [insideTools(productRoutes({ entities }))],
  })
  const post = async () => ({ id: '', kind: 'grant', amountMicro: 0, balanceMicro: 0, note: '', at: '' }) as const
  const seeded = await seedDemo({
    tenants,
    agents,
    identity,
    knowledge,
    entities,
    tools,
    ledger: { of: () => ({ post }) },
    origins: [origin],
  })
  for (const { id, siteKey, slug } of seeded.tenants) {
    await tenants.bySlug(slug)
    await tenants.of(id).children()
    await tenants.setStatus(id, 'active')
    const [agent] = await agents.of(id).list()
    await agents.resolve({ tenantId: id, agentId: agent!.id, channel: 'widget' })
    await agents.of(id).prompt()
    await agents.of(id).saveDraft(agent!.id, {})
    await agents.of(id).setStatus(agent!.id, 'active')
    const visitorId = randomBytes(12).toString('hex')
    const { token } = await identity.bootstrap({ key: siteKey, origin, visitorId, email: 'a@b.example' })
    await identity.verifyVisitor(token, { origin })
    await identity.contact({ tenantId: id, visitorId: 'u', email: 'u@b.example', vouched: true })
    const [key] = await identity.siteKeys(id)
    await identity.stillAllowed([{ tenantId: id, keyId: key!.id }])
    await knowledge.search(id, 'tickets', 3)
    await knowledge.of(id).remove(['faq-01'])
    await entities.of(id).products({ query: 'red sofa under 500', minPrice: 1 }, 5)
    await entities.of(id).stats({ colour: 'red' })
    await entities.of(id).program({})
    await entities.of(id).remove('product', 'kivi')
    await tools.brief(id, briefFor({ tools: ['search_knowledge'] }))
    await tools.of(id).list()
    const call = { name: 'search_knowledge', arguments: '{"query":"pets"}', allowed: ['search_knowledge'] }
    await tools.run({ tenantId: id, sessionId: 's', callId: 'c', ...call })
    await identity.revokeSiteKey(id, key!.id)
  }
  await migrateImages(db)
  await identity.verifyApiKey(seeded.apiKey!)
  await identity.rotateSigningKey()
  await identity.revokeSigningKey('kid_none')
  const session = await identity.signIn((await identity.createSignInToken()).token)
  await identity.operatorOf(session!.cookie)
  await identity.signOut(session!.cookie)
  const operatorId = await identity.createOperator('O', [])
  await identity.setRoles(operatorId, [])
}

const stages = (plan: Document): string[] => [
  ...(typeof plan.stage === 'string' ? [plan.stage] : []),
  ...Object.values(plan).flatMap((each) => (typeof each === 'object' && each !== null ? stages(each) : [])),
]

test('every query has an index', async () => {
  expect(queries.size).toBeGreaterThan(35)
  const scans: string[] = []
  for (const { collection, filter, sort } of queries.values()) {
    const cursor = store.db.collection(collection).find(filter)
    const plan = await (sort === undefined ? cursor : cursor.sort(sort)).explain('queryPlanner')
    const found = stages(plan.queryPlanner)
    expect(found.length).toBeGreaterThan(0)
    // Listing all tenants reads them all: an index in order is as good as it gets.
    if (found.includes('COLLSCAN') || found.includes('SORT')) scans.push(JSON.stringify([collection, filter, sort]))
  }
  expect(scans).toEqual([])
})

test('every query on a tenant’s collection names the tenant, but for the look-ups of a credential', () => {
  const above = ['tenants', 'signing_keys', 'operators', 'sign_in_tokens', 'operator_sessions']
  const unscoped = [...queries.values()]
    .filter(({ collection, filter }) => !above.includes(collection) && !('tenantId' in filter))
    .map(({ collection, filter }) => `${collection}: ${Object.keys(filter).join(' ')}`)
  // A key says whose it is; the migration walks every product and writes back under each one's tenant.
  expect(unscoped.toSorted()).toEqual(['entities: _id', 'keys: lookup kind'])
})
