import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { violations } from '../harness/axe.ts'
import { openBrowser } from '../harness/browser.ts'
import { connect } from '../harness/client.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

let gateway: TestGateway
let browser: Browser
let page: Page
const errors: string[] = []
beforeAll(async () => {
  gateway = await startGateway()
  browser = await openBrowser()
  page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage()
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
})
afterAll(async () => {
  await browser.close()
  await gateway[Symbol.asyncDispose]()
})

test('an operator signs in once with the printed link, and the link is spent', async () => {
  const link = gateway.started.signInUrl.replace(/^http:\/\/[^/]+/, gateway.url)
  await page.goto(link)
  await page.waitForSelector('.shell')
  await page.goto(`${gateway.url}/console/?tenant=productco`)
  await page.getByText('No one is talking').waitFor()
  const other = await (await browser.newContext()).newPage()
  await other.goto(link)
  await other.getByText('This link did not work').waitFor()
  await other.context().close()
})

test('an operator watches a session live as it is spoken, ends it, and reads its receipt', async () => {
  await page.goto(`${gateway.url}/console/?tenant=productco`)
  await page.waitForSelector('.live-pill[data-state=live]')
  const visitor = await connect(gateway.wsUrl, {
    token: await gateway.visitorToken(),
    parley: true,
    origin: gateway.url,
  })
  const sessionId = String((await visitor.event('parley.session')).session_id)
  await page.locator(`.row[data-session="${sessionId}"]`).waitFor()
  await page.locator(`.row[data-session="${sessionId}"]`).click()
  visitor.ask('Do you have a red sofa under 500?')
  await page.locator('.turn[data-role=user]', { hasText: 'red sofa' }).waitFor()
  await page.locator('.turn[data-role=agent]', { hasText: 'Alba' }).waitFor()
  await page.locator('details.tool').waitFor()
  await page.locator('.turn[data-role=agent] .waited summary').first().click()
  await page.locator('.waited li', { hasText: 'model' }).first().waitFor()
  expect(await violations(page.mainFrame())).toEqual([])
  await page.keyboard.press('x')
  await page.locator('#confirm-reason').fill('Shown to an operator')
  await page.locator('[role=alertdialog] button[type=submit]').click()
  expect(await visitor.ended()).toMatchObject({ code: 4409 })
  await page.getByText('Lines sum to the total').waitFor()
}, 60_000)

test('credits, keys and history show what the ledger has', async () => {
  await page.goto(`${gateway.url}/console/credits?tenant=productco`)
  await page.locator('tr[data-entry^="settle:"]').first().waitFor()
  await page.goto(`${gateway.url}/console/history?tenant=productco`)
  await page.locator('.row[data-session]').first().waitFor()
  await page.goto(`${gateway.url}/console/keys?tenant=productco`)
  await page.locator('[data-key-id]').first().waitFor()
})

test('a state-changing call from another page, or without the CSRF token, changes nothing', async () => {
  const cookies = await page.context().cookies()
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
  expect(cookies[0]).toMatchObject({ httpOnly: true, sameSite: 'Strict' })
  const reply = await gateway.post('/v1/tenant/status?tenant=productco', { status: 'suspended' }, { cookie })
  expect(reply).toMatchObject({ status: 403 })
})

test('the console raised no error and broke no content policy', () => {
  expect(errors.filter((text) => !text.includes('401') && !text.includes('409'))).toEqual([])
})
