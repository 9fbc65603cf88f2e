import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Frame, FrameLocator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { violations } from '../harness/axe.ts'
import { type BrowserOptions, openBrowser } from '../harness/browser.ts'
import { writeSpeechWav } from '../harness/speech.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

const transcriptBody = z.object({
  turns: z.array(
    z.object({
      role: z.string(),
      state: z.string(),
      text: z.string(),
      unheard: z.string().optional(),
      voice: z.boolean(),
      seq: z.number(),
      audio: z.object({ sentMs: z.number(), playedMs: z.number() }).optional(),
    }),
  ),
})
const sessionsBody = z.object({ items: z.array(z.object({ id: z.string(), state: z.string() })) })
const receiptBody = z.object({
  totalMicro: z.number(),
  entryId: z.string(),
  lines: z.array(z.object({ amountMicro: z.number() })),
})
const entriesBody = z.object({ items: z.array(z.object({ id: z.string(), amountMicro: z.number() })) })

const longGreeting =
  'Hi, this is ProductCo. I know every piece of furniture in our catalogue, what it costs, how long it takes to come to you, and what to do if you do not like it. So ask me whatever you want, and take your time.'

let gateway: TestGateway
let folder: string
let wav: string
let host: { server: Server; origin: string }
let browser: Browser
let errors: string[]

