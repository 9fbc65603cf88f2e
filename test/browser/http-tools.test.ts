// A tool over HTTP, written in the console, tried against a real service on loopback, saved, changed and deleted.

import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ToolView } from '../../gateway/protocol/tools.ts'
import { openBrowser } from '../harness/browser.ts'
import { type ConsolePage, consolePage } from '../harness/console-page.ts'
import { type SignedIn, signIn } from '../harness/sign-in.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

const key = 'sk-shop-4711-secret'
let service: Server
let base: string
const seen: { readonly line: string; readonly headers: IncomingMessage['headers']; readonly body: string }[] = []

let gateway: TestGateway
let browser: Browser
let owner: ConsolePage
let api: SignedIn
let page: Page
beforeAll(async () => {
  service = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString()
    seen.push({ line: `${request.method} ${request.url}`, headers: request.headers, body })
    const known = request.headers.authorization === `Bearer ${key}`
    response.writeHead(known ? 200 : 401, { 'content-type': 'application/json' })
    // As careless services do, it echoes the credentials.
    const lines = [{ text: 'Alba', cents: 49_900, internal: 1 }]
    response.end(JSON.stringify(known ? { state: 'shipped', lines, echo: key } : { error: 'who are you?' }))
  })
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
  const address = service.address()
  base = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  gateway = await startGateway({ PARLEY_FETCH_ALLOW: '127.0.0.1' })
  browser = await openBrowser()
  owner = await consolePage(gateway, browser)
  page = owner.page
  page.setDefaultTimeout(15_000)
  api = await signIn(gateway)
  expect((await api.call('PUT', '/v1/secrets/shop_key', { body: { value: key } })).status).toBe(200)
})
afterAll(async () => {
  await owner[Symbol.asyncDispose]()
  await browser.close()
  await gateway[Symbol.asyncDispose]()
  service.closeAllConnections()
  service.close()
})

const control = (id: string) => page.locator(`#${id}`)
const part = (name: string) => page.getByRole('region', { name, exact: true })

async function run(): Promise<void> {
  await page.getByRole('form', { name: 'Try the tool' }).getByRole('button', { name: 'Run' }).click()
}

async function stored(name: string): Promise<ToolView> {
  const { status, body } = await api.call('GET', `/v1/tools/${name}`)
  expect(status).toBe(200)
  // The gateway checks its answers against their schemas in tests.
  return body as ToolView
}

test('[S002-7] a tool is written in the form, and its arguments are found in the address', async () => {
  await owner.open('tools')
  await page.getByRole('link', { name: 'New HTTP tool' }).click()
  await control('tool-name').fill('order_status')
  await control('tool-description').fill('Tells where an order is.')
  await control('tool-url').fill(`${base}/orders/{order_id}`)
  await page.getByRole('button', { name: 'Add parameter' }).click()
  await page.getByLabel('Name of parameter 1').fill('language')
  await page.getByLabel('Value of parameter 1').fill('{language}')
  await page.getByRole('button', { name: 'Add order_id, language' }).click()
  await page.getByLabel('What argument 1 is').fill('Number of the order')
  await page.locator('[data-parameter="language"]').getByLabel('Required').uncheck()
  await page.getByRole('button', { name: 'Add credentials' }).click()
  await control('tool-auth-1-secret').fill('shop_key')
  expect(await owner.check()).toEqual([])
})

test('[S002-7] the page tries the real request before it is saved, and shows it with the real response, without the secret', async () => {
  await page.getByRole('tab', { name: 'Try it' }).click()
  await page.getByLabel('Order id').fill('17/../admin')
  await run()
  await page.getByRole('alert').getByText('cannot stand in a path', { exact: false }).waitFor()
  expect(seen).toEqual([])
  await page.getByLabel('Order id').fill('17 b')
  await run()
  await part('Request').getByText(`GET ${base}/orders/17%20b`).waitFor()
  await part('Request').getByText('authorization: Bearer [secret]').waitFor()
  await part('Response').getByText('200').waitFor()
  await part('Response').getByText('"state": "shipped"').waitFor()
  expect(seen.map((each) => [each.line, each.headers.authorization])).toEqual([['GET /orders/17%20b', `Bearer ${key}`]])
  expect(await page.content()).not.toContain(key)
  expect(await owner.check()).toEqual([])
})

