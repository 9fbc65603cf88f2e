// Agents as their owner makes, changes and deploys them over HTTP, and as people then meet them.

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AgentConfigFields, AgentDetail, AgentVersionView, ObjectView } from '../../gateway/protocol/agents.ts'
import type { Page } from '../../gateway/protocol/rest.ts'
import type { Turn } from '../../gateway/protocol/turn.ts'
import { connect } from '../harness/client.ts'
import { type SignedIn, signIn } from '../harness/sign-in.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

let gateway: TestGateway
let owner: SignedIn
beforeAll(async () => {
  // A config may name only models that this gateway could ask; nobody asks this one.
  gateway = await startGateway({ OPENROUTER_API_KEY: 'sk-or-not-asked' })
  owner = await signIn(gateway)
})
afterAll(() => gateway[Symbol.asyncDispose]())

async function call<T = unknown>(method: string, path: string, body?: unknown, tenant?: string) {
  const answer = await owner.call(method, path, {
    ...(body === undefined ? {} : { body }),
    ...(tenant ? { tenant } : {}),
  })
  const failed = answer.status >= 400 ? (answer.body as { error: unknown }).error : undefined
  return { status: answer.status, body: (failed ?? answer.body) as T & { code?: string; issues?: { path: string }[] } }
}
const make = async (body: object) => (await call<AgentDetail>('POST', '/v1/agents', body)).body

/** All 18, none at its default. */
const fields: AgentConfigFields = {
  displayName: 'Ana',
  personality: 'Warm.\nBrief.',
  language: 'pt-BR',
  brandVoiceInstructions: 'We say "piece".',
  systemPrompt: 'Sell sofas. 🛋️',
  faqEntries: [{ question: 'Do you deliver?', answer: 'Yes, within five days.' }],
  enabledTools: ['search_products', 'create_order'],
  disabledTools: ['create_order'],
  autonomyLevel: 'supervised',
  maxMessagesPerDay: 500,
  maxCostPerDay: 20_000_000,
  requireApprovalFor: ['refund'],
  blockedTopics: ['politics'],
  modelProvider: 'openrouter',
  modelId: 'anthropic/claude-sonnet-4',
  temperature: 0.7,
  maxTokens: 800,
  channelBindings: [
    { channel: 'whatsapp', enabled: true },
    { channel: 'voice', enabled: false },
  ],
}

test('[S000-5] all 18 fields go through the API and back without a loss, and each is validated', async () => {
  const { id, draft } = await make({ name: 'Eighteen', config: fields })
  expect(Object.keys(fields)).toHaveLength(18)
  expect(draft).toMatchObject(fields)
  await call('PUT', `/v1/agents/${id}/draft`, { config: { ...fields, temperature: 0.1 } })
  await call('POST', `/v1/agents/${id}/deploy`, {})
  const { body } = await call<AgentDetail>('GET', `/v1/agents/${id}`)
  expect(body.live).toEqual({ ...draft, temperature: 0.1 })
  expect(body.draft).toEqual(body.live)
  const wrong: Record<keyof AgentConfigFields, unknown> = {
    ...{ displayName: 'x'.repeat(121), personality: 7, language: 'English', brandVoiceInstructions: null },
    ...{ systemPrompt: 'x'.repeat(32_001), faqEntries: [{ question: '' }], enabledTools: 'all', disabledTools: [''] },
    ...{
      autonomyLevel: 'wild',
      maxMessagesPerDay: 0,
      maxCostPerDay: 1.5,
      requireApprovalFor: [1],
      blockedTopics: [' '],
    },
    ...{
      modelProvider: 1,
      modelId: 'x'.repeat(121),
      temperature: 2.1,
      maxTokens: -1,
      channelBindings: [{ channel: 'fax' }],
    },
  }
  for (const [name, value] of Object.entries(wrong)) {
    const answer = await call('PATCH', `/v1/agents/${id}`, { config: { [name]: value } })
    expect([name, answer.status]).toEqual([name, 400])
    expect(answer.body.issues?.[0]?.path, name).toMatch(new RegExp(`^body\\.config\\.${name}`))
  }
  expect((await call<AgentDetail>('GET', `/v1/agents/${id}`)).body.draft).toEqual(body.draft)
})

