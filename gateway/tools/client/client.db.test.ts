import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { knowledgeIn } from '../../../test/harness/knowledge.ts'
import { recordsIn } from '../../../test/harness/records.ts'
import { openTestStore, type TestStore } from '../../../test/harness/store.ts'
import { entityCollections } from '../../entities/entities.ts'
import { eventCollections } from '../../events/events.ts'
import { knowledgeCollections } from '../../knowledge/knowledge.ts'
import { asTenantId } from '../../platform/ids.ts'
import { ensureIndexes } from '../../platform/mongo.ts'
import { visuals } from '../../protocol/visuals/visuals.ts'
import { createTools, type ToolRun, type Tools, toolCollections } from '../tools.ts'
import type { PageAction } from './page-actions.ts'

let store: TestStore
let tools: Tools
let strict: Tools
let records: ReturnType<typeof recordsIn>
const tenantId = asTenantId('ten_a')
const asked: PageAction[] = []
const product = { category: 'sofa', priceCents: 49_900, currency: 'USD' } as const

beforeAll(async () => {
  store = await openTestStore()
  const specs = [...toolCollections, ...entityCollections, ...eventCollections, ...knowledgeCollections]
  await ensureIndexes(store.db, specs)
  records = recordsIn(store.db)
  const deps = {
    ...{ ...records, db: store.db, knowledge: knowledgeIn(store.db) },
    log: pino({ level: 'silent' }),
    pageActions: async (action: PageAction) => {
      asked.push(action)
      return { is: 'done', result: { opened: true } } as const
    },
  }
  tools = createTools(deps)
  strict = createTools({ ...deps, visualHosts: ['shop.example'] })
  const image = 'https://cdn.shop.example/alba.jpg'
  await records.entities.of(tenantId).put('product', [
    { slug: 'alba-3-seater', data: { ...product, name: 'Alba 3-Seater', colours: ['red'], images: [image] } },
    { slug: 'nook-sleeper', data: { ...product, name: 'Nook Sleeper', colours: ['blue'], inStock: false } },
  ])
  await records.entities
    .of(asTenantId('ten_b'))
    .put('product', [{ slug: 'canary', data: { ...product, name: 'Canary' } }])
})
afterAll(() => store[Symbol.asyncDispose]())

let calls = 0
function callOf(name: string, args: object, more: Partial<ToolRun> = {}): ToolRun {
  const call = { tenantId, sessionId: 'sess_1', callId: `call_${calls++}`, name, arguments: JSON.stringify(args) }
  return { ...call, allowed: [name], conversationId: 'conv_1', ...more }
}
async function run(name: string, args: object, more: Partial<ToolRun> = {}, by = tools) {
  const { output, ok, visual } = await by.run(callOf(name, args, more))
  return { ok, said: JSON.parse(output), visual, data: visual?.data }
}
const orders = async () => {
  const auth = await records.rights.agent(tenantId, { id: 'agent', name: 'Agent' })
  return (await records.entities.of(tenantId).as(auth).template('order').list({ limit: 50 })).items
}

test.each(visuals.map(({ name }) => name))(
  '[S002-2] the model has a tool for %s, whose arguments are checked',
  async (name) => {
    const tool = await tools.of(tenantId).get(`show_${name}`)
    expect(tool).toMatchObject({ category: 'visuals', readOnly: true, retry: 'again', own: false })
    expect(tool?.prepare({ nonsense: true }).is).toBe('invalid')
    expect(tool?.prepare('text').is).toBe('invalid')
  },
)

test('[S002-2] a visual is told beside the result, replayed with it, and changed in place by its id', async () => {
  const call = callOf('show_map_link', { name: 'Hall', place: 'Pier 4' })
  const first = await tools.run(call)
  expect(first.visual).toMatchObject({ visual: 'map_link', data: { name: 'Hall', place: 'Pier 4' } })
  expect(JSON.parse(first.output)).toEqual({ shown: first.visual?.id })
  expect(await tools.run(call)).toEqual(first)
  const next = await run('show_map_link', { id: first.visual?.id, name: 'Hall', place: 'Pier 5' })
  expect(next.visual?.id).toBe(first.visual?.id)
  const chart = { title: 'A', kind: 'bar', points: [{ label: 'a', value: 1 }] }
  expect((await run('show_chart', { ...chart, id: first.visual?.id })).visual?.id).not.toBe(first.visual?.id)
  expect((await run('show_chart', { ...chart, title: 'x'.repeat(200) })).said.error.code).toBe('invalid_arguments')
})

test('[S002-2] what a tool from outside answers shows nothing, whatever its fields are called', async () => {
  await tools
    .of(tenantId)
    .put([{ name: 'cart', kind: 'client', description: 'Opens the cart.', spec: { action: 'open_cart' } }])
  const { said, visual } = await run('cart', {})
  expect(said).toEqual({ result: { opened: true } })
  expect(visual).toBeUndefined()
  expect(asked).toMatchObject([{ action: 'open_cart', sessionId: 'sess_1', timeoutMs: 8_000, arguments: {} }])
  await expect(
    tools.of(tenantId).put([{ name: 'bad', kind: 'client', description: 'x', spec: { action: 'a b' } }]),
  ).rejects.toMatchObject({ code: 'invalid' })
})

