// What waits for a person, decided in a real browser: by keys and by buttons, unchanged and changed, taken back in time.

import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import type { ApprovalView } from '../../gateway/protocol/approvals.ts'
import { openBrowser } from '../harness/browser.ts'
import { type ConsolePage, consolePage } from '../harness/console-page.ts'
import { type ScriptedCascade, startScriptedCascade } from '../harness/scripted-cascade.ts'
import { type SignedIn, signIn } from '../harness/sign-in.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

let model: ScriptedCascade
let gateway: TestGateway
let browser: Browser
let owner: ConsolePage
let api: SignedIn
let page: Page
let agentId: string
beforeAll(async () => {
  model = await startScriptedCascade()
  gateway = await startGateway({ TEXT_MODELS: 'local:m', CASCADE_SERVERS: `local=${model.baseUrl}` })
  const { tenants, agents } = gateway.app.slices
  const tenant = await tenants.bySlug('productco')
  if (tenant === undefined) throw new Error('no tenant')
  const config = { enabledTools: ['search_products'], autonomyLevel: 'supervised' as const }
  const agent = await agents.of(tenant.id).create({ slug: 'careful', name: 'Careful', config })
  await agents.of(tenant.id).publish(agent.id)
  agentId = agent.id
  browser = await openBrowser()
  owner = await consolePage(gateway, browser)
  page = owner.page
  page.setDefaultTimeout(15_000)
  api = await signIn(gateway)
})
afterAll(async () => {
  await owner[Symbol.asyncDispose]()
  await browser.close()
  await gateway[Symbol.asyncDispose]()
  await model.stop()
})

/** A contact asks; the agent wants to look, and says so. The id of the request that waits. */
async function asked(query: string): Promise<string> {
  const before = new Set((await all()).map((each) => each.id))
  model.on(/./, { say: 'A colleague looks into it.' })
  model.on(new RegExp(`^Find ${query}$`), {
    calls: [{ name: 'search_products', arguments: JSON.stringify({ query }) }],
  })
  const { status, body } = await gateway.post(
    '/v1/chat',
    { agentId, message: `Find ${query}` },
    { authorization: `Bearer ${gateway.apiKey}` },
  )
  expect(status, JSON.stringify(body)).toBe(200)
  const fresh = (await all()).find((each) => !before.has(each.id))
  if (fresh === undefined) throw new Error('nobody is asked')
  return fresh.id
}

async function all(): Promise<readonly ApprovalView[]> {
  const { body } = await api.call('GET', '/v1/approvals')
  // The gateway checks its answers against their schemas in tests.
  return (body as { items: ApprovalView[] }).items
}

async function one(id: string): Promise<ApprovalView> {
  return (await api.call('GET', `/v1/approvals/${id}`)).body as ApprovalView
}

const row = (id: string) => page.locator(`[data-approval="${id}"]`)
const shown = () => page.getByRole('article', { name: 'Request' })
const waiting = () => page.getByRole('navigation', { name: 'Console' }).locator('.nav-count')

test('nothing waits, and the screen says when something will; a request comes in by itself, counted in the navigation', async () => {
  await owner.open('approvals')
  await page.getByRole('heading', { name: 'Nothing waits for you' }).waitFor()
  expect(await owner.check()).toEqual([])
  const id = await asked('red sofas')
  await row(id).waitFor()
  await expect.poll(() => waiting().textContent()).toBe('1 waiting')
  // Who, what, why and for how long.
  await shown().getByRole('heading', { name: 'Careful wants to use search_products' }).waitFor()
  await shown().getByText('Find red sofas').waitFor()
  await shown().getByText('red sofas', { exact: true }).waitFor()
  await shown()
    .getByText(/^23 h 59 min$|^24 h 0 min$/)
    .waitFor()
  expect(await page.title()).toContain('(1) Approvals')
  expect(await owner.check()).toEqual([])
})

test('[S000-15] approved by key: the countdown runs, then the tool; the outcome is told in plain words', async () => {
  const [first] = await all()
  const id = first?.id ?? ''
  await page.keyboard.press('a')
  await page
    .locator(`[data-undo="${id}"]`)
    .getByText(/^Runs in [1-5] s\.$/)
    .waitFor()
  expect((await one(id)).state).toBe('approved')
  await expect.poll(async () => (await one(id)).state, { timeout: 15_000 }).toBe('done')
  await page.getByRole('button', { name: 'Decided' }).click()
  await row(id).getByText('Done').waitFor()
  await row(id).click()
  await shown().getByText('The tool ran.').waitFor()
  await shown().getByText('Decided by', { exact: false }).waitFor()
  expect(await owner.check()).toEqual([])
})

test('taken back by key within the countdown: nothing ran, and it waits again', async () => {
  const id = await asked('blue chairs')
  await owner.open('approvals')
  await row(id).waitFor()
  await shown().getByRole('button', { name: 'Approve' }).waitFor()
  await page.keyboard.press('a')
  await page.locator(`[data-undo="${id}"]`).waitFor()
  await page.keyboard.press('u')
  await page.locator(`[data-undo="${id}"]`).waitFor({ state: 'detached' })
  await row(id).waitFor()
  expect(await one(id)).toMatchObject({ state: 'pending', effectAt: null, result: null })
})