test('[S000-1] an agent is made, changed, activated, paused and deleted; another tenant neither sees nor touches it', async () => {
  const made = await make({ name: 'Five verbs', subtype: 'booking_agent', config: { systemPrompt: 'One.' } })
  expect(made).toMatchObject({
    slug: 'five-verbs',
    status: 'draft',
    subtype: 'booking_agent',
    version: 0,
    draftVersion: 1,
  })
  const path = `/v1/agents/${made.id}`
  const changed = await call<AgentDetail>('PATCH', path, { name: 'Five', config: { systemPrompt: 'Two.' } })
  expect(changed.body).toMatchObject({
    name: 'Five',
    slug: 'five-verbs',
    draftVersion: 2,
    draft: { systemPrompt: 'Two.' },
  })
  for (const [method, where, body] of [
    ['GET', path, undefined],
    ['GET', '/v1/agents/by-slug/five-verbs', undefined],
    ['PATCH', path, { name: 'Mine' }],
    ['PUT', `${path}/draft`, { config: {} }],
    ['POST', `${path}/activate`, {}],
    ['POST', `${path}/pause`, {}],
    ['POST', `${path}/deploy`, {}],
    ['POST', `${path}/rollback`, { version: 1 }],
    ['POST', `${path}/rollout`, { version: 1, percent: 5 }],
    ['GET', `${path}/versions`, undefined],
    ['GET', `${path}/versions/1`, undefined],
    ['GET', `${path}/diff?from=1&to=2`, undefined],
    ['GET', `${path}/export`, undefined],
    ['GET', `${path}/prompt`, undefined],
    ['GET', `/v1/objects/${made.id}`, undefined],
    ['DELETE', path, undefined],
  ] as const)
    expect([method, where, (await call(method, where, body, 'cypress')).status]).toEqual([method, where, 404])
  expect((await call<Page<AgentDetail>>('GET', '/v1/agents', undefined, 'cypress')).body.items).toHaveLength(1)
  expect((await call<AgentDetail>('POST', `${path}/activate`)).body).toMatchObject({ status: 'active', version: 2 })
  expect((await call<AgentDetail>('POST', `${path}/pause`)).body).toMatchObject({ status: 'paused' })
  expect(await call('DELETE', path)).toMatchObject({ status: 409, body: { code: 'conflict' } })
  expect((await call<AgentDetail>('POST', `${path}/archive`)).body).toMatchObject({ status: 'archived', moves: [] })
  expect(await call('POST', `${path}/activate`)).toMatchObject({ status: 409 })
  expect((await call('DELETE', path)).status).toBe(204)
  expect((await call('GET', path)).status).toBe(404)
  expect((await call<Page<AgentVersionView>>('GET', `${path}/versions`)).body.items).toHaveLength(2)
})

test('[S000-3] over the API there are four subtypes, and an agent of another is refused', async () => {
  for (const subtype of ['customer_support', 'sales_assistant', 'booking_agent', 'general'])
    expect((await call('POST', '/v1/agents', { name: subtype, subtype })).status).toBe(201)
  expect(await call('POST', '/v1/agents', { name: 'x', subtype: 'wizard' })).toMatchObject({
    status: 400,
    body: { code: 'invalid', issues: [{ path: 'body.subtype' }] },
  })
  const listed = await call<Page<AgentDetail>>('GET', '/v1/agents?subtype=booking_agent')
  expect(new Set(listed.body.items.map((each) => each.subtype))).toEqual(new Set(['booking_agent']))
})

test('[S000-4] a visitor of an agent that is paused is turned away before an engine is opened, and answered again after', async () => {
  const { body } = await call<AgentDetail>('GET', '/v1/agents/by-slug/productco')
  const token = await gateway.visitorToken()
  const visit = () => connect(gateway.wsUrl, { token, parley: true, origin: gateway.url })
  await call('POST', `/v1/agents/${body.id}/pause`)
  const opened = gateway.log.filter((line) => line.includes('session opened')).length
  const turned = await visit()
  expect(await turned.ended()).toMatchObject({ code: 4404 })
  const refused = await gateway.post('/v1/widget/bootstrap', { key: 'pk_demo_productco' }, { origin: gateway.url })
  expect(refused).toMatchObject({ status: 404, body: { error: { code: 'agent_inactive' } } })
  expect(gateway.log.filter((line) => line.includes('session opened')).length).toBe(opened)
  await call('POST', `/v1/agents/${body.id}/activate`)
  await using visitor = await visit()
  expect(await visitor.event('parley.session')).toBeDefined()
  // One in the middle of a session is let go within seconds.
  await call('POST', `/v1/agents/${body.id}/pause`)
  expect(await visitor.ended()).toMatchObject({ code: 4403 })
  await call('POST', `/v1/agents/${body.id}/activate`)
})

