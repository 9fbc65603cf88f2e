import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import type { AgentConfigFields, AgentDetail } from '../../gateway/protocol/agents.ts'
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
  // A model is saved only where this gateway could ask it; nothing here does.
  gateway = await startGateway({ OPENROUTER_API_KEY: 'sk-or-not-asked' })
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
})

const agents = z.object({ items: z.array(z.object({ slug: z.string(), name: z.string() })) })
const textModels = z.object({ items: z.array(z.object({ off: z.string().optional() })) })

async function agent(slug: string): Promise<AgentDetail> {
  const { status, body } = await api.call('GET', `/v1/agents/by-slug/${slug}`)
  expect(status).toBe(200)
  // The gateway checks its answers against their schemas in tests.
  return body as AgentDetail
}

/** A value in every one of the eighteen fields, none of them its default, some of them hard to carry. */
const all: AgentConfigFields = {
  displayName: 'Zoë “The Desk”',
  personality: 'Warm & brief.\n<b>Never</b> pushy – “really”.',
  language: 'de-AT',
  brandVoiceInstructions: 'We say “guests”.\nNever: customers.',
  systemPrompt: 'Step 1: greet.\n\n\tStep 2: listen {{name}} $& \\n.',
  faqEntries: [
    { question: 'Do you deliver?', answer: 'Yes:\n- within 5 days' },
    { question: 'Returns? 🛋️', answer: '30 days.' },
  ],
  enabledTools: ['search_contacts', 'create_contact', 'send_email'],
  disabledTools: ['delete_everything'],
  autonomyLevel: 'supervised',
  maxMessagesPerDay: 1_234,
  maxCostPerDay: 12_345_678,
  requireApprovalFor: ['send_email'],
  blockedTopics: ['Legal advice, of any kind', 'Prices of competitors'],
  modelProvider: 'openrouter',
  modelId: 'anthropic/claude-sonnet-4',
  temperature: 0.35,
  maxTokens: 777,
  channelBindings: [
    { channel: 'whatsapp', enabled: false },
    { channel: 'telegram', enabled: false },
  ],
}

/** The control of a field: its id is the field's name. */
const control = (id: string) => page.locator(`#${id}`)

async function tokens(id: string, values: readonly string[]): Promise<void> {
  const field = control(id)
  for (const value of values) {
    await field.fill(value)
    await field.press('Enter')
  }
}

async function fillTheForm(): Promise<void> {
  const fill = (id: string, value: string) => control(id).fill(value)
  await fill('displayName', all.displayName)
  await fill('personality', all.personality)
  await fill('language', all.language)
  await fill('brandVoiceInstructions', all.brandVoiceInstructions)
  await fill('systemPrompt', all.systemPrompt)
  for (const [at, { question, answer }] of all.faqEntries.entries()) {
    await page.getByRole('button', { name: 'Add a question' }).click()
    await fill(`faq-${at}-question`, question)
    await fill(`faq-${at}-answer`, answer)
  }
  await fill('modelProvider', all.modelProvider)
  await fill('modelId', all.modelId)
  await fill('temperature', String(all.temperature))
  await fill('maxTokens', String(all.maxTokens))
  await page.getByRole('radio', { name: 'Supervised' }).check()
  await tokens('enabledTools', all.enabledTools)
  await tokens('requireApprovalFor', all.requireApprovalFor)
  await tokens('disabledTools', all.disabledTools)
  await tokens('blockedTopics', all.blockedTopics)
  await fill('maxMessagesPerDay', '1234')
  await fill('maxCostPerDay', '12.345678')
  await page.getByLabel('WhatsApp', { exact: true }).uncheck()
  await page.getByLabel('Telegram', { exact: true }).uncheck()
}

/** The eighteen fields as the form shows them. */
async function readTheForm(): Promise<AgentConfigFields> {
  const text = (id: string) => control(id).inputValue()
  const words = (id: string) =>
    page.locator(`.tokens:has(#${id}) .token`).evaluateAll((found) => found.map((each) => each.textContent ?? ''))
  const questions = await page.locator('.faq li').count()
  const faqEntries = await Promise.all(
    Array.from({ length: questions }, async (_, at) => ({
      question: await text(`faq-${at}-question`),
      answer: await text(`faq-${at}-answer`),
    })),
  )
  const off = async (label: string) => !(await page.getByLabel(label, { exact: true }).isChecked())
  return {
    displayName: await text('displayName'),
    personality: await text('personality'),
    language: await text('language'),
    brandVoiceInstructions: await text('brandVoiceInstructions'),
    systemPrompt: await text('systemPrompt'),
    faqEntries,
    enabledTools: await words('enabledTools'),
    disabledTools: await words('disabledTools'),
    autonomyLevel: (await page.getByRole('radio', { name: 'Supervised' }).isChecked()) ? 'supervised' : 'autonomous',
    maxMessagesPerDay: Number(await text('maxMessagesPerDay')),
    maxCostPerDay: Math.round(Number(await text('maxCostPerDay')) * 1_000_000),
    requireApprovalFor: await words('requireApprovalFor'),
    blockedTopics: await words('blockedTopics'),
    modelProvider: await text('modelProvider'),
    modelId: await text('modelId'),
    temperature: Number(await text('temperature')),
    maxTokens: Number(await text('maxTokens')),
    channelBindings: [
      ...((await off('WhatsApp')) ? [{ channel: 'whatsapp' as const, enabled: false }] : []),
      ...((await off('Telegram')) ? [{ channel: 'telegram' as const, enabled: false }] : []),
    ],
  }
}