test('[S002-7] what is chosen of the answer is all that the model gets', async () => {
  await page.getByRole('radio', { name: 'Chosen fields' }).check()
  await page.getByLabel('Name of field 1').fill('where')
  await page.getByLabel('Place of field 1').fill('/state')
  await page.getByLabel('There is a list in the answer').check()
  await control('tool-items-at').fill('/lines')
  await control('tool-items-pick').getByRole('button', { name: 'Add field' }).click()
  await page.getByLabel('Name of entry field 1').fill('text')
  await page.getByLabel('Place of entry field 1').fill('/text')
  await run()
  await expect
    .poll(async () => JSON.parse((await part('What the model gets').locator('code').textContent()) ?? '{}'))
    .toEqual({ where: 'shipped', count: 1, items: [{ text: 'Alba' }] })
})

test('[S002-7] what the gateway refuses is said at its field; a good form is saved, found in the registry and read back', async () => {
  await control('tool-url').fill('https://{order_id}.example.com/')
  await page.getByRole('button', { name: 'Save tool' }).click()
  await page.locator('#tool-url-note.form-issue').waitFor()
  await control('tool-url').fill(`${base}/orders/{order_id}`)
  await page.getByRole('button', { name: 'Save tool' }).click()
  await page.waitForURL('**/console/tools/order_status**')
  await part('What the model is told').getByText('Tells where an order is.').waitFor()
  expect(await stored('order_status')).toMatchObject({
    ...{ kind: 'http', own: true, readOnly: true, category: 'custom', retry: 'again' },
    parameters: {
      properties: { order_id: { type: 'string', description: 'Number of the order' }, language: { type: 'string' } },
      required: ['order_id'],
    },
    spec: {
      ...{ method: 'GET', url: `${base}/orders/{order_id}`, query: { language: '{language}' } },
      auth: [{ type: 'bearer', secret: 'shop_key' }],
      response: { pick: { where: '/state' }, items: { at: '/lines', pick: { text: '/text' } } },
    },
  })
  const before = await stored('order_status')
  await page.getByRole('link', { name: 'Edit', exact: true }).click()
  await control('tool-description').fill('Tells where an order is, and what is in it.')
  await page.getByRole('button', { name: 'Save tool' }).click()
  await page.waitForURL((url) => url.pathname.endsWith('/tools/order_status'))
  expect(await stored('order_status')).toEqual({
    ...before,
    description: 'Tells where an order is, and what is in it.',
  })
})

test('[S002-7] a failing service is shown as it answers', async () => {
  expect((await api.call('PUT', '/v1/secrets/shop_key', { body: { value: 'another' } })).status).toBe(200)
  await owner.open('tools/order_status/edit')
  await page.getByLabel('Order id').fill('1')
  await run()
  await part('Response').getByText('401').waitFor()
  await part('What the model gets').getByText('http_401', { exact: false }).waitFor()
})

test('what is typed is not lost by a click elsewhere, a taken name is not saved over, and a tool is deleted after a question', async () => {
  await owner.open('tools/new')
  await control('tool-name').fill('order_status')
  await page.getByText('There is a tool of this name already.').waitFor()
  await page.getByRole('button', { name: 'Save tool' }).click()
  expect(page.url()).toContain('/tools/new')
  await page.getByRole('link', { name: 'Credits' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Leave' }).click()
  await page.waitForURL('**/credits**')
  await owner.open('tools/order_status')
  await page.getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click()
  await page.waitForURL((url) => url.pathname.endsWith('/tools'))
  expect((await api.call('GET', '/v1/tools/order_status')).status).toBe(404)
})