test('[S000-4] a message to an agent that is a draft, paused or archived is refused, and no model is asked', async () => {
  // A refusal is noted as a run too: of one in which a model was asked the model is known.
  const runs = async () => {
    const { items } = (await call<Page<{ model: string }>>('GET', '/v1/executions')).body
    return items.filter((each) => each.model !== '').length
  }
  const { id } = await make({ name: 'Silent', config: { systemPrompt: 'Hi.', modelProvider: 'demo' } })
  const write = () => call('POST', '/v1/chat', { agentId: id, message: 'Hello?' })
  const before = await runs()
  const refused = { status: 404, body: { code: 'agent_inactive' } }
  expect(await write()).toMatchObject(refused)
  await call('POST', `/v1/agents/${id}/activate`)
  await call('POST', `/v1/agents/${id}/pause`)
  expect(await write()).toMatchObject(refused)
  await call('POST', `/v1/agents/${id}/archive`)
  expect(await write()).toMatchObject(refused)
  expect(await runs()).toBe(before)
  const other = await make({ name: 'Talkative', config: { systemPrompt: 'Hi.', modelProvider: 'demo' } })
  await call('POST', `/v1/agents/${other.id}/activate`)
  expect((await call('POST', '/v1/chat', { agentId: other.id, message: 'Hello?' })).status).toBe(200)
  expect(await runs()).toBe(before + 1)
})

test('[S002-30] a visitor of the page cannot call a tool that the tenant allows in its console only', async () => {
  const { tenants, agents } = gateway.app.slices
  const tenant = (await tenants.bySlug('productco'))!
  const agent = (await agents.of(tenant.id).bySlug('productco'))!
  await tenants.of(tenant.id).change({ allowedTools: { widget: ['search_knowledge'], api: 'all', console: 'all' } })
  const tools = async (channel: 'widget' | 'console' | 'whatsapp') =>
    (await agents.resolve({ tenantId: tenant.id, agentId: agent.id, channel }))?.tools
  expect(await tools('console')).toContain('search_products')
  expect(await tools('widget')).toEqual(['search_knowledge'])
  expect(await tools('whatsapp')).toEqual(['search_knowledge'])
  expect(await toolsCalled()).toEqual([])
  const call = { sessionId: 's_1', callId: 'c_1', name: 'search_products', arguments: '{"query":"sofa"}' }
  // What a model asks for all the same is not run.
  const ran = await gateway.app.slices.tools.run({
    tenantId: tenant.id,
    allowed: (await tools('widget')) ?? [],
    ...call,
  })
  expect(ran).toMatchObject({ ok: false })
  await tenants.of(tenant.id).change({ allowedTools: { widget: 'all', api: 'all', console: 'all' } })
  expect(await toolsCalled()).toEqual(['search_products'])
})

/** By the demo engine, which looks for furniture where it may. */
async function toolsCalled(): Promise<(string | undefined)[]> {
  const token = await gateway.visitorToken()
  await using visitor = await connect(gateway.wsUrl, { token, parley: true, origin: gateway.url })
  const { session_id: id } = await visitor.event('parley.session')
  visitor.ask('Red sofa under 500')
  await visitor.event('response.done')
  const turns = async () => (await gateway.get(`/v1/sessions/${String(id)}/transcript`)).body as { turns: Turn[] }
  await expect
    .poll(async () => (await turns()).turns.some((each) => each.role === 'agent'), { timeout: 10_000 })
    .toBe(true)
  return (await turns()).turns.filter((each) => each.role === 'tool').map((each) => each.tool?.name)
}

