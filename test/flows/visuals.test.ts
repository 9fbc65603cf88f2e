// What a visitor is shown in a live session, what comes back from it, and what the page around does for the agent.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { TenantId } from '../../gateway/platform/ids.ts'
import type { TestClient } from '../harness/client.ts'
import { lastSeq, openParley, say, turnsOf, wayBack } from '../harness/returning-client.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

let gateway: TestGateway
let tenantId: TenantId
beforeAll(async () => {
  gateway = await startGateway()
  const tenant = await gateway.app.slices.tenants.bySlug('productco')
  if (tenant === undefined) throw new Error('seeded')
  tenantId = tenant.id
  const { agents, tools } = gateway.app.slices
  const action = (name: string, timeoutMs: number) => ({
    ...{ name, kind: 'client', readOnly: true, category: 'page' as const, spec: { action: name, timeoutMs } },
    description: `Does ${name.replace('_', ' ')} on the page.`,
  })
  await tools.of(tenantId).put([action('unfold_basket', 8_000), action('blink_lantern', 500)])
  const agent = await agents.of(tenantId).bySlug('productco')
  if (agent === undefined) throw new Error('seeded')
  const enabledTools = [...agent.draft.enabledTools, 'unfold_basket', 'blink_lantern']
  await agents.of(tenantId).saveDraft(agent.id, { ...agent.draft, enabledTools })
  await agents.of(tenantId).publish(agent.id)
})
afterAll(() => gateway[Symbol.asyncDispose]())

let before = 0
beforeEach(async () => {
  before = (await orders()).length
})

const visit = async (): Promise<TestClient> => openParley(gateway.wsUrl, await gateway.visitorToken())
async function orders() {
  const { identity, entities } = gateway.app.slices
  const all = entities.of(tenantId).as(identity.authFor.system(tenantId))
  return (await all.template('order').list({ limit: 50, sort: 'createdAt' })).items
}
const visualsOf = (client: TestClient) => client.ofType('parley.visual')
const submit = (client: TestClient, itemId: string, id: string, values: object) =>
  client.send({ type: 'parley.visual.submit', item_id: itemId, id, values })
const filled = { quantity: 2, name: 'Ada Lovelace', email: 'ada@example.com', address: '1 Mill Street' }

async function opened(client: TestClient): Promise<void> {
  say(client, 'item_wish', 'I want to order two of the red sofa')
  await client.event('parley.visual')
}

test('[S002-19] somebody orders in writing: the form fills in place with every word, and a yes places it', async () => {
  await using visitor = await visit()
  await opened(visitor)
  for (const [i, text] of ['My name is Ada Lovelace', 'ada@example.com', '1 Mill Street'].entries()) {
    await visitor.event('response.done', 2 * i + 2)
    say(visitor, `item_${i}`, text)
    await visitor.event('parley.visual', i + 2)
  }
  const shown = visualsOf(visitor)
  expect(new Set(shown.map(({ id }) => id))).toEqual(new Set(['order_form-1']))
  expect(shown.at(-1)).toMatchObject({ visual: 'order_form', data: { ...filled, product: { currency: 'USD' } } })
  await visitor.event('response.done', 8)
  say(visitor, 'item_yes', 'Yes, please')
  await visitor.event('parley.visual', 5)
  expect((await orders()).slice(before)).toMatchObject([
    { data: { name: 'Ada Lovelace', channel: 'widget', items: [{ quantity: 2 }], number: expect.any(String) } },
  ])
  expect(visualsOf(visitor).at(-1)).toMatchObject({ data: { number: expect.any(String) } })
  await visitor.event('response.done', 10)
  say(visitor, 'item_again', 'Yes, place the order')
  await visitor.event('response.done', 11)
  expect(await orders()).toHaveLength(before + 1)
})