test('[S000-18] an agent is made in the console, and all eighteen fields are set over the five sections of its form', async () => {
  await owner.open('agents')
  await page.getByRole('button', { name: 'New agent' }).first().click()
  await page.getByLabel('Name').fill('Zoë’s Desk')
  expect(await page.getByLabel('Slug').inputValue()).toBe('zoes-desk')
  await page.getByRole('radio', { name: 'Booking agent' }).check()
  await page.getByRole('button', { name: 'Create agent' }).click()
  await page.locator('#agent-form').waitFor()
  for (const section of ['Identity', 'Knowledge', 'Model', 'Guardrails', 'Channels'])
    await page.locator('#agent-form').getByRole('heading', { name: section, exact: true }).waitFor()
  await fillTheForm()
  await page.keyboard.press('Control+s')
  await page.getByRole('button', { name: 'Saved' }).waitFor()
  expect(await agent('zoes-desk')).toMatchObject({ subtype: 'booking_agent', status: 'draft', draft: all })
})

test('[S000-5] all eighteen fields come back from the API into the form as they were set, and out of it again', async () => {
  const before = (await agent('zoes-desk')).draft
  await page.reload()
  await page.locator('#agent-form').waitFor()
  expect(await readTheForm()).toEqual(all)
  // A change of one field changes nothing else on the way through the form.
  await control('name').fill('Desk')
  await control('personality').fill('Brief.')
  await page.getByRole('button', { name: 'Save draft' }).click()
  await page.getByRole('button', { name: 'Saved' }).waitFor()
  expect(await agent('zoes-desk')).toMatchObject({ name: 'Desk' })
  expect((await agent('zoes-desk')).draft).toEqual({ ...before, personality: 'Brief.' })
})

test('to whom an agent passes a message on: nobody, all, chosen ones; stand-in models; and what is off here says why', async () => {
  const draft = async () => (await agent('zoes-desk')).draft
  const saved = async () => {
    await page.getByRole('button', { name: 'Save draft' }).click()
    await page.getByRole('button', { name: 'Saved' }).waitFor()
  }
  const before = await draft()
  await page.getByRole('radio', { name: 'Any agent' }).check()
  await saved()
  expect(await draft()).toEqual({ ...before, delegates: 'all' })
  await page.getByRole('radio', { name: 'Chosen agents' }).check()
  await page.getByText('None is ticked: it answers everything itself.').waitFor()
  await page.getByRole('group', { name: 'Chosen agents' }).getByLabel('ProductCo Agent').check()
  await saved()
  const other = agents
    .parse((await api.call('GET', '/v1/agents')).body)
    .items.find(({ name }) => name === 'ProductCo Agent')
  expect((await draft()).delegates).toEqual([other?.slug])
  await page.reload()
  expect(await page.getByRole('group', { name: 'Chosen agents' }).getByLabel('ProductCo Agent').isChecked()).toBe(true)
  await page.getByRole('radio', { name: 'Nobody' }).check()
  await tokens('fallbackModels', ['openrouter:openai/gpt-4o', 'openai/gpt-4o-mini'])
  await saved()
  expect(await draft()).toEqual({ ...before, fallbackModels: ['openrouter:openai/gpt-4o', 'openai/gpt-4o-mini'] })
  await control('modelProvider').fill('anthropic')
  await page.locator('#modelProvider-note', { hasText: 'Off here: ' }).waitFor()
  await control('modelProvider').fill(before.modelProvider)
  await page.getByText('Models that are off here').click()
  const { items } = textModels.parse((await api.call('GET', '/v1/text-models')).body)
  for (const why of new Set(items.flatMap((each) => each.off ?? [])))
    await page.locator('.models-off', { hasText: why }).waitFor()
  await page.getByText('for 24 hours').waitFor()
  expect(await owner.check()).toEqual([])
})

