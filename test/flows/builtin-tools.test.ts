import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toolCategories } from '../../gateway/tools/tool.ts'
import { openChatPlace } from '../harness/chat-place.ts'
import { FakeCalCom } from '../harness/fake-cal-com.ts'
import { openFakeProviders } from '../harness/fake-providers.ts'
import { bookingCases } from './builtin-tools/bookings.ts'
import { crmCases } from './builtin-tools/crm.ts'
import { dataCases } from './builtin-tools/data.ts'
import { effectCases } from './builtin-tools/effects.ts'
import { eventCases } from './builtin-tools/events.ts'
import { formCases } from './builtin-tools/forms.ts'
import { invoiceCases } from './builtin-tools/invoices.ts'
import { lookupCases } from './builtin-tools/lookups.ts'
import { mediaCases } from './builtin-tools/media.ts'
import { productCases } from './builtin-tools/products.ts'
import { recordCases } from './builtin-tools/records.ts'
import { openScene, type ToolCase, type ToolPlace } from './builtin-tools/scene.ts'
import { visualCases } from './builtin-tools/visuals.ts'

/** One entry per tool that comes with the gateway. */
const cases: readonly ToolCase[] = [
  ...crmCases,
  ...bookingCases,
  ...invoiceCases,
  ...formCases,
  ...productCases,
  ...dataCases,
  ...lookupCases,
  ...recordCases,
  ...visualCases,
  ...effectCases,
  ...eventCases,
  ...mediaCases,
]

let place: ToolPlace
beforeAll(async () => {
  const [calCom, providers] = await Promise.all([FakeCalCom.open(), openFakeProviders()])
  const env = { ...providers.env, CALCOM_BASE_URL: calCom.url }
  place = { ...(await openChatPlace({}, env)), calCom, providers }
  // Whatever a tool answered, the agent goes on.
  place.model.on(/./, { say: 'Done.' })
})
afterAll(async () => {
  await place[Symbol.asyncDispose]()
  await place.calCom[Symbol.asyncDispose]()
  await place.providers[Symbol.asyncDispose]()
})

describe.each(cases)('$tool', (each) => {
  test(`[${each.id}] ${each.says}`, async () => {
    await each.run(await openScene(place, each))
  })
})

/** The twelve of the inventory. */
const wanted = [
  ...['crm', 'bookings', 'invoices', 'products', 'forms', 'payments'],
  ...['workflows', 'sequences', 'media', 'email', 'events', 'data'],
]

test('[S000-21] every tool that comes with the gateway has a schema, a category, a price or none, and a case here', async () => {
  const shop = await place.shop()
  const all = (await place.gateway.app.slices.tools.of(shop.tenantId).all()).filter((tool) => !tool.own)
  for (const tool of all) {
    expect(tool.parameters, tool.name).toMatchObject({ type: 'object' })
    expect(toolCategories).toContain(tool.category)
    expect(tool.description.length, tool.name).toBeGreaterThan(10)
    expect(typeof tool.readOnly).toBe('boolean')
    expect(tool.creditCostMicro === null || tool.creditCostMicro >= 0, tool.name).toBe(true)
  }
  expect(all.length).toBeGreaterThanOrEqual(50)
  expect(wanted.filter((category) => all.every((tool) => tool.category !== category))).toEqual([])
  const tested = new Set(cases.map((each) => each.tool))
  expect(all.map((tool) => tool.name).filter((name) => !tested.has(name))).toEqual([])
})
