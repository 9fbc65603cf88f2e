import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { createObjects, objectCollections } from '../objects/objects.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import { createTenants, type Tenant, type Tenants, tenantCollections } from '../tenants/tenants.ts'
import { type Agents, agentCollections, createAgents } from './agents.ts'

let store: TestStore
let tenants: Tenants
let agents: Agents
let tenant: Tenant
let count = 0
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, [...tenantCollections, ...objectCollections, ...agentCollections])
})
afterAll(() => store[Symbol.asyncDispose]())
beforeEach(async () => {
  tenants = createTenants({ db: store.db })
  agents = createAgents({ db: store.db, tenants, objects: createObjects({ db: store.db }) })
  tenant = await tenants.create({ slug: `t-${count++}`, name: 'T' })
})

const resolve = (agentId: string, channel: 'widget' | 'api' | 'console' | 'voice' = 'widget', trusted = false) =>
  agents.resolve({ tenantId: tenant.id, agentId, channel, trusted })

test('[S000-4] only an active agent with a live config of an active tenant resolves', async () => {
  const scope = agents.of(tenant.id)
  const { id } = await scope.create({ slug: 'a', name: 'A', config: { systemPrompt: 'Be kind.' } })
  expect(await resolve(id)).toBeUndefined()
  await scope.publish(id)
  expect(await resolve(id)).toMatchObject({
    agentId: id,
    slug: 'a',
    engine: 'auto',
    instructions: expect.stringContaining('<system>\nBe kind.\n</system>'),
    greeting: null,
    limits: { idleMs: 120_000, maxDurationMs: 3_600_000 },
  })
  await tenants.setStatus(tenant.id, 'suspended')
  expect(await resolve(id)).toBeUndefined()
  await tenants.setStatus(tenant.id, 'active')
  for (const status of ['paused', 'archived'] as const) {
    await scope.setStatus(id, status)
    expect(await resolve(id), status).toBeUndefined()
  }
})

test('an agent may name the engine that stands in for its first; by default none does', async () => {
  const scope = agents.of(tenant.id)
  const { id } = await scope.create({ slug: 'a', name: 'A', config: { engine: 'openai-realtime' } })
  await scope.publish(id)
  expect(await resolve(id)).toMatchObject({ engine: 'openai-realtime', fallbackEngines: [] })
  await scope.saveDraft(id, { engine: 'openai-realtime', fallbackEngines: ['demo'] })
  await scope.publish(id)
  expect((await resolve(id))?.fallbackEngines).toEqual(['demo'])
  await expect(scope.saveDraft(id, JSON.parse('{"fallbackEngines":["auto"]}'))).rejects.toMatchObject({
    code: 'invalid',
  })
})

test('an edited draft changes nothing until it is published', async () => {
  const scope = agents.of(tenant.id)
  const { id } = await scope.create({ slug: 'a', name: 'A', config: { systemPrompt: 'one' } })
  await scope.publish(id)
  await scope.saveDraft(id, { systemPrompt: 'two' })
  expect((await resolve(id))?.instructions).toContain('one')
  expect((await scope.publish(id)).version).toBe(2)
  expect((await resolve(id))?.instructions).toContain('two')
})

test('[S002-30] tools are tenant ∩ channel ∩ agent, and a denial wins', async () => {
  await tenants.of(tenant.id).change({
    allowedTools: { widget: ['search', 'book', 'admin'], api: 'all', console: ['refund', 'search'] },
    deniedTools: ['admin'],
  })
  const scope = agents.of(tenant.id)
  const config = { enabledTools: ['refund', 'search', 'book', 'admin', 'search'], disabledTools: ['book'] }
  const { id } = await scope.create({ slug: 'a', name: 'A', config })
  await scope.publish(id)
  expect((await resolve(id, 'widget'))?.tools).toEqual(['search'])
  expect((await resolve(id, 'voice'))?.tools).toEqual(['search'])
  expect((await resolve(id, 'api', true))?.tools).toEqual(['refund', 'search'])
  // A client secret in a browser: a stranger, whatever its channel is called.
  expect((await resolve(id, 'api'))?.tools).toEqual(['search'])
  expect((await resolve(id, 'console'))?.tools).toEqual(['refund', 'search'])
})

test('only the customer’s own backend may bring tools and change more than the output', async () => {
  const scope = agents.of(tenant.id)
  const { id } = await scope.create({ slug: 'a', name: 'A' })
  await scope.publish(id)
  expect(await resolve(id, 'widget')).toMatchObject({ clientTools: false, mutable: ['outputModality'] })
  expect(await resolve(id, 'api')).toMatchObject({ clientTools: false, mutable: ['outputModality'] })
  expect(await resolve(id, 'api', true)).toMatchObject({
    clientTools: true,
    mutable: expect.arrayContaining(['instructions', 'tools', 'voice', 'turnDetection', 'outputModality']),
  })
})

test('[TEN-01] an agent of another tenant is not found by any door', async () => {
  const { id } = await agents.of(tenant.id).create({ slug: 'a', name: 'A' })
  await agents.of(tenant.id).publish(id)
  const other = await tenants.create({ slug: `o-${count}`, name: 'O' })
  const scope = agents.of(other.id)
  expect(await scope.byId(id)).toBeUndefined()
  expect(await scope.bySlug('a')).toBeUndefined()
  expect(await scope.list()).toEqual([])
  expect(await agents.resolve({ tenantId: other.id, agentId: id, channel: 'widget' })).toBeUndefined()
  for (const attempt of [scope.publish(id), scope.saveDraft(id, {}), scope.setStatus(id, 'paused')]) {
    await expect(attempt).rejects.toMatchObject({ code: 'not_found' })
  }
})

