import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { createObjects, objectCollections } from '../objects/objects.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import { createTenants, type Tenant, tenantCollections } from '../tenants/tenants.ts'
import { type Agents, agentCollections, createAgents, type TenantAgents } from './agents.ts'

let store: TestStore
let agents: Agents
let tenant: Tenant
let scope: TenantAgents
let count = 0
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, [...tenantCollections, ...objectCollections, ...agentCollections])
})
afterAll(() => store[Symbol.asyncDispose]())
beforeEach(async () => {
  const tenants = createTenants({ db: store.db })
  agents = createAgents({ db: store.db, tenants, objects: createObjects({ db: store.db }) })
  tenant = await tenants.create({ slug: `t-${count++}`, name: 'T' })
  scope = agents.of(tenant.id)
})

const ana = { kind: 'operator', id: 'op_ana', name: 'Ana' } as const
const says = (systemPrompt: string) => ({ systemPrompt })
const resolve = (agentId: string, own: { contactId?: string; keep?: number; environment?: 'draft' } = {}) =>
  agents.resolve({ tenantId: tenant.id, agentId, channel: 'widget', ...own })
const promptOf = async (...ask: Parameters<typeof resolve>) =>
  /<system>\n(.*)\n/.exec((await resolve(...ask))?.instructions ?? '')?.[1]
const draftOf = async (id: string) => (await scope.byId(id))!

test('[S001-6] every change of the draft is a version of its own that never changes; an equal config is none', async () => {
  const { id } = await scope.create({ name: 'A', config: says('one') }, { actor: ana })
  await scope.saveDraft(id, says('two'), { actor: ana, note: 'Friendlier' })
  await scope.saveDraft(id, says('two'))
  await scope.saveDraft(id, says('three'))
  const { items } = await scope.versions(id, { limit: 10 })
  expect(items.map((each) => [each.number, each.config.systemPrompt, each.author.id, each.note])).toEqual([
    [3, 'three', 'system', ''],
    [2, 'two', 'op_ana', 'Friendlier'],
    [1, 'one', 'op_ana', ''],
  ])
  expect(new Set(items.map((each) => each.hash)).size).toBe(3)
  expect(await draftOf(id)).toMatchObject({ draftVersion: 3, version: 0 })
  const page = await scope.versions(id, { limit: 2 })
  expect(page.next).toBe('2')
  expect((await scope.versions(id, { limit: 2, cursor: '2' })).items.map((each) => each.number)).toEqual([1])
})

test('[S001-7] a sync that is based on another draft than the one there is refused with the version that is', async () => {
  const { id } = await scope.create({ name: 'A', config: says('one') })
  await scope.saveDraft(id, says('two'), { actor: ana, basedOn: 1 })
  await expect(scope.saveDraft(id, says('mine'), { actor: ana, basedOn: 1 })).rejects.toMatchObject({
    code: 'conflict',
    details: { issues: [{ path: 'basedOn', message: 'The draft is at version 2 by now.' }] },
  })
  const all = await Promise.allSettled(
    Array.from({ length: 12 }, (_, n) => scope.saveDraft(id, says(`at once ${n}`), { actor: ana, basedOn: 2 })),
  )
  expect(all.filter((each) => each.status === 'fulfilled')).toHaveLength(1)
  expect((await draftOf(id)).draftVersion).toBe(3)
})

test('drafts saved at once without a base all become versions, one after the other', async () => {
  const { id } = await scope.create({ name: 'A' })
  await Promise.all(Array.from({ length: 8 }, (_, n) => scope.saveDraft(id, says(`${n}`))))
  const { items } = await scope.versions(id, { limit: 20 })
  expect(items.map((each) => each.number)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1])
  expect((await draftOf(id)).draft).toEqual(items[0]?.config)
})

