// A tenant's knowledge in a real browser: uploaded by picker and by drop, read, searched, read again, deleted.

import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { KnowledgeSourceView } from '../../gateway/protocol/knowledge.ts'
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
  page.setDefaultTimeout(20_000)
  api = await signIn(gateway)
})
afterAll(async () => {
  await owner[Symbol.asyncDispose]()
  await browser.close()
  await gateway[Symbol.asyncDispose]()
})

const file = (name: string, text: string) => ({ name, mimeType: '', buffer: Buffer.from(text) })
const source = (name: string) => page.locator('[data-source]', { hasText: name })

async function sources(): Promise<readonly KnowledgeSourceView[]> {
  const { body } = await api.call('GET', '/v1/knowledge/sources')
  // The gateway checks its answers against their schemas in tests.
  return (body as { items: KnowledgeSourceView[] }).items
}

test('files are uploaded by the picker, read in sight, and each failure says why', async () => {
  await owner.open('knowledge')
  await page.getByRole('heading', { name: 'Nothing to look up yet' }).waitFor()
  expect(await owner.check()).toEqual([])
  await page
    .getByLabel('Files to upload')
    .setInputFiles([
      file('returns.md', '# Returns\n\nA sofa may be returned within thirty days. We collect it for free.\n'),
      file('care.html', '<html><body><h1>Care</h1><p>Wash wool by hand, in cold water.</p></body></html>'),
      file('prices.csv', 'name,price\nAlba,499\nNero,899\n'),
      file('broken.pdf', '%PDF-1.7\nbut no more of it'),
    ])
  for (const name of ['returns.md', 'care.html', 'prices.csv']) await source(name).getByText('Ready').waitFor()
  await source('broken.pdf').getByText('Failed').waitFor()
  const stored = await sources()
  expect(stored.map(({ name, state }) => [name, state]).toSorted()).toEqual([
    ['broken.pdf', 'failed'],
    ['care.html', 'ready'],
    ['prices.csv', 'ready'],
    ['returns.md', 'ready'],
  ])
  const why = stored.find(({ state }) => state === 'failed')?.problem?.message ?? ''
  await source('broken.pdf').getByText(why).waitFor()
  await page.getByText('4 sources', { exact: false }).waitFor()
  expect(await owner.check()).toEqual([])
})

test('a file that is dropped on the screen is uploaded; one that is too large is refused before it is sent', async () => {
  // Text, since it runs in the page: tests know no DOM.
  const drop = (name: string, bytes: number, text: string) =>
    page.evaluate(`{
      const body = ${bytes} > 0 ? new Uint8Array(${bytes}) : ${JSON.stringify(text)}
      const data = new DataTransfer()
      data.items.add(new File([body], ${JSON.stringify(name)}))
      for (const type of ['dragenter', 'dragover', 'drop'])
        document.querySelector('.drop-place').dispatchEvent(
          new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: data }),
        )
    }`)
  await drop('hours.txt', 0, 'We open at nine and close at six.')
  await source('hours.txt').getByText('Ready').waitFor()
  await drop('film.pdf', 21 * 1024 * 1024, '')
  await page.getByRole('list', { name: 'Uploads' }).getByText('which is the limit', { exact: false }).waitFor()
  await page.getByRole('button', { name: 'Dismiss film.pdf' }).click()
  expect((await sources()).map(({ name }) => name)).not.toContain('film.pdf')
})

test('a search shows the passages that an agent would get, with the source that an answer cites', async () => {
  const box = page.getByRole('region', { name: 'Try a search' })
  await box.getByLabel('Question').fill('How long may I return a sofa?')
  await box.getByRole('button', { name: 'Search' }).click()
  const first = box.getByRole('listitem').first()
  await first.getByText('thirty days', { exact: false }).waitFor()
  await first.getByText('returns.md').waitFor()
  expect(await owner.check()).toEqual([])
})

test('a page of the web is added by its address, and an address inside is refused in words', async () => {
  await page.getByRole('button', { name: 'Add a page' }).first().click()
  const form = page.getByRole('dialog')
  await form.getByLabel('Address').fill('no address')
  await form.getByRole('button', { name: 'Add page' }).click()
  await form.locator('.form-issue').waitFor()
  expect(await owner.check()).toEqual([])
  await form.getByLabel('Address').fill('https://169.254.169.254/latest/meta-data')
  await form.getByLabel('Name (optional)').fill('Inside')
  await form.getByRole('button', { name: 'Add page' }).click()
  // Refused at once, or once it is to be fetched: either way nothing was asked there, and the screen says so.
  await form.locator('.form-issue').or(source('Inside').getByText('Failed')).first().waitFor()
  await page.keyboard.press('Escape')
})

test('a source is read again and deleted after a question; then nobody finds it', async () => {
  await page.getByRole('button', { name: 'Read returns.md again' }).click()
  await source('returns.md').getByText('Ready').waitFor()
  await page.getByRole('button', { name: 'Delete returns.md' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click()
  await source('returns.md').waitFor({ state: 'detached' })
  const box = page.getByRole('region', { name: 'Try a search' })
  await box.getByLabel('Question').fill('thirty days return')
  await box.getByRole('button', { name: 'Search' }).click()
  await expect.poll(() => box.getByText('thirty days', { exact: false }).count()).toBe(0)
})

test('who may only read finds no buttons; on a phone sources and search are tabs', async () => {
  const client = await signIn(gateway, 'client')
  const person = await consolePage(gateway, browser, client.operatorId)
  await person.page.setViewportSize({ width: 390, height: 844 })
  await person.open('knowledge')
  await person.page.locator('[data-source]').first().waitFor()
  expect(await person.page.getByRole('button', { name: /Upload|Add a page|Delete|again/ }).count()).toBe(0)
  await person.page.getByRole('tab', { name: 'Try a search' }).click()
  await person.page.getByLabel('Question').waitFor()
  expect(await person.page.evaluate('document.documentElement.scrollWidth')).toBe(390)
  expect(await person.check()).toEqual([])
  expect(person.errors).toEqual([])
  await person[Symbol.asyncDispose]()
})
