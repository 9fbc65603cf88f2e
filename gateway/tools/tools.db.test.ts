import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { briefFor } from '../../test/harness/brief.ts'
import { knowledgeIn } from '../../test/harness/knowledge.ts'
import { recordsIn } from '../../test/harness/records.ts'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { type Entities, entityCollections } from '../entities/entities.ts'
import { type Knowledge, knowledgeCollections } from '../knowledge/knowledge.ts'
import type { Clock } from '../platform/clock.ts'
import { asTenantId, type TenantId } from '../platform/ids.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import { createTools, type Tools, toolCollections } from './tools.ts'

let store: TestStore
let entities: Entities
let knowledge: Knowledge
let tools: Tools
let tenantId: TenantId
let count = 0
const log = pino({ level: 'silent' })
const sofa = {
  slug: 'alba',
  data: { name: 'Alba', category: 'sofa', colours: ['red'], priceCents: 49_900, images: [] },
}

beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, [...toolCollections, ...entityCollections, ...knowledgeCollections])
})
afterAll(() => store[Symbol.asyncDispose]())
beforeEach(async () => {
  entities = recordsIn(store.db).entities
  knowledge = knowledgeIn(store.db)
  tools = createTools({ ...recordsIn(store.db), db: store.db, entities, knowledge, log })
  tenantId = asTenantId(`ten_${String(count++)}`)
  await entities.of(tenantId).put('product', [sofa])
  await tools.of(tenantId).put([
    { name: 'search', kind: 'products.search', description: 'Finds furniture.' },
    { name: 'program', kind: 'event.program', description: 'Talks.' },
    { name: 'look_up', kind: 'knowledge.search', description: 'Looks up.' },
  ])
})

let calls = 0
const run = (name: string, args: unknown, over: Partial<Parameters<Tools['run']>[0]> = {}) =>
  tools.run({
    tenantId,
    sessionId: 'sess_1',
    callId: `call_${String(calls++)}`,
    name,
    arguments: typeof args === 'string' ? args : JSON.stringify(args),
    allowed: ['search', 'program', 'look_up'],
    ...over,
  })
const errorOf = (result: { output: string }) => JSON.parse(result.output).error