test('a version whose writer died before the agent named it is the draft as soon as somebody comes by', async () => {
  const { id } = await scope.create({ name: 'A', config: says('one') })
  const [first] = (await scope.versions(id, { limit: 1 })).items
  const orphan = { ...first!, number: 2, config: { ...first!.config, systemPrompt: 'left behind' }, hash: 'x' }
  const { versionStore } = await import('./version-store.ts')
  await versionStore.open(store.db).insert(tenant.id, orphan)
  await expect(scope.saveDraft(id, says('mine'), { actor: ana, basedOn: 1 })).rejects.toMatchObject({
    code: 'conflict',
  })
  expect((await draftOf(id)).draft.systemPrompt).toBe('left behind')
  expect(await scope.saveDraft(id, says('mine'), { actor: ana, basedOn: 2 })).toMatchObject({ draftVersion: 3 })
})

test('[S001-5] people get what is deployed only; the draft is for whoever asks for it', async () => {
  const { id } = await scope.create({ name: 'A', config: says('one') })
  await scope.publish(id)
  await scope.saveDraft(id, says('two'))
  expect(await promptOf(id)).toBe('one')
  expect(await promptOf(id, { environment: 'draft' })).toBe('two')
  await scope.deploy(id, { actor: ana, note: 'Ready' })
  expect(await promptOf(id)).toBe('two')
  const { deployments } = await draftOf(id)
  expect(deployments.at(-1)).toMatchObject({
    kind: 'deploy',
    version: 2,
    from: 1,
    percent: 100,
    note: 'Ready',
    actor: ana,
  })
  await scope.deploy(id, { actor: ana })
  expect((await draftOf(id)).deployments).toHaveLength(2)
})

test('[S001-7] a deploy is one write: a reader gets the config before or the one after, and two at once leave one record', async () => {
  const { id } = await scope.create({ name: 'A', config: { systemPrompt: 'v1', voice: 'v1' } })
  await scope.publish(id)
  await scope.saveDraft(id, { systemPrompt: 'v2', voice: 'v2' })
  const seen: string[] = []
  const reading = (async () => {
    for (let i = 0; i < 40; i++) {
      const brief = (await resolve(id))!
      seen.push(`${/<system>\n(.*)\n/.exec(brief.instructions)?.[1]} ${brief.voice} ${brief.version}`)
    }
  })()
  await Promise.all([scope.deploy(id), scope.deploy(id), scope.deploy(id)])
  await reading
  expect([...new Set(seen)].toSorted()).toEqual(expect.arrayContaining(['v2 v2 2']))
  expect(seen.every((each) => each === 'v1 v1 1' || each === 'v2 v2 2')).toBe(true)
  expect((await draftOf(id)).deployments.map((each) => each.version)).toEqual([1, 2])
})

test('[S001-6] a rollback to any version is live at once and leaves the draft; what is taken back nobody keeps', async () => {
  const { id } = await scope.create({ name: 'A', config: says('one') })
  await scope.publish(id)
  await scope.saveDraft(id, says('two'))
  await scope.deploy(id)
  expect(await promptOf(id, { keep: 1 })).toBe('one')
  const back = await scope.rollBack(id, 1, { actor: ana, note: 'Rude' })
  expect(back).toMatchObject({ version: 1, draftVersion: 2, recalled: [2] })
  expect(await promptOf(id)).toBe('one')
  expect(await promptOf(id, { keep: 2 })).toBe('one')
  expect(back.deployments.at(-1)).toMatchObject({ kind: 'rollback', version: 1, from: 2, note: 'Rude' })
  await scope.deploy(id)
  expect(await promptOf(id, { keep: 2 })).toBe('two')
  for (const wrong of [
    scope.rollBack(id, 9),
    scope.rollOut(id, { version: 9, percent: 5 }),
    scope.rollBack('agt_x', 1),
  ])
    await expect(wrong).rejects.toMatchObject({ code: 'not_found' })
})

