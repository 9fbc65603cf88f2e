import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { violations } from '../harness/axe.ts'
import { openBrowser } from '../harness/browser.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

const document = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) })

let gateway: TestGateway
let browser: Browser
let page: Page
let operations: string[]
/** What the browser complained about, refusals by the content policy among it. */
const errors: string[] = []
const asked: string[] = []
beforeAll(async () => {
  gateway = await startGateway()
  browser = await openBrowser()
  page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage()
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
  page.on('request', (request) => asked.push(new URL(request.url()).origin))
  const { paths } = document.parse((await gateway.get('/v1/openapi.json')).body)
  operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()}-${path}`),
  )
  await open('')
})
afterAll(async () => {
  await browser.close()
  await gateway[Symbol.asyncDispose]()
})

async function open(hash: string): Promise<void> {
  await page.goto('about:blank')
  await page.goto(`${gateway.url}/docs${hash}`)
  await page.locator('.operation').first().waitFor()
}

const shown = (): Promise<string[]> => page.locator('.operation').evaluateAll((all) => all.map(({ id }) => id))
const row = (id: string) => page.locator(`[id="${id}"]`)
const heading = (id: string) => row(id).locator('h3 button')
const overflow = (): Promise<number> => page.evaluate('document.documentElement.scrollWidth - innerWidth')

test('the page lists every operation of the document, once', async () => {
  await open('')
  expect(operations.length).toBeGreaterThan(150)
  expect((await shown()).toSorted()).toEqual(operations.toSorted())
})

test('the filter leaves the operations that have every word, says how many, and Escape shows all again', async () => {
  await open('')
  await page.keyboard.press('/')
  await page.keyboard.type('post  AGENTS.deploy')
  await page.getByText(/^\d+ of \d+ operations$/).waitFor()
  const left = await shown()
  expect(left).toContain('POST-/v1/agents/{id}/deploy')
  expect(left.every((id) => id.startsWith('POST-/v1/agents'))).toBe(true)
  expect(await page.getByText(/^\d+ of \d+ operations$/).textContent()).toBe(
    `${left.length} of ${operations.length} operations`,
  )
  await page.locator('.filter input').fill('no such words anywhere')
  await page.getByText('Nothing has all of these words in it.').waitFor()
  await page.keyboard.press('Escape')
  await page.getByText(`${operations.length} operations`, { exact: true }).waitFor()
})

test('a link to an operation opens it, in sight and focused; what is opened by hand is in the address', async () => {
  await open('#GET-/v1/agents/{id}')
  const about = row('GET-/v1/agents/{id}').locator('.about')
  await about.waitFor()
  const focused = page.locator('[id="GET-/v1/agents/{id}"] h3 button:focus')
  await focused.waitFor()
  const box = await focused.boundingBox()
  expect(box?.y).toBeGreaterThan(0)
  expect(box?.y).toBeLessThan(400)
  await heading('POST-/v1/agents').press('Enter')
  expect(await page.evaluate('location.hash')).toBe('#POST-/v1/agents')
  await row('POST-/v1/agents').locator('.about').waitFor()
  await heading('POST-/v1/agents').press('Enter')
  expect(await row('POST-/v1/agents').locator('.about').count()).toBe(0)
})

test('an operation shows who may ask, its parameters, its body, its answer, its refusals and examples', async () => {
  await open('#POST-/v1/agents')
  const about = row('POST-/v1/agents').locator('.about')
  await about.locator('code', { hasText: 'agents.write' }).waitFor()
  await about.getByText('An API key, or a signed-in person with the CSRF header.').waitFor()
  await about.locator('.reply', { hasText: '201' }).locator('.type', { hasText: 'Agent' }).first().waitFor()
  await about.locator('.values code', { hasText: 'customer_support' }).first().waitFor()
  await about.locator('.statuses li', { hasText: '413' }).getByText('too_large').waitFor()
  const curl = await about.locator('.examples pre').textContent()
  expect(curl).toContain(`curl -X POST '${gateway.url}/v1/agents'`)
  expect(curl).toContain("-H 'authorization: Bearer af_live_YOUR_KEY'")
  await about.getByRole('radio', { name: 'fetch', exact: true }).check()
  expect(await about.locator('.examples pre').textContent()).toContain(`await fetch('${gateway.url}/v1/agents'`)
  await about.getByText('Body of a refusal').click()
  await about.locator('.body summary', { hasText: 'error' }).first().click()
  await about.locator('.body .name', { hasText: 'retryAfterMs' }).waitFor()
})

test('operations that stream, and WebSockets, are marked and have examples of their own', async () => {
  await open('#POST-/v1/chat')
  await heading('POST-/v1/chat').getByText('streams').waitFor()
  const chat = row('POST-/v1/chat').locator('.examples')
  await chat.getByRole('radio', { name: 'curl, streamed' }).check()
  expect(await chat.locator('pre').textContent()).toMatch(/curl -N .*accept: text\/event-stream.*"stream": true/s)
  await heading('GET-/v1/realtime').click()
  expect(await row('GET-/v1/realtime').locator('pre').textContent()).toContain("new WebSocket('ws://")
})

test('the three ways to authenticate are told, and the raw document is a link', async () => {
  await open('')
  expect(await page.locator('.ways h3').allTextContents()).toEqual([
    ...['API key', 'Visitor’s token', 'Operator’s session'],
  ])
  const linked = await page
    .locator('.ways a[href^="#"]')
    .evaluateAll((all) => all.map((each) => each.getAttribute('href')))
  expect(linked.filter((href) => !operations.includes(String(href).slice(1)))).toEqual([])
  expect(await page.getByRole('link', { name: 'openapi.json' }).getAttribute('href')).toBe('/v1/openapi.json')
})

test('the page has no violation of WCAG A and AA in either theme, with operations open', async () => {
  await open('#POST-/v1/agents')
  await heading('POST-/v1/chat').click()
  await page.getByText('All codes').click()
  await row('POST-/v1/agents').locator('details').first().locator('summary').first().click()
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
    expect(await violations(page.mainFrame()), scheme).toEqual([])
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'no-preference' })
})

test('at 390 px nothing is wider than the page, whatever operation is open', async () => {
  await page.setViewportSize({ width: 390, height: 844 })
  await open('')
  expect(await overflow()).toBeLessThanOrEqual(0)
  await page.getByText('All codes').click()
  await page.evaluate('for (const each of document.querySelectorAll(".operation h3 button")) each.click()')
  expect(await page.locator('.about').count()).toBe(operations.length)
  await page.evaluate('for (const each of document.querySelectorAll(".about details")) each.open = true')
  expect(await overflow()).toBeLessThanOrEqual(0)
  await page.setViewportSize({ width: 1440, height: 900 })
})

test('the page asks nobody but its own gateway, under a policy that it never breaks', async () => {
  const policy = String((await fetch(`${gateway.url}/docs`)).headers.get('content-security-policy'))
  expect(policy).toContain("default-src 'none'")
  expect(policy).not.toContain('unsafe')
  await open('#GET-/v1/agents')
  expect(errors).toEqual([])
  expect([...new Set(asked)].filter((origin) => origin !== 'null')).toEqual([gateway.url])
})