describe('a call', () => {
  test('answers with what the tenant has', async () => {
    const { output, ok } = await run('search', { query: 'red sofa under 500' })
    expect(ok).toBe(true)
    expect(JSON.parse(output)).toMatchObject({ count: 1, items: [{ name: 'Alba', price: 499 }] })
  })

  test('takes what models tend to write: no text, null fields, prices as text', async () => {
    expect((await run('search', '')).ok).toBe(true)
    expect((await run('search', { query: null, maxPrice: '$500', colour: null })).ok).toBe(true)
    expect(JSON.parse((await run('search', { maxPrice: '100' })).output).count).toBe(0)
  })

  test.each([
    ['no JSON', 'search', '{"query": '],
    ['a list', 'search', '[]'],
    ['a number', 'search', '7'],
    ['a wrong type', 'search', { query: { $ne: 1 } }],
    ['an unknown field', 'search', { query: 'sofa', tenantId: 'ten_other' }],
    ['a negative price', 'search', { minPrice: -1 }],
    ['no query', 'look_up', {}],
    ['a time that is none', 'program', { at: 'soon' }],
    ['far too much text', 'search', JSON.stringify({ query: 'x'.repeat(20_000) })],
    ['__proto__', 'search', '{"__proto__": {"query": "sofa"}, "constructor": 1}'],
  ])('with %s as arguments answers an error the model can read', async (_name, tool, args) => {
    const result = await run(tool, args)
    expect(result.ok).toBe(false)
    expect(errorOf(result)).toMatchObject({ code: 'invalid_arguments', issues: expect.any(Array) })
  })

  test('of a tool that is not allowed or not there is refused in the same words', async () => {
    const forbidden = await run('search', {}, { allowed: ['look_up'] })
    const unknown = await run('drop_tables', {}, { allowed: ['drop_tables'] })
    expect(errorOf(forbidden)).toMatchObject({ code: 'unknown_tool' })
    expect(forbidden).toEqual(unknown)
  })

  test('of another tenant’s tool is refused', async () => {
    const result = await run('search', {}, { tenantId: asTenantId('ten_other') })
    expect(errorOf(result)).toMatchObject({ code: 'unknown_tool' })
  })

  test('asked again gives the first result, whatever changed since, in this process and the next', async () => {
    const key = { callId: 'call_again' }
    const first = await run('search', { query: 'sofa' }, key)
    await entities.of(tenantId).remove('product', 'alba')
    expect(await run('search', { query: 'lamp' }, key)).toEqual(first)
    const next = createTools({ ...recordsIn(store.db), db: store.db, entities, knowledge, log })
    const again = {
      tenantId,
      sessionId: 'sess_1',
      callId: 'call_again',
      name: 'search',
      arguments: '{}',
      allowed: ['search'],
    }
    expect(await next.run(again)).toEqual(first)
    expect(await next.run({ ...again, sessionId: 'sess_2' })).not.toEqual(first)
  })

  test('made 50 times at once leaves one result', async () => {
    const results = await Promise.all(Array.from({ length: 50 }, () => run('search', {}, { callId: 'call_50' })))
    expect(new Set(results.map((each) => each.output)).size).toBe(1)
    expect(await store.db.collection('tool_results').countDocuments({ tenantId, callId: 'call_50' })).toBe(1)
  })

  test('run by two processes at the same time has one result for both', async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const [one, two] = gates.map((gate, n) => {
      const search = async () => {
        await gate.promise
        return [{ title: `process ${n}`, text: '', score: 1, kind: 'faq', key: '1' }]
      }
      return createTools({ ...recordsIn(store.db), db: store.db, entities, knowledge: { ...knowledge, search }, log })
    })
    const call = {
      tenantId,
      sessionId: 's',
      callId: 'call_two',
      name: 'look_up',
      arguments: '{"query":"x"}',
      allowed: ['look_up'],
    }
    const results = [one!.run(call), two!.run(call)]
    // Both must have looked for an earlier result before either has one.
    await new Promise((resolve) => setTimeout(resolve, 100))
    for (const gate of gates) gate.resolve()
    const [first, second] = await Promise.all(results)
    expect(second).toEqual(first)
    expect(await one!.run(call)).toEqual(first)
  })

  test('with too much to say leaves items off and says how many', async () => {
    const description = 'x'.repeat(1_500)
    await entities.of(tenantId).put(
      'product',
      Array.from({ length: 20 }, (_, n) => ({ slug: `s-${n}`, data: { ...sofa.data, priceCents: n, description } })),
    )
    const { output, ok } = await run('search', { limit: 20 })
    expect(ok).toBe(true)
    expect(Buffer.byteLength(output)).toBeLessThanOrEqual(16 * 1024)
    const result = JSON.parse(output)
    expect(result.items.length).toBeGreaterThan(5)
    expect(result.omitted).toBe(20 - result.items.length)
  })

  test('that takes longer than ten seconds answers a timeout, and a late result changes nothing', async () => {
    let expire = () => {}
    const clock: Clock = {
      now: () => 0,
      monotonicMs: () => 0,
      after: (ms, then) => {
        expect(ms).toBe(10_000)
        expire = then
        return { cancel() {} }
      },
      every: () => ({ cancel() {} }),
    }
    const started = Promise.withResolvers<void>()
    const stuck = Promise.withResolvers<[]>()
    const slow: Knowledge = {
      ...knowledge,
      search: () => {
        started.resolve()
        return stuck.promise
      },
    }
    const slowTools = createTools({ ...recordsIn(store.db), db: store.db, entities, knowledge: slow, log, clock })
    const call = {
      tenantId,
      sessionId: 's',
      callId: 'call_slow',
      name: 'look_up',
      arguments: '{"query":"x"}',
      allowed: ['look_up'],
    }
    const result = slowTools.run(call)
    await started.promise
    expire()
    expect(errorOf(await result)).toMatchObject({ code: 'timeout' })
    await expect
      .poll(() => store.db.collection('tool_results').countDocuments({ callId: 'call_slow', tenantId }))
      .toBe(1)
    stuck.resolve([])
    expect(errorOf(await slowTools.run(call))).toMatchObject({ code: 'timeout' })
  })

  test('whose store fails answers an error instead of throwing', async () => {
    const broken: Knowledge = { ...knowledge, search: () => Promise.reject(new Error('mongodb://secret@host is down')) }
    const brokenTools = createTools({ ...recordsIn(store.db), db: store.db, entities, knowledge: broken, log })
    const call = {
      tenantId,
      sessionId: 's',
      callId: 'c',
      name: 'look_up',
      arguments: '{"query":"x"}',
      allowed: ['look_up'],
    }
    const result = await brokenTools.run(call)
    expect(result.ok).toBe(false)
    expect(result.output).not.toContain('secret')
    expect(errorOf(result)).toMatchObject({ code: 'failed' })
  })
})

test('the brief describes the named tools in order and leaves out what is not there', async () => {
  const { tools: brief } = await tools.brief(tenantId, briefFor({ tools: ['look_up', 'missing', 'search'] }))
  expect(brief.map((each) => each.name)).toEqual(['look_up', 'search'])
  expect(brief[0]).toEqual({
    name: 'look_up',
    description: 'Looks up.',
    parameters: expect.objectContaining({ type: 'object', required: ['query'], additionalProperties: false }),
  })
  expect(JSON.stringify(brief)).not.toContain('$schema')
})

test('putting the same tools twice changes nothing; a wrong kind is refused', async () => {
  const all = () => store.db.collection('tools').find({ tenantId }).sort({ name: 1 }).toArray()
  const before = await all()
  await tools.of(tenantId).put([{ name: 'search', kind: 'products.search', description: 'Finds furniture.' }])
  expect(await all()).toEqual(before)
  const wrong = [{ name: 'x y', kind: 'products.search', description: '' }] as const
  await expect(async () => tools.of(tenantId).put(wrong)).rejects.toMatchObject({ code: 'invalid' })
})

test('[S000-60] an agent that may looks into our own papers by a tool that nobody has to describe', async () => {
  const tenantId = asTenantId('ten_own_papers')
  const {
    tools: [offered],
  } = await tools.brief(tenantId, briefFor({ tools: ['search_system_knowledge'] }))
  expect(offered).toMatchObject({ name: 'search_system_knowledge', parameters: { required: ['query'] } })
  const call = { tenantId, sessionId: 's_own', callId: 'c_own', name: 'search_system_knowledge' }
  const args = { arguments: '{"query":"the customer says too expensive"}', allowed: ['search_system_knowledge'] }
  const answer = await tools.run({ ...call, ...args })
  expect(answer.ok).toBe(true)
  expect(JSON.parse(answer.output).items[0].title).toBe('Objections')
  expect(await tools.readOnly(tenantId, ['search_system_knowledge'])).toEqual(
    new Map([['search_system_knowledge', true]]),
  )
  expect((await tools.run({ ...call, ...args, callId: 'c_2', allowed: [] })).ok).toBe(false)
})