test('a trial gives a version to its share of the people, always the same ones, more of them as it grows, and ends', async () => {
  const { id } = await scope.create({ name: 'A', config: says('one') })
  await expect(scope.deploy(id, { actor: ana, percent: 10 })).rejects.toMatchObject({ code: 'conflict' })
  await scope.publish(id)
  await scope.saveDraft(id, says('two'))
  const people = Array.from({ length: 150 }, (_, n) => `cont_${n}`)
  const onTrial = async () => {
    const got = await Promise.all(people.map(async (contactId) => [contactId, await promptOf(id, { contactId })]))
    return got.filter(([, prompt]) => prompt === 'two').map(([contactId]) => contactId)
  }
  await scope.deploy(id, { actor: ana, percent: 20 })
  expect(await draftOf(id)).toMatchObject({ version: 1, rollout: { version: 2, percent: 20 } })
  const few = await onTrial()
  expect(few.length).toBeGreaterThan(12)
  expect(few.length).toBeLessThan(50)
  expect(await onTrial()).toEqual(few)
  expect(await promptOf(id)).toBe('one')
  await scope.rollOut(id, { version: 2, percent: 60 })
  const more = await onTrial()
  expect(more).toEqual(expect.arrayContaining(few))
  expect(more.length).toBeGreaterThan(few.length)
  // Who talks since before the trial stays with what the conversation was begun with.
  expect(await promptOf(id, { contactId: String(few[0]), keep: 1 })).toBe('one')
  await scope.rollOut(id, { version: 2, percent: 0 })
  expect(await onTrial()).toEqual([])
  expect(await promptOf(id, { keep: 2 })).toBe('one')
  await scope.rollOut(id, { version: 2, percent: 100 })
  expect(await draftOf(id)).toMatchObject({ version: 2, rollout: null })
  expect(await onTrial()).toHaveLength(people.length)
})

test('a conversation in progress keeps its version through a deploy', async () => {
  const { id } = await scope.create({ name: 'A', config: says('one') })
  await scope.publish(id)
  const begun = (await resolve(id, { contactId: 'cont_1' }))!
  await scope.saveDraft(id, says('two'))
  await scope.deploy(id)
  expect(await promptOf(id, { contactId: 'cont_1', keep: begun.version })).toBe('one')
  expect(await promptOf(id, { contactId: 'cont_1' })).toBe('two')
})

test('the difference of two versions names each field with before and after', async () => {
  const { id } = await scope.create({ name: 'A', config: { ...says('one'), enabledTools: ['a'] } })
  await scope.publish(id)
  await scope.saveDraft(id, { ...says('two'), enabledTools: ['a', 'b'], limits: { idleMs: 7_000 } })
  expect(await scope.diff(id, { from: 'live', to: 'draft' })).toEqual({
    ...{ from: 1, to: 2 },
    changes: [
      { field: 'systemPrompt', kind: 'changed', before: 'one', after: 'two' },
      { field: 'enabledTools', kind: 'changed', before: ['a'], after: ['a', 'b'] },
      { field: 'limits.idleMs', kind: 'changed', before: 120_000, after: 7_000 },
    ],
  })
  expect((await scope.diff(id, { from: 2, to: 2 })).changes).toEqual([])
  await expect(scope.diff(id, { from: 1, to: 7 })).rejects.toMatchObject({ code: 'not_found' })
})

test('an agent goes into a file and comes out of it without a loss, here as a draft and elsewhere as an agent', async () => {
  const config = {
    ...says('Sell.'),
    displayName: 'Ana',
    faqEntries: [{ question: 'Q?', answer: 'A.' }],
    channelBindings: [{ channel: 'voice', enabled: false } as const],
    ...{ temperature: 0.3, maxTokens: 99, maxCostPerDay: 5_000_000, blockedTopics: ['politics'] },
  }
  const { id, slug } = await scope.create({ name: 'Ana Shop', subtype: 'sales_assistant', config })
  const file = await scope.file(id, 'draft')
  const { agentFile } = await import('./file.ts')
  const read = agentFile.parse(JSON.parse(JSON.stringify(file)))
  const again = await scope.takeFile(read)
  expect(again).toMatchObject({ created: false, agent: { id, draftVersion: 1 } })
  const other = await createTenants({ db: store.db }).create({ slug: `o-${count}`, name: 'O' })
  const made = await agents.of(other.id).takeFile(read)
  expect(made).toMatchObject({
    created: true,
    agent: { slug, subtype: 'sales_assistant', status: 'draft', version: 0 },
  })
  expect(await agents.of(other.id).file(made.agent.id, 'draft')).toEqual(file)
  const changed = { ...read, config: { ...read.config, systemPrompt: 'Sell more.' } }
  expect((await scope.takeFile(changed, { actor: ana, basedOn: 1 })).agent.draftVersion).toBe(2)
  await expect(scope.takeFile({ ...read }, { actor: ana, basedOn: 1 })).rejects.toMatchObject({ code: 'conflict' })
  await expect(scope.takeFile({ ...read, schemaVersion: 2 })).rejects.toMatchObject({ code: 'invalid' })
  await expect(scope.takeFile({ ...read, config: { temperature: 9 } })).rejects.toMatchObject({
    details: { issues: [{ path: 'config.temperature' }] },
  })
  // A file of the first shape.
  const older = await scope.takeFile({ ...read, config: { instructions: 'Old words.', tools: ['search'] } })
  expect(older.agent.draft).toMatchObject({ systemPrompt: 'Old words.', enabledTools: ['search'] })
})

