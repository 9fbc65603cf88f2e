import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { authAs } from '../../test/harness/auth.ts'
import { knowledgeIn } from '../../test/harness/knowledge.ts'
import { recordsIn } from '../../test/harness/records.ts'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { entityCollections } from '../entities/entities.ts'
import { eventCollections } from '../events/events.ts'
import { knowledgeCollections } from '../knowledge/knowledge.ts'
import type { AuthContext } from '../platform/access.ts'
import { asTenantId } from '../platform/ids.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import { createTools, type Tools, toolCollections } from './tools.ts'

let store: TestStore
let tools: Tools
const tenantId = asTenantId('ten_a')
const names = ['query', 'get', 'log']

beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, [
    ...toolCollections,
    ...entityCollections,
    ...eventCollections,
    ...knowledgeCollections,
  ])
  const records = recordsIn(store.db)
  const masked = (): Partial<AuthContext> => ({
    sees: (_resource, field) => !['data', 'data.phone'].includes(field),
    masked: (_resource, record) =>
      JSON.parse(JSON.stringify(record, (key, value) => (key === 'phone' ? undefined : value))),
  })
  const agentAuth = async (tenant: typeof tenantId, agent: { id: string; name: string }) =>
    authAs(tenant, { ...masked(), actor: { kind: 'agent', ...agent } })
  tools = createTools({
    ...{
      ...records,
      rights: { ...records.rights, agent: agentAuth },
      db: store.db,
      knowledge: knowledgeIn(store.db),
    },
    log: pino({ level: 'silent' }),
  })
  await tools.of(tenantId).put([
    { name: 'query', kind: 'entity.query', description: 'Finds records.' },
    { name: 'get', kind: 'entity.get', description: 'Reads a record.' },
    { name: 'log', kind: 'event.query', description: 'What happened.' },
  ])
  for (const tenant of [tenantId, asTenantId('ten_b')]) {
    const all = records.entities.of(tenant).as(authAs(tenant))
    const schema = {
      type: 'object',
      properties: { name: { type: 'string' }, owner: { type: 'string' }, phone: { type: 'string' } },
    }
    const fields = { name: 'Lead', description: '', schema, searchFields: null, titleField: 'name' }
    await all.createType('lead', fields)
    for (const owner of ['ann', 'bob'])
      await all.create('lead', {
        slug: owner,
        data: { name: `Lead ${tenant} ${owner}`, owner, phone: `canary-${owner}` },
      })
  }
})
afterAll(() => store[Symbol.asyncDispose]())

let calls = 0
async function run(name: string, args: object, auth?: AuthContext) {
  const call = { tenantId, sessionId: 'sess_1', callId: `call_${calls++}`, name, arguments: JSON.stringify(args) }
  const { output, ok } = await tools.run({ ...call, allowed: names, ...(auth === undefined ? {} : { auth }) })
  return { ok, output, said: JSON.parse(output) }
}
const owned = authAs(tenantId, {
  rows: (resource) =>
    resource === 'entities'
      ? { is: 'some', anyOf: [[{ is: 'field', field: 'data.owner', op: 'eq', values: ['ann'] }]] }
      : { is: 'all' },
})

test('[S001-19] an agent’s tools see the rows of the caller on whose behalf they run, and no other tenant’s', async () => {
  const all = await run('query', { type: 'lead', query: 'lead' }, authAs(tenantId))
  expect(all.said).toMatchObject({ count: 2, items: [{ slug: 'bob' }, { slug: 'ann' }] })
  expect(all.output).not.toContain('ten_b')
  const mine = await run('query', { type: 'lead', query: 'lead' }, owned)
  expect(mine.said).toMatchObject({ count: 1, items: [{ slug: 'ann' }] })
  expect((await run('query', { type: 'lead', where: '{"owner":"bob"}' }, owned)).said).toEqual({ count: 0, items: [] })
  expect((await run('get', { type: 'lead', id: 'bob' }, owned)).said).toMatchObject({ error: { code: 'not_found' } })
  expect((await run('get', { type: 'lead', id: 'ann' }, owned)).said).toMatchObject({
    entity: { slug: 'ann' },
    relations: [],
  })
  const log = await run('log', { type: 'entity.created' }, owned)
  expect(log.said.items).toHaveLength(1)
  expect(log.output).not.toContain('bob')
})

test('[S001-20] what is masked leaves by no tool, and cannot be asked for', async () => {
  for (const [name, args] of [
    ['query', { type: 'lead' }],
    ['query', { type: 'lead', query: 'lead' }],
    ['get', { type: 'lead', id: 'ann' }],
    ['log', {}],
  ] as const) {
    const { output, ok } = await run(name, args)
    expect(ok).toBe(true)
    expect(output).toContain('ann')
    expect(output).not.toContain('canary')
  }
  expect((await run('query', { type: 'lead', query: 'canary' })).said).toEqual({ count: 0, items: [] })
  expect((await run('query', { type: 'lead', where: '{"phone":"canary-ann"}' })).said.error.code).toBe('forbidden')
  expect((await run('query', { type: 'lead', sort: 'phone' })).said.error.code).toBe('forbidden')
})

test('what a model asks wrongly is told to it', async () => {
  expect((await run('query', { type: 'nothing' })).said.error.code).toBe('not_found')
  expect((await run('query', { type: 'lead', where: '{"$where":"1"}' })).said.error.code).toBe('invalid')
  expect((await run('query', { type: 'lead', where: 'owner = ann' })).said.error).toMatchObject({
    code: 'invalid',
    issues: [{}],
  })
  const silent = authAs(tenantId, { may: () => false })
  expect((await run('log', {}, silent)).said.error.code).toBe('forbidden')
  expect((await run('query', { type: 'lead' }, silent)).said.error.code).toBe('not_found')
})
