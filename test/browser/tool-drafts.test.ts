// The assistant that drafts a tool: from a sentence by a model, from an OpenAPI document without one; tried, then saved.

import { createServer, type Server } from 'node:http'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser } from '../harness/browser.ts'
import { type ConsolePage, consolePage } from '../harness/console-page.ts'
import { type ScriptedCascade, startScriptedCascade } from '../harness/scripted-cascade.ts'
import { type SignedIn, signIn } from '../harness/sign-in.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

let service: Server
let base: string
let model: ScriptedCascade
let gateway: TestGateway
let browser: Browser
let owner: ConsolePage
let api: SignedIn
let page: Page
beforeAll(async () => {
  service = createServer((request, response) => response.end(JSON.stringify({ asked: request.url, celsius: 21 })))
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
  const address = service.address()
  base = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  model = await startScriptedCascade()
  const models = { TEXT_MODELS: 'local:m', CASCADE_SERVERS: `local=${model.baseUrl}` }
  gateway = await startGateway({ ...models, PARLEY_FETCH_ALLOW: '127.0.0.1' })
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
  service.closeAllConnections()
  service.close()
})

async function tried(label: string, value: string): Promise<void> {
  await page.getByRole('tab', { name: 'Try it' }).click()
  await page.getByLabel(label).fill(value)
  await page.getByRole('form', { name: 'Try the tool' }).getByRole('button', { name: 'Run' }).click()
  await page.getByRole('region', { name: 'Response' }).getByText('"celsius": 21').waitFor()
}

async function saved(name: string): Promise<void> {
  await page.getByRole('button', { name: 'Save tool' }).click()
  await page.waitForURL((url) => url.pathname.endsWith(`/tools/${name}`))
  expect((await api.call('GET', `/v1/tools/${name}`)).body).toMatchObject({ kind: 'http', own: true, readOnly: true })
}

test('[S002-4] a sentence becomes a draft in the form, the draft is tried, and only then saved', async () => {
  model.on(/weather/, {
    say: JSON.stringify({
      ...{ name: 'get_weather', description: 'Tells the weather of a city.', readOnly: true },
      parameters: {
        ...{ type: 'object', required: ['city'], additionalProperties: false },
        properties: { city: { type: 'string', description: 'Name of the city' } },
      },
      spec: { method: 'GET', url: `${base}/weather/{city}` },
    }),
  })
  await owner.open('tools/new')
  await page.getByLabel('What should it do?').fill('Tell the weather of a city')
  await page.getByRole('button', { name: 'Draft', exact: true }).click()
  await page.getByText('The form is filled in with get_weather.', { exact: false }).waitFor()
  expect(await page.locator('#tool-url').inputValue()).toBe(`${base}/weather/{city}`)
  expect((await api.call('GET', '/v1/tools/get_weather')).status).toBe(404)
  expect(await owner.check()).toEqual([])
  await tried('City', 'Graz')
  await saved('get_weather')
})

test('[S002-4] an OpenAPI document offers its operations; the one that is taken is tried and saved', async () => {
  const city = { name: 'city', in: 'path', required: true, schema: { type: 'string' } }
  const document = {
    openapi: '3.1.0',
    info: { title: 'Weather', version: '1' },
    servers: [{ url: base }],
    paths: {
      '/forecast/{city}': { get: { operationId: 'getForecast', summary: 'Forecast of a city.', parameters: [city] } },
      '/alerts': { get: { operationId: 'listAlerts', summary: 'Alerts of today.' } },
    },
  }
  await owner.open('tools/new')
  await page.getByRole('radio', { name: 'An OpenAPI document' }).check()
  await page.getByLabel('Document', { exact: true }).fill('openapi: 3.1.0')
  await page.getByRole('button', { name: 'Draft', exact: true }).click()
  await page.getByRole('alert').getByText('not JSON', { exact: false }).waitFor()
  await page.getByLabel('Document', { exact: true }).fill(JSON.stringify(document))
  await page.getByRole('button', { name: 'Draft', exact: true }).click()
  const operations = page.getByRole('region', { name: 'Operations of the document' })
  await operations.getByRole('heading', { name: '2 operations' }).waitFor()
  await operations.getByRole('listitem').filter({ hasText: 'Forecast of a city.' }).getByRole('button').click()
  expect(await page.locator('#tool-description').inputValue()).toContain('Forecast of a city.')
  expect(await owner.check()).toEqual([])
  const name = await page.locator('#tool-name').inputValue()
  await tried('City', 'Linz')
  await saved(name)
})
