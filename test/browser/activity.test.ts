import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AgentDetail } from '../../gateway/protocol/agents.ts'
import type { ConversationView } from '../../gateway/protocol/chat.ts'
import { openBrowser } from '../harness/browser.ts'
import { type ChatPlace, openChatPlace } from '../harness/chat-place.ts'
import { type ConsolePage, consolePage } from '../harness/console-page.ts'
import { type SignedIn, signIn } from '../harness/sign-in.ts'

let place: ChatPlace
let browser: Browser
let owner: ConsolePage
let api: SignedIn
let page: Page
beforeAll(async () => {
  place = await openChatPlace({}, { PARLEY_DEMO: 'true' })
  place.model.on(/./, { say: 'We have two red sofas.' })
  browser = await openBrowser()
  owner = await consolePage(place.gateway, browser)
  page = owner.page
  page.setDefaultTimeout(15_000)
  api = await signIn(place.gateway)
})
afterAll(async () => {
  await owner[Symbol.asyncDispose]()
  await browser.close()
  await place[Symbol.asyncDispose]()
})

test('[S000-19] the activity of an agent shows the numbers that the API has, and a test in the console adds to them', async () => {
  const { id } = (await api.call('GET', '/v1/agents/by-slug/productco')).body as AgentDetail
  await api.call('POST', '/v1/agents/productco/chat', { body: { message: 'Do you have a red sofa?' } })
  await owner.open(`agents/${id}`)
  await page.getByLabel(/^Message to/).fill('Do you have a green sofa?')
  await page.keyboard.press('Enter')
  await page.locator('.test-answer', { hasText: 'two red sofas' }).locator('.test-cost').waitFor()
  const { items } = (await api.call('GET', `/v1/agents/${id}/activity`)).body as { items: ConversationView[] }
  expect(items.length).toBe(2)
  expect(items.every((each) => each.messageCount > 0 && each.tokensUsed > 0 && each.creditsMicro > 0)).toBe(true)
  await owner.open(`agents/activity?agent=${id}`)
  for (const one of items) {
    const row = page.locator(`[data-conversation="${one.id}"]`)
    const stat = async (name: string) =>
      Number((await row.locator(`[data-stat="${name}"]`).textContent())?.replace(/[$,]/g, ''))
    expect(await stat('messages')).toBe(one.messageCount)
    expect(await stat('tokens')).toBe(one.tokensUsed)
    expect(await stat('cost')).toBeCloseTo(one.costUsdMicro / 1_000_000, 4)
    expect(await stat('credits')).toBeCloseTo(one.creditsMicro / 1_000_000, 4)
  }
  await page.locator('[data-conversation]').first().click()
  await page.getByRole('dialog').getByText('green sofa').waitFor()
  expect(await owner.check()).toEqual([])
})