test('[S000-15] edited: the form is made of the tool’s schema, the difference is in sight, and that is what runs', async () => {
  const [first] = await all()
  const id = first?.id ?? ''
  await page.keyboard.press('e')
  const form = page.getByRole('form', { name: 'Edit the arguments' })
  await form.locator('#argument-query').fill('green chairs')
  const changes = form.getByRole('list', { name: 'Your changes' })
  await changes.locator('del').getByText('blue chairs').waitFor()
  await changes.locator('ins').getByText('green chairs').waitFor()
  expect(await owner.check()).toEqual([])
  await form.getByRole('button', { name: 'JSON' }).click()
  await form.locator('#argument-json').fill('{ "query": ')
  await form.getByRole('button', { name: 'Approve with changes' }).click()
  await form.getByText('This is no JSON', { exact: false }).waitFor()
  expect((await one(id)).state).toBe('pending')
  await form.locator('#argument-json').fill('{ "query": "green chairs", "maxPrice": 500 }')
  await form.getByLabel('Note (optional)').fill('They meant green')
  await form.getByRole('button', { name: 'Approve with changes' }).click()
  await page.locator(`[data-undo="${id}"]`).waitFor()
  expect(await one(id)).toMatchObject({
    arguments: { query: 'blue chairs' },
    editedArguments: { query: 'green chairs', maxPrice: 500 },
    note: 'They meant green',
  })
  await expect.poll(async () => (await one(id)).state, { timeout: 15_000 }).toBe('done')
  await owner.open(`approvals?show=decided&approval=${id}`)
  await shown().getByText('Changed before it was approved').waitFor()
  await shown().getByRole('region', { name: 'Outcome' }).getByText('Note: They meant green').waitFor()
})

test('[S000-15] rejected with a reason by key; j and k walk the queue', async () => {
  const older = await asked('lamps')
  const newer = await asked('tables')
  await owner.open('approvals')
  await row(newer).waitFor()
  await shown().getByText('lamps', { exact: true }).waitFor()
  await page.keyboard.press('j')
  await shown().getByText('tables', { exact: true }).waitFor()
  expect(page.url()).toContain(newer)
  await page.keyboard.press('k')
  await shown().getByText('lamps', { exact: true }).waitFor()
  await page.keyboard.press('r')
  const question = page.getByRole('alertdialog')
  expect(await question.getByRole('button', { name: 'Reject' }).isDisabled()).toBe(true)
  await question.getByLabel('Reason').fill('We sell no lamps')
  await question.getByRole('button', { name: 'Reject' }).click()
  await shown().getByText('tables', { exact: true }).waitFor()
  expect(await one(older)).toMatchObject({ state: 'rejected', reason: 'We sell no lamps', result: null })
  await page.getByRole('button', { name: 'Decided' }).click()
  await page.getByLabel('Outcome').selectOption('rejected')
  await row(older).click()
  await shown().getByText('We sell no lamps').waitFor()
  await shown().getByText('The tool did not run.', { exact: false }).waitFor()
})

test('a decision that somebody else made first is told, and the queue shows it', async () => {
  const [first] = (await all()).filter((each) => each.state === 'pending')
  const id = first?.id ?? ''
  await owner.open(`approvals?approval=${id}`)
  await shown().getByRole('button', { name: 'Approve' }).waitFor()
  // The page hears nothing of it: as when both press at the same moment.
  await page.route('**/v1/approvals/**', async (route) => {
    if (route.request().method() === 'POST')
      await api.call('POST', `/v1/approvals/${id}/reject`, { body: { reason: 'Faster' } })
    await route.continue()
  })
  await shown().getByRole('button', { name: 'Approve' }).click()
  await page.getByText('Somebody else decided first', { exact: false }).waitFor()
  await page.unroute('**/v1/approvals/**')
  expect((await one(id)).state).toBe('rejected')
  await row(id).waitFor({ state: 'detached' })
})

test('the agents’ tab has the same queue, by agent', async () => {
  const id = await asked('beds')
  await owner.open('agents/approvals')
  await row(id).waitFor()
  await page.getByLabel('Agent', { exact: true }).selectOption({ label: 'ProductCo Agent' })
  await page.getByRole('heading', { name: 'Nothing waits for you' }).waitFor()
  await page.getByLabel('Agent', { exact: true }).selectOption({ label: 'Careful' })
  await row(id).waitFor()
  expect(await owner.check()).toEqual([])
})

test('who may look and not decide is told so, and finds no buttons', async () => {
  const roles = z.object({ id: z.string() })
  const policy = await api.call('POST', '/v1/policies', {
    body: { resource: 'approvals', action: 'read', effect: 'allow', priority: 0 },
  })
  const policyIds = [roles.parse(policy.body).id]
  expect((await api.call('POST', '/v1/roles', { body: { name: 'onlooker', policyIds } })).status).toBe(201)
  const onlooker = await signIn(gateway, 'onlooker')
  const person = await consolePage(gateway, browser, onlooker.operatorId)
  await person.open('approvals')
  await person.page.getByText('Your role may look at requests, not decide on them.').waitFor()
  expect(await person.page.getByRole('button', { name: 'Approve' }).count()).toBe(0)
  await person[Symbol.asyncDispose]()
})

test('on a phone the list comes first, then the request with its buttons in reach', async () => {
  const [first] = (await all()).filter((each) => each.state === 'pending')
  const id = first?.id ?? ''
  await page.setViewportSize({ width: 390, height: 844 })
  await owner.open('approvals')
  await row(id).click()
  await shown().getByRole('button', { name: 'Approve' }).waitFor()
  const box = await shown().getByRole('button', { name: 'Approve' }).boundingBox()
  expect((box?.y ?? 1_000) + (box?.height ?? 0)).toBeLessThan(844)
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390)
  expect(await owner.check()).toEqual([])
  await page.getByRole('button', { name: 'All requests' }).click()
  await row(id).waitFor()
  await page.setViewportSize({ width: 1440, height: 900 })
})