test('[S002-2] product cards show the tenant’s own products, with their own price and picture', async () => {
  const { data } = await run('show_product_cards', { products: ['alba-3-seater', 'canary'], button: 'Order' })
  expect(data).toMatchObject({
    button: 'Order',
    products: [{ slug: 'alba-3-seater', unitMinor: 49_900, currency: 'USD', inStock: true }],
  })
  expect(JSON.stringify(data)).not.toContain('Canary')
  expect((await run('show_product_cards', { products: ['canary'] })).said.error.code).toBe('not_found')
  expect((await run('show_product_cards', { products: [{ slug: 'a', unitMinor: 1 }] })).ok).toBe(false)
})

test('[S002-2] where hosts are named, links and pictures of others are not shown', async () => {
  const item = (url: string) => ({ items: [{ title: 'A', url }] })
  const show = (url: string) => run('show_carousel', item(url), {}, strict)
  expect((await show('https://evil.example/?q=what+was+said')).said.error.code).toBe('forbidden')
  expect((await show('https://notshop.example/')).ok).toBe(false)
  expect((await show('https://a.shop.example/b')).ok).toBe(true)
  expect((await run('show_map_link', { name: 'Hall', place: 'Pier 4' }, {}, strict)).ok).toBe(true)
  expect((await run('show_product_cards', { products: ['alba-3-seater'] }, {}, strict)).ok).toBe(true)
  expect((await run('show_carousel', item('https://evil.example/'))).ok).toBe(true)
})

test('[S002-19] one order form fills with what is said, is placed once, and the next wish is the next order', async () => {
  const first = await run('show_order_form', { product: 'Alba 3-Seater', quantity: 2 })
  expect(first.said).toMatchObject({ form: 'order_form-1', missing: ['name', 'email', 'address'], totalMinor: 99_800 })
  expect((await run('place_order', {})).said.error.message).toContain('name, email, address')
  const second = await run('show_order_form', { name: 'Ada Lovelace', email: 'ada@example.com' })
  expect(second.visual).toMatchObject({ id: 'order_form-1', data: { quantity: 2, name: 'Ada Lovelace' } })
  const lies = { address: '1 Mill Street', totalMinor: 1 }
  expect((await run('show_order_form', lies)).said.error.code).toBe('invalid_arguments')
  await run('show_order_form', { address: '1 Mill Street' })
  // Said twice, pressed twice, and a call that is run again after a crash.
  const call = callOf('place_order', {})
  const form = { form: 'order_form-1' }
  const all = await Promise.all([
    ...[tools.run(call), tools.run(callOf('place_order', {})), tools.run(callOf('place_order', { quantity: 2 }))],
    ...[tools.run(callOf('place_order', form)), tools.run(callOf('place_order', form))],
  ])
  const said = all.map(({ output }) => JSON.parse(output))
  const numbers = new Set(said.map((each) => each.order))
  expect(numbers.size).toBe(1)
  expect(said[0]).toMatchObject({ placed: true, totalMinor: 99_800, total: '$998.00', name: 'Ada Lovelace' })
  expect(await orders()).toMatchObject([
    {
      data: {
        ...{ number: [...numbers][0], status: 'new', currency: 'USD', totalMinor: 99_800, conversationId: 'conv_1' },
        ...{ name: 'Ada Lovelace', email: 'ada@example.com', address: '1 Mill Street' },
        items: [{ product: 'alba-3-seater', quantity: 2, unitPriceMinor: 49_900 }],
      },
    },
  ])
  const again = await run('place_order', { quantity: 5 })
  expect(again).toMatchObject({ said: { before: true, quantity: 2 }, data: { number: [...numbers][0] } })
  expect(await orders()).toHaveLength(1)
  const next = await run('show_order_form', { product: 'alba-3-seater' })
  expect(next.visual).toMatchObject({ id: 'order_form-2', data: { quantity: 1 } })
  expect(next.data).not.toHaveProperty('name')
  expect((await run('place_order', form)).said.error.code).toBe('conflict')
  expect(await orders()).toHaveLength(1)
})

test('[S002-19] price and stock of an order are the product’s of that moment, and another conversation has its own form', async () => {
  const more = { conversationId: 'conv_2' }
  const person = { name: 'Bo', email: 'bo@example.com', address: '2 Mill Street' }
  expect((await run('show_order_form', { name: 'Bo' }, more)).said.error.code).toBe('invalid')
  expect((await run('show_order_form', { product: 'canary' }, more)).said.error.code).toBe('not_found')
  await run('show_order_form', { product: 'nook-sleeper', ...person }, more)
  expect((await run('place_order', {}, more)).said.error).toMatchObject({ code: 'conflict' })
  await records.entities
    .of(tenantId)
    .put('product', [
      { slug: 'nook-sleeper', data: { ...product, name: 'Nook Sleeper', priceCents: 10_001, inStock: true } },
    ])
  expect((await run('place_order', { quantity: 3 }, more)).said).toMatchObject({ placed: true, totalMinor: 30_003 })
  const straight = await run('place_order', { product: 'alba-3-seater', ...person }, { conversationId: 'conv_3' })
  expect(straight.said).toMatchObject({ placed: true, quantity: 1, totalMinor: 49_900 })
  expect(await orders()).toHaveLength(3)
})
