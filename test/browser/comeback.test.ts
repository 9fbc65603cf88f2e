// A visitor whose network, page or tab goes: the widget goes on with the same session, in a real browser.

import type { Browser, BrowserContext, FrameLocator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { Line } from '../chaos/line.ts'
import { seeded } from '../chaos/random.ts'
import { violations } from '../harness/axe.ts'
import { openBrowser } from '../harness/browser.ts'
import { startPair } from '../harness/pair.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

const sessions = z.object({ items: z.array(z.object({ id: z.string(), state: z.string() })) })
const transcript = z.object({ turns: z.array(z.object({ role: z.string(), text: z.string(), state: z.string() })) })
const answer = 'working days'
const question = 'How long does delivery take?'

let gateway: TestGateway
let browser: Browser
let context: BrowserContext
let line: Line
/** Where new connections go. */
let serving: TestGateway

beforeAll(async () => {
  gateway = await startGateway()
  browser = await openBrowser()
})
afterAll(async () => {
  await browser.close()
  await gateway[Symbol.asyncDispose]()
})
beforeEach(async () => {
  serving = gateway
  // The network between browser and gateway.
  line = await new Line(() => ({ port: serving.started.port }), seeded(1)).start()
  await allowLine(gateway)
  context = await browser.newContext({ viewport: { width: 1280, height: 860 } })
})
afterEach(async () => {
  await context.close()
  await line[Symbol.asyncDispose]()
})

async function allowLine({ app: { slices } }: TestGateway): Promise<void> {
  const tenant = await slices.tenants.bySlug('productco')
  if (tenant === undefined) throw new Error('seeded')
  await slices.tenants.of(tenant.id).allowOrigins([line.url])
}

const panelOf = (page: Page): FrameLocator => page.frameLocator('parley-widget iframe')

async function visit(): Promise<{ page: Page; panel: FrameLocator }> {
  const page = await context.newPage()
  await page.goto(`${line.url}/demo?tenant=productco`)
  await page.locator('parley-widget button').click()
  const panel = panelOf(page)
  await panel.locator('textarea').waitFor()
  return { page, panel }
}

async function ask(panel: FrameLocator, text: string): Promise<void> {
  await panel.locator('textarea').fill(text)
  await panel.locator('textarea').press('Enter')
}

/** The newest session, and how many there are. */
async function sessionsNow(at = gateway): Promise<{ id: string; count: number }> {
  const { items } = sessions.parse((await at.get('/v1/sessions')).body)
  return { id: items[0]?.id ?? '', count: items.length }
}

async function turnsOf(id: string, at = gateway): Promise<string[]> {
  const { turns } = transcript.parse((await at.get(`/v1/sessions/${id}/transcript`)).body)
  return turns.flatMap(({ role, text }) => (role === 'user' || role === 'agent' ? [`${role}: ${text}`] : []))
}

const bubbles = (panel: FrameLocator, role: 'user' | 'agent') =>
  panel.locator(`.bubble.${role}:not(.dots)`).allInnerTexts()

/** Every phase of the connection that the panel was in, until asked. */
function watchPhases(panel: FrameLocator): () => Promise<ReadonlySet<string>> {
  const seen = new Set<string>()
  const status = panel.locator('.status')
  let over = false
  const watching = (async () => {
    while (!over) {
      seen.add((await status.getAttribute('data-phase')) ?? '')
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })()
  return async () => {
    over = true
    await watching
    return seen
  }
}

test('the network goes for some seconds while an answer is due: one session, nothing twice, nothing missing', async () => {
  const { panel } = await visit()
  await ask(panel, 'Hello')
  await panel.locator('.bubble.agent').nth(1).waitFor()
  const before = await sessionsNow()
  line.cut('reset')
  await ask(panel, question)
  await panel.locator('.bubble[data-state=waiting] .sending').waitFor()
  await panel.locator('.banner.reconnecting').waitFor({ timeout: 6_000 })
  line.heal()
  await panel.locator('.log').getByText(answer).waitFor({ timeout: 15_000 })
  await panel.locator('.banner.reconnecting').waitFor({ state: 'detached' })
  await expect.poll(async () => panel.locator('.bubble[data-state=waiting]').count()).toBe(0)
  expect(await sessionsNow()).toEqual(before)
  const stored = await turnsOf(before.id)
  expect(stored.filter((turn) => turn === `user: ${question}`)).toHaveLength(1)
  expect(stored.filter((turn) => turn.includes(answer))).toHaveLength(1)
  expect((await bubbles(panel, 'agent')).filter((text) => text.includes(answer))).toHaveLength(1)
}, 60_000)

test('the page is reloaded: the panel is open again, with what was said, in the same session', async () => {
  const { page, panel } = await visit()
  await ask(panel, question)
  await panel.locator('.log').getByText(answer).waitFor()
  const before = await sessionsNow()
  await page.reload()
  await panelOf(page).locator('.log').getByText(answer).waitFor({ timeout: 10_000 })
  await page.locator('parley-widget[data-open]').waitFor()
  expect(await panelOf(page).locator('.divider').count()).toBe(0)
  await ask(panelOf(page), 'Thank you')
  await expect
    .poll(async () => (await turnsOf(before.id)).some((turn) => turn === 'user: Thank you'), { timeout: 10_000 })
    .toBe(true)
  expect(await sessionsNow()).toEqual(before)
}, 60_000)

test('a call is cut by a reload: a hand takes it up again, in the same session', async () => {
  const { page, panel } = await visit()
  await panel.locator('.talk').click()
  await panel.locator('.stage').waitFor()
  await panel.locator('main[data-call=on]').waitFor()
  await panel.locator('.chip').waitFor()
  const before = await sessionsNow()
  await page.reload()
  const again = panelOf(page)
  await again.locator('.card.paused').waitFor({ timeout: 10_000 })
  const frame = page.frames().find((each) => each.url().includes('/widget/panel'))
  if (frame === undefined) throw new Error('no panel')
  expect(await violations(frame)).toEqual([])
  await again.locator('.card.paused .primary').click()
  await again.locator('.stage').waitFor()
  await expect.poll(async () => again.locator('.status').getAttribute('data-phase'), { timeout: 10_000 }).toBe('live')
  expect(await again.locator('.card.paused').count()).toBe(0)
  expect(await sessionsNow()).toEqual(before)
}, 90_000)

test('a duplicated tab takes the session over, and a click takes it back: no ping-pong', async () => {
  const { page, panel } = await visit()
  await ask(panel, question)
  await panel.locator('.log').getByText(answer).waitFor()
  const before = await sessionsNow()
  const [second] = await Promise.all([context.waitForEvent('page'), page.evaluate('void window.open(location.href)')])
  await panelOf(second).locator('.log').getByText(answer).waitFor({ timeout: 10_000 })
  const card = panel.locator('.card.ended[data-code=replaced]')
  await card.waitFor({ timeout: 10_000 })
  await ask(panelOf(second), 'In the second tab')
  await expect
    .poll(async () => (await turnsOf(before.id)).some((turn) => turn.endsWith('In the second tab')))
    .toBe(true)
  await card.locator('.primary').click()
  await panel.locator('.log').getByText('In the second tab').waitFor({ timeout: 10_000 })
  await panelOf(second).locator('.card.ended[data-code=replaced]').waitFor()
  await new Promise((resolve) => setTimeout(resolve, 3_000))
  expect(await card.count()).toBe(0)
  expect(await sessionsNow()).toEqual(before)
}, 60_000)

test.each(['stops', 'dies'])(
  'a gateway that %s: another one goes on with the same session',
  async (how) => {
    await using two = await startPair({ PARLEY_DRAIN_SECONDS: '8' })
    const { a, b } = two
    serving = a
    await allowLine(a)
    const { panel } = await visit()
    await ask(panel, question)
    await panel.locator('.log').getByText(answer).waitFor()
    const before = await sessionsNow(b)
    serving = b
    const seen = watchPhases(panel)
    if (how === 'stops') await a.app.slices.sessions.drain()
    else {
      // Nothing of it answers any more.
      await a.app.slices.bus.close()
      line.reset()
    }
    await ask(panel, 'Do you have a red sofa?')
    await panel.locator('.log').getByText('I found').waitFor({ timeout: 15_000 })
    expect(await sessionsNow(b)).toEqual(before)
    const stored = await turnsOf(before.id, b)
    expect(stored.filter((turn) => turn.endsWith('red sofa?'))).toHaveLength(1)
    // Who is asked to move opens the next connection before the first one ends.
    const phases = await seen()
    if (how === 'stops') expect(phases).not.toContain('reconnecting')
    expect(await panel.locator('.note').count()).toBe(1)
  },
  60_000,
)