test('a slug is taken once per tenant, and a config out of shape is refused', async () => {
  const scope = agents.of(tenant.id)
  const made = await Promise.allSettled(Array.from({ length: 20 }, () => scope.create({ slug: 'same', name: 'A' })))
  expect(made.filter((each) => each.status === 'fulfilled')).toHaveLength(1)
  const wrong = { slug: 'b', name: 'B', config: { limits: { idleMs: 1, maxDurationMs: 3_600_000 } } }
  await expect(scope.create(wrong)).rejects.toMatchObject({ code: 'invalid' })
})

test('an agent may have caps on messages and credits of a day and on credits of a session; none by default', async () => {
  const scope = agents.of(tenant.id)
  const none = { dailyMessages: null, dailyCreditsMicro: null, sessionCreditsMicro: null }
  const caps = { maxMessagesPerDay: 500, maxCostPerDay: 20_000_000, limits: { sessionCreditsMicro: 5_000_000 } }
  const { id } = await scope.create({ slug: 'a', name: 'A', config: { limits: {} } })
  await scope.publish(id)
  expect((await resolve(id))?.limits).toEqual({ idleMs: 120_000, maxDurationMs: 3_600_000, ...none })
  await scope.saveDraft(id, caps)
  await scope.publish(id)
  expect((await resolve(id))?.limits).toMatchObject({
    ...{ dailyMessages: 500, dailyCreditsMicro: 20_000_000, sessionCreditsMicro: 5_000_000 },
  })
  for (const wrong of [{ maxMessagesPerDay: 0 }, { maxCostPerDay: -1 }, { limits: { sessionCreditsMicro: 1.5 } }])
    await expect(scope.saveDraft(id, wrong)).rejects.toMatchObject({ code: 'invalid' })
})

test('an agent says how people are heard; by default the engine decides', async () => {
  const scope = agents.of(tenant.id)
  const { id } = await scope.create({ slug: 'a', name: 'A', config: {} })
  await scope.publish(id)
  expect(await resolve(id)).toMatchObject({ turnDetection: 'server_vad', settings: {} })
  await scope.saveDraft(id, {
    hearing: { turnDetection: 'semantic_vad', eagerness: 'low', noiseReduction: 'near_field' },
  })
  await scope.publish(id)
  expect(await resolve(id)).toMatchObject({
    turnDetection: 'semantic_vad',
    settings: { turns: { eagerness: 'low' }, noiseReduction: 'near_field' },
  })
  await scope.saveDraft(id, { hearing: { silenceMs: 700, threshold: 0.7, eagerness: 'low' } })
  await scope.publish(id)
  expect((await resolve(id))?.settings).toEqual({ turns: { silenceMs: 700, threshold: 0.7 } })
  await expect(scope.saveDraft(id, { hearing: { silenceMs: 1 } })).rejects.toMatchObject({ code: 'invalid' })
})

test('[S002-33] the prompt library gives the tenant’s own prompt, else the first shared one, else an error', async () => {
  const scope = agents.of(tenant.id)
  const { id } = await scope.create({ slug: 'a', name: 'A', config: { library: true, systemPrompt: 'Sell.' } })
  await scope.publish(id)
  await expect(scope.prompt()).rejects.toMatchObject({ code: 'not_found' })
  await agents.putSharedPrompt(1, { name: 'second', base: 'Second.' })
  await agents.putSharedPrompt(0, { name: 'first', base: 'First.' })
  expect(await scope.prompt()).toEqual({ name: 'first', base: 'First.' })
  expect((await resolve(id))?.instructions).toMatch(
    /^<library>\nFirst\.\n<\/library>[\s\S]*<system>\nSell\.\n<\/system>/,
  )
  await scope.putPrompt(0, { name: 'own', base: 'Own.' })
  expect(await scope.prompt()).toEqual({ name: 'own', base: 'Own.' })
  const other = await tenants.create({ slug: `p-${count}`, name: 'O' })
  expect((await agents.of(other.id).prompt()).name).toBe('first')
})

test('[S000-5] an agent answers on every channel but those that its config turns off', async () => {
  const scope = agents.of(tenant.id)
  const { id } = await scope.create({
    ...{ slug: 'a', name: 'A' },
    config: {
      channelBindings: [
        { channel: 'voice', enabled: false },
        { channel: 'widget', enabled: true },
      ],
    },
  })
  await scope.publish(id)
  expect(await resolve(id, 'voice')).toBeUndefined()
  expect(await resolve(id, 'widget')).toBeDefined()
  expect(await resolve(id, 'console')).toBeDefined()
  const twice = [{ channel: 'voice', enabled: false } as const, { channel: 'voice', enabled: true } as const]
  await expect(scope.saveDraft(id, { channelBindings: twice })).rejects.toMatchObject({ code: 'invalid' })
})

test('[S000-60] a sales assistant looks into our own papers unless told otherwise; others do when they are told to', async () => {
  const scope = agents.of(tenant.id)
  const made = async (subtype: 'sales_assistant' | 'general', useSystemKnowledge?: boolean) => {
    const config = useSystemKnowledge === undefined ? {} : { useSystemKnowledge }
    const { id } = await scope.create({ name: subtype, subtype, config })
    await scope.publish(id)
    const brief = await resolve(id)
    return [brief?.systemKnowledge, brief?.tools.includes('search_system_knowledge')]
  }
  expect(await made('sales_assistant')).toEqual([true, true])
  expect(await made('sales_assistant', false)).toEqual([false, false])
  expect(await made('general')).toEqual([false, false])
  expect(await made('general', true)).toEqual([true, true])
  await tenants.of(tenant.id).change({ deniedTools: ['search_system_knowledge'] })
  expect(await made('sales_assistant')).toEqual([true, false])
})
