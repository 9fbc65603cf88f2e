// What an operator sees and does with tools: the registry, one tool, and what an agent's form says of them.

import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import type { AgentDetail } from '../../gateway/protocol/agents.ts'
import type { ToolView } from '../../gateway/protocol/tools.ts'
import { openBrowser } from '../harness/browser.ts'
import { type ConsolePage, consolePage } from '../harness/console-page.ts'
import { type SignedIn, signIn } from '../harness/sign-in.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

let gateway: TestGateway
let browser: Browser
let owner: ConsolePage
let api: SignedIn
let page: Page
beforeAll(async () => {
  gateway = await startGateway()
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
})

const named = z.object({ items: z.array(z.object({ name: z.string() })) })

async function registry(): Promise<readonly ToolView[]> {
  const { body } = await api.call('GET', '/v1/tools')
  expect(named.safeParse(body).success).toBe(true)
  // The gateway checks its answers against their schemas in tests.
  return (body as { items: ToolView[] }).items
}

async function draftOf(slug: string): Promise<AgentDetail['draft']> {
  return ((await api.call('GET', `/v1/agents/by-slug/${slug}`)).body as AgentDetail).draft
}

test('[S000-21] every tool of the registry is listed with category, effect and cost, found by words and by filter', async () => {
  const tools = await registry()
  await owner.open('tools')
  const all = page.getByRole('group', { name: 'Comes from' }).getByRole('button', { name: 'All' })
  await expect.poll(() => all.textContent()).toBe(`All ${tools.length}`)
  const first = tools[0]
  if (first === undefined) throw new Error('no tools')
  await page.getByLabel('Find a tool').fill(first.name)
  await page
    .locator(`[data-tool="${first.name}"]`)
    .getByText(first.readOnly ? 'Looks up' : 'Changes')
    .waitFor()
  await page.getByLabel('Find a tool').fill('')
  await page.getByRole('group', { name: 'Effect' }).getByRole('button', { name: 'Looks up' }).click()
  expect(page.url()).toContain('effect=reads')
  await expect.poll(() => all.textContent()).toBe(`All ${tools.filter((each) => each.readOnly).length}`)
  await page.getByLabel('Find a tool').fill('no such tool at all')
  await page.getByRole('heading', { name: 'No such tool' }).waitFor()
  await page.getByRole('button', { name: 'Show all' }).click()
  await page.locator('[data-tool]').first().waitFor()
  expect(await owner.check()).toEqual([])
})

test('one tool says what the model is told, what it takes, and what happens when an agent calls it', async () => {
  const name = (await draftOf('productco')).enabledTools[0] ?? ''
  const tool = (await registry()).find((each) => each.name === name)
  await owner.open(`tools/${name}`)
  await page
    .getByRole('region', { name: 'What the model is told' })
    .getByText(tool?.description ?? '')
    .waitFor()
  for (const argument of Object.keys(Object(tool?.parameters.properties)))
    await page.getByRole('rowheader', { name: argument }).waitFor()
  const agents = page.getByRole('region', { name: 'Agents' })
  await agents.getByRole('link', { name: 'ProductCo Agent' }).waitFor()
  await agents.getByText('Runs at once').waitFor()
  expect(await owner.check()).toEqual([])
  await owner.open('tools/no_such_tool')
  await page.getByRole('heading', { name: 'There is no such tool' }).waitFor()
})

test('[S001-21] an agent’s form picks tools from the registry, says what a call does, and with whose rights', async () => {
  const before = await draftOf('productco')
  const { body } = await api.call('GET', '/v1/agents/by-slug/productco')
  await owner.open(`agents/${(body as AgentDetail).id}`)
  const fresh = (await registry()).find((tool) => !before.enabledTools.includes(tool.name) && tool.readOnly)
  if (fresh === undefined) throw new Error('no other tool')
  await page.getByRole('button', { name: /^Choose from \d+ tools$/ }).click()
  const picker = page.getByRole('dialog')
  await picker.getByLabel('Find a tool').fill(fresh.name)
  await picker.getByRole('checkbox', { name: new RegExp(`^${fresh.name}\\b`) }).check()
  expect(await owner.check()).toEqual([])
  await picker.getByRole('button', { name: 'Done' }).click()
  const line = page.locator(`[data-agent-tool="${fresh.name}"]`)
  await line.getByText('Runs at once').waitFor()
  await page.locator('#requireApprovalFor').fill(fresh.name)
  await page.locator('#requireApprovalFor').press('Enter')
  await line.getByText('Asks first').waitFor()
  await line.getByRole('button', { name: /^Permission of / }).click()
  const form = page.getByRole('dialog')
  await form.getByRole('radio', { name: 'Whoever talks to it' }).check()
  await form.getByLabel('Fields it never tells').fill('phone')
  await form.getByLabel('Fields it never tells').press('Enter')
  expect(await owner.check()).toEqual([])
  await form.getByRole('button', { name: 'Done' }).click()
  await line.getByText('whoever talks to it · without phone').waitFor()
  await page.getByRole('button', { name: 'Save draft' }).click()
  await page.getByRole('button', { name: 'Saved' }).waitFor()
  expect(await draftOf('productco')).toEqual({
    ...before,
    enabledTools: [...before.enabledTools, fresh.name],
    requireApprovalFor: [...before.requireApprovalFor, fresh.name],
    toolPermissions: [
      { tool: fresh.name, roles: [], identity: 'inherit', role: null, actions: null, deniedFields: ['phone'] },
    ],
  })
  expect(await owner.check()).toEqual([])
})

test('who may only read is offered nothing to make, to change or to delete', async () => {
  const client = await signIn(gateway, 'client')
  const person = await consolePage(gateway, browser, client.operatorId)
  await person.open('tools')
  await person.page.locator('[data-tool]').first().waitFor()
  expect(await person.page.getByRole('link', { name: 'New HTTP tool' }).count()).toBe(0)
  expect(person.errors).toEqual([])
  await person[Symbol.asyncDispose]()
})