test('[S002-19] a form is sent twice, and once more after the connection was lost: one order, one turn, one answer', async () => {
  const token = await gateway.visitorToken()
  await using first = await openParley(gateway.wsUrl, token)
  await opened(first)
  await first.event('response.done', 2)
  submit(first, 'item_sent', 'order_form-1', filled)
  submit(first, 'item_sent', 'order_form-1', filled)
  submit(first, 'item_more', 'order_form-1', filled)
  const way = wayBack(first)
  first.socket.terminate()
  await using second = await openParley(gateway.wsUrl, token, way)
  await second.event('parley.session')
  submit(second, 'item_sent', 'order_form-1', filled)
  const isStored = (client: TestClient) =>
    client.ofType('parley.committed').find(({ item_ids: ids }) => JSON.stringify(ids).includes('item_sent'))
  await second.until(isStored, 'the message is stored')
  await second.until(
    (client) => visualsOf(client).find(({ data }) => JSON.stringify(data).includes('"number"')),
    'the order',
  )
  expect(await orders()).toHaveLength(before + 1)
  const told = turnsOf([...first.events, ...second.events])
  const sent = told.filter(({ itemId }) => itemId === 'item_sent')
  expect(sent).toMatchObject([
    { role: 'user', state: 'final', text: expect.stringMatching(/^Alba .*: 2, Ada Lovelace/) },
  ])
  expect(lastSeq(second)).toBeGreaterThan(way.lastSeq)
  // Shown again where the conversation goes on.
  second.send({ type: 'parley.bye' })
  await second.ended()
  await using third = await openParley(gateway.wsUrl, token)
  const { history } = await third.event('parley.session')
  expect(history).toContainEqual(expect.objectContaining({ visual: expect.objectContaining({ id: 'order_form-1' }) }))
})

test('[S002-2] what does not fit, was never shown, or was shown to somebody else is not taken', async () => {
  await using mine = await visit()
  await using other = await visit()
  await opened(mine)
  const refused = async (client: TestClient, n: number) => {
    const { code, issues } = await client.event('parley.visual.refused', n)
    return { code, issues }
  }
  submit(mine, 'item_a', 'order_form-1', { ...filled, quantity: 0 })
  expect(await refused(mine, 1)).toEqual({ code: 'invalid', issues: [{ path: 'quantity', message: 'too_small' }] })
  submit(mine, 'item_b', 'order_form-1', { ...filled, unitPriceMinor: 1 })
  expect((await refused(mine, 2)).code).toBe('invalid')
  submit(mine, 'item_c', 'order_form-9', filled)
  expect((await refused(mine, 3)).code).toBe('unknown_visual')
  submit(other, 'item_d', 'order_form-1', filled)
  expect((await refused(other, 1)).code).toBe('unknown_visual')
  mine.send({ type: 'parley.visual.submit', item_id: 'item_e', id: 'order_form-1', values: { name: { $gt: '' } } })
  await mine.event('error')
  expect(await orders()).toHaveLength(before)
})

test('[S002-2] the page does what the agent asks; nobody else answers for it, and one that is silent is not waited for', async () => {
  await using mine = await visit()
  await using other = await visit()
  say(mine, 'item_1', 'Unfold the basket')
  const asked = await mine.event('parley.action')
  expect(asked).toMatchObject({ action: 'unfold_basket', timeout_ms: 8_000 })
  const result = { type: 'parley.action.result', call_id: asked.call_id, ok: true, result: { items: 3 } }
  other.send(result)
  expect(await other.event('error')).toMatchObject({ error: { code: 'invalid_value' } })
  mine.send({ ...result, call_id: 'call_of_nobody' })
  await mine.event('error')
  const outputs = (client: TestClient) =>
    turnsOf(client.events).flatMap(({ tool }) => (tool as { output?: string } | undefined)?.output ?? [])
  expect(outputs(mine)).toEqual([])
  mine.send(result)
  await mine.until((client) => outputs(client)[0], 'the result')
  expect(JSON.parse(outputs(mine)[0] ?? '')).toEqual({ result: { items: 3 } })
  // Twice is once too often.
  mine.send(result)
  await mine.event('error', 2)
  await mine.event('response.done', 2)
  say(mine, 'item_2', 'Blink the lantern')
  await mine.until((client) => outputs(client)[1], 'the failure')
  expect(JSON.parse(outputs(mine)[1] ?? '')).toMatchObject({ error: { code: 'timeout' } })
})