test('[S001-7] a sync on an old draft is refused with the version there is; a deploy swaps at once and says who did it and why', async () => {
  const { id } = await make({ name: 'Synced', config: { systemPrompt: 'one' } })
  const path = `/v1/agents/${id}`
  expect((await call('PUT', `${path}/draft`, { config: { systemPrompt: 'two' }, basedOn: 1 })).status).toBe(200)
  expect(await call('PUT', `${path}/draft`, { config: { systemPrompt: 'three' }, basedOn: 1 })).toMatchObject({
    status: 409,
    body: { code: 'conflict', issues: [{ path: 'basedOn', message: 'The draft is at version 2 by now.' }] },
  })
  const deployed = await call<AgentDetail>('POST', `${path}/deploy`, { note: 'Ready' })
  expect(deployed.body).toMatchObject({
    version: 2,
    live: { systemPrompt: 'two' },
    deployments: [
      { kind: 'deploy', version: 2, from: 0, note: 'Ready', actor: { kind: 'operator', id: owner.operatorId } },
    ],
  })
  expect((await call<AgentDetail>('POST', `${path}/rollback`, { version: 1 })).body.live?.systemPrompt).toBe('one')
  const diff = await call('GET', `${path}/diff?from=live&to=draft`)
  expect(diff.body).toEqual({
    ...{ from: 1, to: 2 },
    changes: [{ field: 'systemPrompt', kind: 'changed', before: 'one', after: 'two' }],
  })
  const trial = await call<AgentDetail>('POST', `${path}/rollout`, { version: 2, percent: 25 })
  expect(trial.body.rollout).toEqual({ version: 2, percent: 25 })
  const versions = await call<Page<AgentVersionView>>('GET', `${path}/versions?limit=1`)
  expect(versions.body).toMatchObject({ items: [{ number: 2, isDraft: true, isLive: false }], next: '2' })
})

test('an agent is taken out as a file and put in as a new draft, or as an agent elsewhere', async () => {
  const { id, slug } = await make({ name: 'Carried', subtype: 'sales_assistant', config: fields })
  const file = (await call('GET', `/v1/agents/${id}/export`)).body
  expect(file).toMatchObject({ format: 'parley.agent', schemaVersion: 1, agent: { slug }, version: 1, config: fields })
  const there = await call<AgentDetail>('POST', '/v1/agents/import', { file }, 'cypress')
  expect(there).toMatchObject({ status: 201, body: { slug, subtype: 'sales_assistant', draft: fields } })
  expect((await call('GET', `/v1/agents/${there.body.id}/export`, undefined, 'cypress')).body).toEqual(file)
  expect((await call('POST', '/v1/agents/import', { file })).status).toBe(200)
})

test('[S000-2] one API holds agents and apps of the builder, told apart by type and subtype; agents are written at their own address', async () => {
  const { id: agentId } = await make({ name: 'Seen as object' })
  const app = await call<ObjectView>('POST', '/v1/objects', {
    ...{ type: 'builder_app', subtype: 'web_app', name: 'Shop front', data: { description: 'A shop.' } },
  })
  expect(app).toMatchObject({ status: 201, body: { slug: 'shop-front', status: 'draft', revision: 1 } })
  const again = await call<ObjectView>('POST', '/v1/objects', {
    type: 'builder_app',
    subtype: 'web_app',
    name: 'Shop front',
  })
  expect(again.body.slug).toBe('shop-front-2')
  await call('POST', '/v1/objects', { type: 'chat_ref', subtype: 'v0', name: 'A chat', data: { externalId: 'v0_1' } })
  const list = async (query: string, tenant?: string) =>
    (await call<Page<ObjectView>>('GET', `/v1/objects?${query}`, undefined, tenant)).body.items.map((each) => each.type)
  expect(new Set(await list('type=org_agent'))).toEqual(new Set(['org_agent']))
  expect(await list('type=builder_app&subtype=web_app')).toEqual(['builder_app', 'builder_app'])
  expect(await list('type=builder_app&subtype=landing_page')).toEqual([])
  expect(await list('type=builder_app&status=active')).toEqual([])
  expect(await list('type=chat_ref')).toEqual(['chat_ref'])
  expect(await list('type=builder_app', 'cypress')).toEqual([])
  expect((await call('GET', `/v1/objects/${agentId}`)).body).toMatchObject({
    type: 'org_agent',
    data: { draftVersion: 1 },
  })
  for (const [method, path, body] of [
    ['POST', '/v1/objects', { type: 'org_agent', subtype: 'general', name: 'x', data: {} }],
    ['PATCH', `/v1/objects/${agentId}`, { status: 'active' }],
    ['DELETE', `/v1/objects/${agentId}`, undefined],
  ] as const)
    expect(await call(method, path, body)).toMatchObject({ status: 422, body: { code: 'unsupported' } })
  expect(await call('POST', '/v1/objects', { type: 'builder_app', subtype: 'v0', name: 'x' })).toMatchObject({
    ...{ status: 400, body: { issues: [{ path: 'subtype' }] } },
  })
  const path = `/v1/objects/${app.body.id}`
  expect(await call('PATCH', path, { data: { colour: 'red' } })).toMatchObject({ status: 400 })
  expect(await call('PATCH', path, { status: 'active', revision: 1 })).toMatchObject({
    body: { status: 'active', revision: 2 },
  })
  expect(await call('PATCH', path, { name: 'Late', revision: 1 })).toMatchObject({ status: 409 })
  expect(await call('PATCH', path, { status: 'nowhere' })).toMatchObject({ status: 409 })
  expect(await call('PATCH', path, { slug: 'shop-front-2' })).toMatchObject({ status: 409 })
  expect((await call('DELETE', path, undefined, 'cypress')).status).toBe(404)
  expect((await call('DELETE', path)).status).toBe(204)
})