test('[S000-5] what the API refuses is said at its field and nothing typed is lost; no number is guessed from letters', async () => {
  const before = (await agent('zoes-desk')).draft
  await control('maxTokens').fill('many')
  await page.getByText('A whole number, please.').waitFor()
  await page
    .getByRole('button', { name: 'Save draft' })
    .or(page.getByRole('button', { name: 'Saved' }))
    .waitFor()
  await control('maxTokens').fill('900000')
  await control('language').fill('not a language')
  await page.getByRole('button', { name: 'Save draft' }).click()
  await page.locator('#language-note.form-issue').waitFor()
  await page.locator('#maxTokens-note.form-issue').waitFor()
  await page.locator('.section-nav', { hasText: 'to correct' }).waitFor()
  expect(await control('language').inputValue()).toBe('not a language')
  expect((await agent('zoes-desk')).draft).toEqual(before)
})

test('changes that are not saved are not lost by a click on another screen', async () => {
  await page.getByRole('link', { name: 'Credits' }).click()
  const question = page.getByRole('alertdialog')
  await question.getByRole('button', { name: 'Cancel' }).click()
  expect(await control('language').inputValue()).toBe('not a language')
  await page.getByRole('link', { name: 'Credits' }).click()
  await question.getByRole('button', { name: 'Leave' }).click()
  await page.waitForURL('**/credits**')
})

test('[S000-17] play and pause in the list flip the status, and the API shows it', async () => {
  await owner.open('agents')
  const row = page
    .locator('[data-agent]')
    .filter({ has: page.getByRole('button', { name: /^Pause / }) })
    .first()
  const slug = (await row.getAttribute('data-agent')) ?? ''
  const own = page.locator(`[data-agent="${slug}"]`)
  expect((await agent(slug)).status).toBe('active')
  await own.getByRole('button', { name: /^Pause / }).click()
  await own.locator('[data-status=paused]').waitFor()
  await expect.poll(async () => (await agent(slug)).status).toBe('paused')
  await own.getByRole('button', { name: /^Activate / }).click()
  await own.locator('[data-status=active]').waitFor()
  await expect.poll(async () => (await agent(slug)).status).toBe('active')
  await page.reload()
  await own.locator('[data-status=active]').waitFor()
})

test('a draft is deployed with a note, changed, compared with what is live and rolled back', async () => {
  const { id } = await agent('zoes-desk')
  await owner.open(`agents/${id}`)
  await page.getByRole('button', { name: 'Deploy', exact: true }).click()
  await page.getByLabel('Note').fill('First one')
  await page.getByRole('dialog').getByRole('button', { name: 'Deploy' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  const first = await agent('zoes-desk')
  expect(first).toMatchObject({ status: 'active', version: first.draftVersion })
  await control('personality').fill('Talkative.')
  await page.getByRole('button', { name: 'Save draft' }).click()
  await page.getByRole('button', { name: 'Saved' }).waitFor()
  await page.getByRole('button', { name: 'Deploy', exact: true }).click()
  await page.getByRole('dialog').locator('.changes').getByText('Talkative.').waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Deploy' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.getByRole('tab', { name: 'Prompt' }).click()
  await page.getByRole('tabpanel').getByText('Talkative.').waitFor()
  await page.getByRole('tab', { name: 'Versions' }).click()
  const old = page.locator(`[data-version="${first.version}"]`)
  await old.getByRole('button', { name: 'Compare with live' }).click()
  await old.locator('ins').getByText('Brief.').waitFor()
  await old.getByRole('button', { name: 'Roll back' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Roll back' }).click()
  await expect.poll(async () => (await agent('zoes-desk')).live?.personality).toBe('Brief.')
})

test('an agent is deleted only after a question', async () => {
  await owner.open('agents')
  await page.getByRole('button', { name: 'More for Desk' }).click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click()
  await page.locator('[data-agent="zoes-desk"]').waitFor({ state: 'detached' })
  expect((await api.call('GET', '/v1/agents/by-slug/zoes-desk')).status).toBe(404)
})

test('the agents’ screens are readable for everybody, in the light and in the dark', async () => {
  const { items } = (await api.call('GET', '/v1/agents')).body as { items: { id: string }[] }
  for (const path of ['agents', `agents/${items[0]?.id}`, 'agents/activity', 'agents/approvals']) {
    await owner.open(path)
    await page.locator('main h1').waitFor()
    await page.waitForLoadState('networkidle')
    expect(await owner.check(), path).toEqual([])
  }
  expect(owner.errors.filter((text) => !/status of (400|404|409)/.test(text))).toEqual([])
})

test('the approvals tab says that nothing waits, and when something will', async () => {
  await owner.open('agents/approvals')
  await page.getByRole('heading', { name: 'Nothing waits for you' }).waitFor()
})