test('[S000-4] the status goes draft → active → paused → archived; every other move is refused and names those there are', async () => {
  const { id } = await scope.create({ name: 'A' })
  await expect(scope.setStatus(id, 'active')).rejects.toMatchObject({ code: 'conflict' })
  const refused = async (status: 'draft' | 'active' | 'paused' | 'archived', words: RegExp) =>
    expect(scope.setStatus(id, status)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(words),
    })
  await refused('paused', /may become active/)
  await refused('archived', /may become active/)
  await scope.publish(id)
  await refused('draft', /may become paused/)
  await refused('archived', /may become paused/)
  await expect(scope.remove(id)).rejects.toMatchObject({ code: 'conflict' })
  await scope.setStatus(id, 'paused')
  await refused('draft', /may become active or archived/)
  await scope.setStatus(id, 'active')
  await scope.setStatus(id, 'paused')
  await expect(scope.remove(id)).rejects.toMatchObject({ code: 'conflict' })
  await scope.setStatus(id, 'archived')
  for (const status of ['draft', 'active', 'paused'] as const) await refused(status, /it is final/)
  const changes: readonly (() => Promise<unknown>)[] = [
    () => scope.saveDraft(id, says('x')),
    () => scope.deploy(id),
    () => scope.publish(id),
    () => scope.change(id, { name: 'B' }),
  ]
  for (const change of changes) await expect(change()).rejects.toMatchObject({ code: 'conflict' })
})

test('[S000-1] an agent that was put away is deleted; its versions can still be read', async () => {
  const { id } = await scope.create({ name: 'A', config: says('one') })
  await scope.publish(id)
  await scope.setStatus(id, 'paused')
  await scope.setStatus(id, 'archived')
  await scope.remove(id)
  expect(await scope.byId(id)).toBeUndefined()
  expect((await scope.versions(id, { limit: 5 })).items).toHaveLength(1)
  expect((await scope.version(id, 1)).config.systemPrompt).toBe('one')
  expect(await resolve(id)).toBeUndefined()
  const never = await scope.create({ name: 'B' })
  await scope.remove(never.id)
  expect(await scope.list()).toEqual([])
})

test('[S001-36] the same name twice gets a number, also at the same moment; no slug is longer than 50', async () => {
  const made = await Promise.all(Array.from({ length: 6 }, () => scope.create({ name: 'Müller & Söhne' })))
  expect(made.map((each) => each.slug).toSorted()).toEqual([
    'muller-sohne',
    ...[2, 3, 4, 5, 6].map((n) => `muller-sohne-${n}`),
  ])
  const long = await scope.create({ name: 'x'.repeat(120) })
  const longer = await scope.create({ name: 'x'.repeat(120) })
  expect([long.slug.length, longer.slug]).toEqual([50, `${'x'.repeat(48)}-2`])
  expect(new Set([...made, long, longer].map((each) => each.id)).size).toBe(8)
  expect(long.id).toMatch(/^agt_[0-9a-z]{19}$/)
})

test('[S000-3] an unknown subtype is refused', async () => {
  const wrong = JSON.parse('{"name":"A","subtype":"wizard"}')
  await expect(scope.create(wrong)).rejects.toMatchObject({ code: 'invalid' })
  for (const subtype of ['customer_support', 'sales_assistant', 'booking_agent', 'general'] as const)
    expect((await scope.create({ name: subtype, subtype })).subtype).toBe(subtype)
  expect((await scope.create({ name: 'none' })).subtype).toBe('general')
})
