// A call in a real browser: the agent talks on while a person is asked, and says what came of it when nobody else speaks.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Frame } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { asTenantId } from '../../gateway/platform/ids.ts'
import { openBrowser } from '../harness/browser.ts'
import { type ScriptedCascade, startScriptedCascade } from '../harness/scripted-cascade.ts'
import { writeSpeechWav } from '../harness/speech.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

const parked = 'Somebody has to approve that first. Ask me anything else meanwhile.'
const longAnswer =
  'Delivery takes five working days as a rule. Two people bring it, they carry it up to your floor, they take the packaging with them, and they call you half an hour before they come, so that you need not wait at home all day long.'
const goodNews = 'Good news: your ten chairs are put aside.'

let gateway: TestGateway
let model: ScriptedCascade
let folder: string
let browser: Browser
let tenantId: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-approvals-'))
  const wav = join(folder, 'question.wav')
  await writeSpeechWav(wav, { text: 'Please put ten chairs aside for me.', leadMs: 7_000, tailMs: 60_000 })
  model = await startScriptedCascade({ pace: 20 })
  model
    .on(/chairs/, { calls: [{ name: 'create_deal', arguments: '{"title":"Ten chairs"}' }] })
    .on(/"waiting"/, { say: parked })
    .on(/delivery/, { say: longAnswer })
    .on(/"decision":"approved"/, { say: goodNews })
    .hears('Please put ten chairs aside for me.')
  gateway = await startGateway({
    ...{ CASCADE_LLM: 'own:mind', CASCADE_STT: 'own:ears', CASCADE_TTS: 'own:mouth' },
    CASCADE_SERVERS: `own=${model.baseUrl}`,
  })
  tenantId = await careful(gateway)
  browser = await openBrowser({ microphone: wav })
})
afterAll(async () => {
  await browser.close()
  await gateway[Symbol.asyncDispose]()
  await model.stop()
  await rm(folder, { recursive: true, force: true })
})

/** The shop's agent makes deals, when a person says so. */
async function careful({ app }: TestGateway): Promise<string> {
  const { tenants, agents } = app.slices
  const tenant = await tenants.bySlug('productco')
  const agent = tenant === undefined ? undefined : await agents.of(tenant.id).bySlug('productco')
  if (tenant === undefined || agent === undefined) throw new Error('seeded')
  await tenants.of(tenant.id).change({ allowedTools: { ...tenant.allowedTools, widget: 'all' } })
  await agents.of(tenant.id).saveDraft(agent.id, {
    ...agent.draft,
    ...{ engine: 'cascade', greeting: 'Hello, what can I do for you?' },
    ...{ enabledTools: [...agent.draft.enabledTools, 'create_deal'], requireApprovalFor: ['create_deal'] },
  })
  await agents.of(tenant.id).publish(agent.id)
  return tenant.id
}

/** Highest output level of the panel within this time. */
async function loudest(frame: Frame, ms: number): Promise<number> {
  let peak = 0
  for (const until = Date.now() + ms; Date.now() < until; ) {
    peak = Math.max(peak, Number(await frame.evaluate('window.__parley.outputLevel()')))
    await new Promise((resolve) => setTimeout(resolve, 40))
  }
  return peak
}

const page = z.object({ items: z.array(z.looseObject({ id: z.string(), state: z.string() })) })
const turn = z.looseObject({
  ...{ role: z.string(), text: z.string(), state: z.string(), createdAt: z.string() },
  unheard: z.string().optional(),
  audio: z.object({ sentMs: z.number(), playedMs: z.number() }).optional(),
  tool: z.looseObject({ name: z.string(), state: z.string() }).optional(),
})
const transcript = z.object({ turns: z.array(turn) })

async function turnsOf(sessionId: string) {
  return transcript.parse((await gateway.get(`/v1/sessions/${sessionId}/transcript`)).body).turns
}

test('[A9] [S000-15] by voice: the agent goes on talking while a person is asked, and says the result when it comes, in nobody’s sentence', async () => {
  const shop = await (await browser.newContext({ viewport: { width: 1280, height: 860 } })).newPage()
  await shop.goto(`${gateway.url}/demo?tenant=productco`)
  await shop.locator('parley-widget button').click()
  const panel = shop.frameLocator('parley-widget iframe')
  await panel.locator('textarea').waitFor()
  const frame = shop.frames().find((each) => each.url().includes('/widget/panel'))
  if (frame === undefined) throw new Error('the panel has no frame')
  await panel.locator('.talk').click()
  // Asked aloud, answered aloud, at once: nobody waits in silence.
  await panel.locator('.log').getByText('Somebody has to approve').waitFor({ timeout: 40_000 })
  await expect.poll(() => loudest(frame, 200), { timeout: 10_000 }).toBeGreaterThan(0.01)
  const [waiting] = page.parse((await gateway.get('/v1/approvals?state=pending')).body).items
  const { id, sessionId } = z.looseObject({ id: z.string(), sessionId: z.string() }).parse(waiting)
  expect((await turnsOf(sessionId)).find((each) => each.tool?.name === 'create_deal')?.tool?.state).toBe('waiting')

  await panel.locator('textarea').fill('How long does delivery take?')
  await panel.locator('textarea').press('Enter')
  await panel.locator('.log').getByText('Two people bring it').waitFor({ timeout: 20_000 })
  // The effect comes in the middle of the long answer.
  const { approvals, identity } = gateway.app.slices
  const auth = identity.authFor.system(asTenantId(tenantId))
  await approvals.of(auth.tenantId).as(auth).approve(id, {})
  await expect
    .poll(async () => (await turnsOf(sessionId)).find((each) => each.tool !== undefined)?.tool?.state, {
      timeout: 20_000,
    })
    .toBe('ok')
  expect(await loudest(frame, 300)).toBeGreaterThan(0.01)
  expect(await panel.locator('.log').getByText('Good news').count()).toBe(0)
  await panel.locator('.log').getByText('Good news').waitFor({ timeout: 30_000 })
  await expect.poll(() => loudest(frame, 200), { timeout: 10_000 }).toBeGreaterThan(0.01)
  await expect
    .poll(async () => (await gateway.get(`/v1/approvals/${id}`)).body, { timeout: 10_000 })
    .toMatchObject({ state: 'done', delivery: 'told' })

  const turns = await turnsOf(sessionId)
  const long = turns.find((each) => each.text.startsWith('Delivery takes'))
  const news = turns.filter((each) => each.text.startsWith('Good news'))
  expect(long).toMatchObject({ state: 'final', text: longAnswer })
  expect(long?.unheard ?? '').toBe('')
  expect(news).toHaveLength(1)
  const { sentMs = 0, playedMs = 0 } = long?.audio ?? {}
  expect(playedMs).toBeGreaterThan(sentMs - 300)
  // Not before the last word of what was being said.
  expect(Date.parse(news[0]?.createdAt ?? '') - Date.parse(long?.createdAt ?? '')).toBeGreaterThan(sentMs - 500)
  await panel.getByRole('button', { name: 'End call' }).click()
}, 150_000)