test('[S000-8] the prompt of an agent has its six sections, and not a word of another tenant', async () => {
  const canary = 'CANARY-5e1d'
  const poison = {
    ...{
      displayName: canary,
      personality: canary,
      brandVoiceInstructions: canary,
      systemPrompt: canary,
      library: true,
    },
    ...{ faqEntries: [{ question: canary, answer: canary }], blockedTopics: [canary] },
  }
  await call('POST', '/v1/agents', { name: canary, config: poison }, 'cypress')
  await call('PUT', '/v1/prompts/0', { name: canary, base: canary }, 'cypress')
  const { id } = await make({ name: 'Prompted', config: { ...fields, library: true } })
  const { body } = await call<{ sections: { name: string; text: string }[]; text: string }>(
    'GET',
    `/v1/agents/${id}/prompt`,
  )
  const filled = body.sections.filter((each) => each.text !== '').map((each) => each.name)
  expect(filled).toEqual([
    'library',
    'identity',
    'personality',
    'language',
    'brand_voice',
    'system',
    'faq',
    'guardrails',
  ])
  for (const part of ['Ana', 'Warm.', 'pt-BR', '"piece"', 'Sell sofas.', 'Do you deliver?', 'politics', 'ProductCo'])
    expect(body.text).toContain(part)
  expect(JSON.stringify(body)).not.toContain(canary)
  await call('DELETE', '/v1/prompts/0', undefined, 'cypress')
})

test('[S002-33] the prompts of the library are kept by tenant: its own is selected, else the first shared one', async () => {
  const shown = async () =>
    (await call<Page<{ name: string; selected: boolean; shared: boolean }>>('GET', '/v1/prompts')).body.items
  expect(await shown()).toMatchObject([{ name: 'Parley base', shared: true, selected: true }])
  expect((await call('PUT', '/v1/prompts/2', { name: 'Ours', base: 'Be quick.' })).body).toMatchObject({
    selected: true,
  })
  expect(await shown()).toMatchObject([
    { name: 'Ours', shared: false, selected: true },
    { name: 'Parley base', shared: true, selected: false },
  ])
  const { body: agent } = await call<AgentDetail>('GET', '/v1/agents/by-slug/productco')
  const prompt = await call<{ text: string }>('GET', `/v1/agents/${agent.id}/prompt?environment=live`)
  expect(prompt.body.text).toMatch(/^<library>\nBe quick\.\n<\/library>/)
  expect((await call('DELETE', '/v1/prompts/2', undefined, 'cypress')).status).toBe(404)
  expect((await call('DELETE', '/v1/prompts/2')).status).toBe(204)
  expect(await shown()).toMatchObject([{ name: 'Parley base', selected: true }])
})

test('a key that was given nothing more reads agents, and neither writes nor deploys them', async () => {
  expect((await gateway.get('/v1/agents')).status).toBe(200)
  const key = { authorization: `Bearer ${gateway.apiKey}` }
  expect(await gateway.post('/v1/agents', { name: 'x' }, key)).toMatchObject({ status: 403 })
  const { body } = await call<AgentDetail>('GET', '/v1/agents/by-slug/productco')
  expect(await gateway.post(`/v1/agents/${body.id}/deploy`, {}, key)).toMatchObject({ status: 403 })
})