/** A shop on another origin, with the strictest policy its documentation allows. */
async function foreignPage(): Promise<{ server: Server; origin: string }> {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html')
    response.setHeader(
      'content-security-policy',
      `default-src 'none'; script-src ${gateway.url}; frame-src ${gateway.url}; style-src 'none'`,
    )
    response.setHeader('permissions-policy', `microphone=(self "${gateway.url}"), autoplay=(self "${gateway.url}")`)
    response.end(
      `<!doctype html><title>Shop</title><h1>Shop</h1><script async src="${gateway.url}/widget.js" data-agent="productco" data-key="pk_demo_productco"></script>`,
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return { server, origin: `http://localhost:${address.port}` }
}

beforeAll(async () => {
  gateway = await startGateway()
  folder = await mkdtemp(join(tmpdir(), 'parley-voice-'))
  wav = join(folder, 'question.wav')
  await writeSpeechWav(wav, {
    text: 'Hello, I would like to ask you something about a sofa.',
    leadMs: 4_500,
    tailMs: 20_000,
  })
  host = await foreignPage()
  const tenant = await gateway.app.slices.tenants.bySlug('productco')
  if (tenant === undefined) throw new Error('seeded')
  await gateway.app.slices.tenants.of(tenant.id).allowOrigins([host.origin])
  // Long enough to be cut in on, however late a slow machine begins with it.
  const agents = gateway.app.slices.agents.of(tenant.id)
  const agent = await agents.bySlug('productco')
  if (agent === undefined) throw new Error('seeded')
  await agents.saveDraft(agent.id, { ...agent.draft, greeting: longGreeting })
  await agents.publish(agent.id)
})
afterAll(async () => {
  host.server.closeAllConnections()
  host.server.close()
  await gateway[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})
beforeEach(() => {
  errors = []
})
afterEach(() => browser.close())

async function open(
  url: string,
  options: BrowserOptions = {},
  viewport = { width: 1280, height: 860 },
  prepare: (page: Page) => Promise<unknown> = async () => {},
): Promise<{ page: Page; panel: FrameLocator; frame: () => Frame }> {
  browser = await openBrowser(options)
  const page = await (await browser.newContext({ viewport })).newPage()
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
  await prepare(page)
  await page.goto(url)
  await page.locator('parley-widget button').click()
  const panel = page.frameLocator('parley-widget iframe')
  await panel.locator('textarea').waitFor()
  const frame = (): Frame => {
    const found = page.frames().find((each) => each.url().includes('/widget/panel'))
    if (found === undefined) throw new Error('the panel has no frame')
    return found
  }
  return { page, panel, frame }
}

/** Highest output level of the panel within this time. */
async function loudest(frame: Frame, ms: number): Promise<number> {
  let peak = 0
  for (const until = Date.now() + ms; Date.now() < until; ) {
    const level: unknown = await frame.evaluate('window.__parley.outputLevel()')
    peak = Math.max(peak, Number(level))
    await new Promise((resolve) => setTimeout(resolve, 40))
  }
  return peak
}

async function lastSession(): Promise<string> {
  const { items } = sessionsBody.parse((await gateway.get('/v1/sessions')).body)
  return items[0]?.id ?? ''
}

/** What the browser and the network between let a call run over. */
const ways = {
  webrtc: async () => {},
  'a socket, where the browser has no WebRTC': (page: Page) =>
    page.addInitScript('delete globalThis.RTCPeerConnection'),
  'a socket, where the gateway takes no calls': (page: Page) =>
    page.route('**/v1/realtime/calls*', (each) => each.fulfill({ status: 503, body: '{}' })),
}

for (const [way, prepare] of Object.entries(ways))
  test(`a visitor on a foreign origin presses the button, hears the agent, cuts in by speaking, types a second question and hears the answer over ${way}; the truth is stored and billed`, async () => {
    const { panel, frame } = await open(host.origin, { microphone: wav }, undefined, prepare)
    await panel.locator('.talk').click()
    await expect.poll(async () => loudest(frame(), 200), { timeout: 10_000 }).toBeGreaterThan(0.01)
    const transport = way === 'webrtc' ? 'webrtc' : 'websocket'
    expect(await frame().evaluate('window.__parley.transport()')).toBe(transport)
    // The WAV speaks into the greeting: the panel falls silent and the words that were not heard are struck through.
    await panel.locator('.unheard').first().waitFor({ timeout: 20_000 })
    await expect.poll(async () => loudest(frame(), 200), { timeout: 20_000 }).toBeGreaterThan(0.01)
    await panel.locator('textarea').fill('How long does delivery take?')
    await panel.locator('textarea').press('Enter')
    await panel.locator('.log').getByText('working days').waitFor({ timeout: 20_000 })
    expect(await loudest(frame(), 2_000)).toBeGreaterThan(0.01)
    expect(await violations(frame())).toEqual([])
    const sessionId = await lastSession()
    await panel.getByRole('button', { name: 'End call' }).click()
    await expect
      .poll(async () => (await gateway.get(`/v1/sessions/${sessionId}`)).body, { timeout: 15_000 })
      .toMatchObject({ state: 'ended', channel: 'widget', transport })

    const { turns } = transcriptBody.parse((await gateway.get(`/v1/sessions/${sessionId}/transcript`)).body)
    expect(turns.map((turn) => turn.seq)).toEqual(turns.map((turn) => turn.seq).toSorted((a, b) => a - b))
    const [greeting, spoken] = turns
    expect(greeting).toMatchObject({ role: 'agent', state: 'interrupted', voice: true })
    expect(greeting?.unheard).not.toBe('')
    expect(greeting?.audio?.playedMs).toBeGreaterThan(500)
    expect(greeting?.audio?.playedMs).toBeLessThan(greeting?.audio?.sentMs ?? 0)
    expect(spoken).toMatchObject({ role: 'user', voice: true })
    expect(turns.some((turn) => turn.role === 'user' && turn.text === 'How long does delivery take?')).toBe(true)
    const receipt = receiptBody.parse((await gateway.get(`/v1/sessions/${sessionId}/receipt`)).body)
    const entries = entriesBody.parse((await gateway.get('/v1/credits/entries')).body)
    expect(receipt.lines.reduce((sum, line) => sum + line.amountMicro, 0)).toBe(receipt.totalMicro)
    expect(entries.items.find((entry) => entry.id === receipt.entryId)?.amountMicro).toBe(-receipt.totalMicro)
    expect(errors.filter((error) => !error.includes('503'))).toEqual([])
  }, 120_000)

test('the demo page changes its tenant: brand, agent and answers are the new one’s', async () => {
  const { page, panel } = await open(`${gateway.url}/demo?tenant=eventco`)
  await panel.getByRole('heading', { name: 'Voices 2027' }).waitFor()
  await panel.locator('textarea').fill('Who speaks at 10?')
  await panel.locator('textarea').press('Enter')
  await panel.locator('.bubble, [data-role=agent]').filter({ hasText: /10/ }).first().waitFor()
  await page.goto(`${gateway.url}/demo?tenant=cypress`)
  await page.locator('parley-widget button').click()
  await page.frameLocator('parley-widget iframe').getByRole('heading', { name: 'Cypress House' }).waitFor()
  expect(errors).toEqual([])
})

for (const microphoneState of ['refused', 'none'] as const) {
  test(`a microphone that is ${microphoneState === 'refused' ? 'refused' : 'not there'} is told in words, and typing goes on`, async () => {
    const { panel } = await open(`${gateway.url}/demo?tenant=productco`, { microphoneState })
    await panel.locator('.talk').click()
    await panel.locator('[role=alert]').waitFor()
    expect((await panel.locator('[role=alert]').innerText()).length).toBeGreaterThan(20)
    await panel.locator('textarea').fill('How long does delivery take?')
    await panel.locator('textarea').press('Enter')
    await panel.locator('.log').getByText('working days').waitFor()
  })
}

test('the panel may be framed by the tenant’s pages only', async () => {
  const policy =
    (await fetch(`${gateway.url}/widget/panel?key=pk_demo_productco`)).headers.get('content-security-policy') ?? ''
  expect(policy).toContain(host.origin)
  expect(policy).toMatch(/frame-ancestors 'self' [^;*]+;/)
  const unknown =
    (await fetch(`${gateway.url}/widget/panel?key=pk_nobody`)).headers.get('content-security-policy') ?? ''
  expect(unknown).toMatch(/frame-ancestors 'self';/)
})

test('on a phone the panel fills the screen, and Escape gives the focus back to the button', async () => {
  const { page, panel } = await open(`${gateway.url}/demo?tenant=productco`, {}, { width: 390, height: 780 })
  const box = async () => {
    const { x = -1, y = -1, width = 0, height = 0 } = (await page.locator('parley-widget iframe').boundingBox()) ?? {}
    return [x, y, width, height].map(Math.round)
  }
  await expect.poll(box).toEqual([0, 0, 390, 780])
  await panel.locator('textarea').press('Escape')
  await page.locator('parley-widget iframe').waitFor({ state: 'hidden' })
  const focused: unknown = await page.evaluate(
    "document.activeElement.tagName + ':' + document.activeElement.shadowRoot.activeElement?.tagName",
  )
  expect(focused).toBe('PARLEY-WIDGET:BUTTON')
})
