import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser } from '../harness/browser.ts'
import { type ConsolePage, consolePage } from '../harness/console-page.ts'
import { signIn } from '../harness/sign-in.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

let gateway: TestGateway
let browser: Browser
let owner: ConsolePage
beforeAll(async () => {
  gateway = await startGateway()
  browser = await openBrowser()
  owner = await consolePage(gateway, browser)
})
afterAll(async () => {
  await owner[Symbol.asyncDispose]()
  await browser.close()
  await gateway[Symbol.asyncDispose]()
})

test('an owner invites somebody by a link that is shown once; who opens it is in the team with that role', async () => {
  const { page } = owner
  await owner.open('team')
  await page.getByRole('button', { name: 'Invite' }).click()
  await page.getByLabel('E-mail').fill('ada@example.com')
  await page.getByRole('button', { name: 'Make a link' }).click()
  const link = (await page.locator('[data-secret]').textContent()) ?? ''
  expect(link).toContain('#invitation=')
  await page.getByRole('button', { name: 'I have passed it on' }).click()
  await page.locator('[data-invitation]', { hasText: 'ada@example.com' }).getByText('Open').waitFor()
  expect(await page.content()).not.toContain(link)

  const other = await (await browser.newContext()).newPage()
  await other.goto(link.replace(/^https?:\/\/[^/]+/, gateway.url))
  await other.getByLabel('Your name').fill('Ada Lovelace')
  await other.getByLabel('Password').fill('plum-tin-harbour-9')
  await other.getByRole('button', { name: 'Join the team' }).click()
  await other.waitForSelector('.shell')
  await other.context().clearCookies()
  await other.goto(`${gateway.url}/console/sign-in`)
  await other.getByLabel('E-mail').fill('ada@example.com')
  await other.getByLabel('Password').fill('plum-tin-harbour-9')
  await other.getByRole('button', { name: 'Sign in' }).click()
  await other.waitForSelector('.shell')
  await other.context().close()

  await owner.open('team')
  await page.locator('.person[data-member]', { hasText: 'Ada Lovelace' }).getByText('Operator').waitFor()
  await page.locator('[data-invitation]', { hasText: 'ada@example.com' }).getByText('Accepted').waitFor()
})

test('roles are changed and members removed, and the API shows it', async () => {
  const { page } = owner
  const api = await signIn(gateway)
  await owner.open('team')
  const row = page.locator('.person[data-member]', { hasText: 'Ada Lovelace' })
  await row.getByRole('button', { name: 'Change roles' }).click()
  await page.getByLabel('Operator').uncheck()
  await page.getByLabel('Client').check()
  await page.getByRole('dialog').getByRole('button', { name: 'Change roles' }).click()
  await row.getByText('Client').waitFor()
  const { body } = await api.call('GET', '/v1/team')
  expect(body).toMatchObject({ items: expect.arrayContaining([expect.objectContaining({ roles: ['client'] })]) })
  await row.getByRole('button', { name: 'Remove' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click()
  await row.waitFor({ state: 'detached' })
  expect(JSON.stringify((await api.call('GET', '/v1/team')).body)).not.toContain('Ada Lovelace')
})

test('the team is readable for everybody, in the light and in the dark', async () => {
  await owner.open('team')
  await owner.page.locator('.person').first().waitFor()
  expect(await owner.check()).toEqual([])
  expect(owner.errors).toEqual([])
})
