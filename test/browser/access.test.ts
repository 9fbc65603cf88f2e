import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
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

test('a role is made and given abilities, a denial, rules for rows and masks for fields, and the API has them', async () => {
  await owner.open('team/roles')
  await page.getByRole('button', { name: 'New role' }).click()
  await page.locator('#role-name').fill('front-desk')
  await page.getByRole('button', { name: 'Create role' }).click()
  const role = page.locator('[data-role="front-desk"]')
  await role.getByLabel('Conversations: read').check()
  await role.getByLabel('Contacts: read').check()
  await role.getByLabel('Contacts: read').uncheck()
  await role.getByRole('button', { name: 'Add a policy' }).click()
  await page.getByRole('radio', { name: 'Deny' }).check()
  await page.locator('#policy-resource').selectOption('credits')
  await page.locator('#policy-priority').fill('10')
  await page.getByRole('button', { name: 'Add policy' }).click()
  await role.locator('.policy', { hasText: 'Credits: everything' }).waitFor()
  await role.getByRole('button', { name: 'Add a rule' }).click()
  await role.locator('#rule-0-resource').selectOption('contacts')
  await role.locator('#rule-0-0-field').fill('data.ownerId')
  await role.locator('#rule-0-0-values').fill('actor.id')
  await role.locator('#rule-0-0-values').press('Enter')
  await role.getByRole('button', { name: 'Add a field' }).click()
  await role.locator('#mask-0-resource').selectOption('contacts')
  await role.locator('#mask-0-field').fill('phone')
  await role.getByRole('button', { name: 'Save rows and fields' }).click()
  await role.getByRole('button', { name: 'Save rows and fields' }).and(page.locator(':disabled')).waitFor()
  const { body } = await api.call('GET', '/v1/roles/by-name/front-desk')
  expect(body).toMatchObject({
    abilities: ['conversations.read'],
    rules: [
      { resource: 'contacts', conditions: [{ is: 'field', field: 'data.ownerId', op: 'eq', values: ['actor.id'] }] },
    ],
    masks: [{ resource: 'contacts', field: 'phone', how: 'hide' }],
  })
  expect(await owner.check()).toEqual([])
})

test('a key with chosen scopes for one agent and a last day is shown once, may do no more, and is renamed', async () => {
  await owner.open('keys')
  await page.getByRole('button', { name: 'New API key' }).click()
  await page.getByLabel('Label').fill('Reporting')
  await page.getByRole('radio', { name: 'Chosen' }).check()
  await page.getByLabel('sessions.read').check()
  await page.getByLabel('ProductCo Agent').check()
  await page.getByLabel('Works until').fill('2099-12-31')
  await page.getByRole('dialog').getByRole('button', { name: 'Create' }).click()
  const secret = (await page.locator('[data-secret]').textContent()) ?? ''
  await page.getByRole('button', { name: 'I have stored it' }).click()
  const row = page.locator('[data-key-id]', { hasText: 'Reporting' })
  await row.getByText('1 scopes').or(row.getByText('1 scope')).first().waitFor()
  expect(await page.content()).not.toContain(secret)
  const headers = { authorization: `Bearer ${secret}` }
  expect((await fetch(`${gateway.url}/v1/sessions`, { headers })).status).toBe(200)
  expect((await fetch(`${gateway.url}/v1/credits`, { headers })).status).toBe(403)
  await row.getByRole('button', { name: 'Edit Reporting' }).click()
  await page.getByLabel('Label').fill('Reports')
  await page.getByLabel('usage.read').check()
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  const keys = (await api.call('GET', '/v1/api-keys')).body
  expect(keys).toMatchObject({
    items: expect.arrayContaining([
      expect.objectContaining({
        ...{ label: 'Reports', role: null, expiresAt: '2099-12-31T23:59:59.999Z' },
        scopes: expect.arrayContaining(['sessions.read', 'usage.read']),
      }),
    ]),
  })
  expect(await owner.check()).toEqual([])
})

test('the audit log shows who made the key and the role, narrows to one ability, and is exported as it is filtered', async () => {
  await owner.open('audit')
  await page.locator('[data-ability="roles.write"]').first().waitFor()
  await page.getByLabel('What').selectOption('keys.write')
  await expect.poll(() => page.locator('[data-ability="roles.write"]').count()).toBe(0)
  await page.locator('[data-ability="keys.write"]').first().click()
  await page.getByRole('dialog').getByText('/v1/api-keys').waitFor()
  await page.keyboard.press('Escape')
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Export JSONL' }).click(),
  ])
  const chunks: Buffer[] = []
  for await (const chunk of await download.createReadStream()) chunks.push(Buffer.from(chunk))
  const lines = Buffer.concat(chunks)
    .toString()
    .trim()
    .split('\n')
    .map((line): { ability: string } => JSON.parse(line))
  expect(lines.length).toBeGreaterThanOrEqual(2)
  expect(new Set(lines.map((line) => line.ability))).toEqual(new Set(['keys.write']))
  expect(await owner.check()).toEqual([])
  expect(owner.errors).toEqual([])
})
