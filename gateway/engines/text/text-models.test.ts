import { afterEach, expect, it, test } from 'vitest'
import {
  type ScriptedCascade,
  type ScriptedCascadeOptions,
  startScriptedCascade,
} from '../../../test/harness/scripted-cascade.ts'
import { type ScriptedModels, startScriptedModels } from '../../../test/harness/scripted-models.ts'
import { readConfig } from '../../config.ts'
import { systemClock } from '../../platform/clock.ts'
import { createLog } from '../../platform/log.ts'
import type { Piece } from './model.ts'
import { Health } from './order.ts'
import type { TextModel, TextModels, TextPrompt, TextUse, TextWish } from './text-model.ts'
import { createTextModels } from './text-models.ts'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

async function fake(options: ScriptedCascadeOptions = {}): Promise<ScriptedCascade> {
  const server = await startScriptedCascade({ apiKey: 'sk-test', ...options })
  stops.push(() => server.stop())
  return server
}

async function wires(): Promise<ScriptedModels> {
  const server = await startScriptedModels()
  stops.push(() => server.stop())
  return server
}

const knowledge = {
  search: async () => [{ title: 'Opening hours?', text: 'We open at nine.', score: 1, kind: 'faq' }],
}

function models(env: Readonly<Record<string, string>> = {}): TextModels {
  const log = createLog('silent')
  const times = { firstMs: 400, lastMs: 2_000, stallMs: 300 }
  return createTextModels({
    plan: readConfig(env).text,
    knowledge,
    clock: systemClock,
    health: new Health(systemClock, log),
    times,
  })
}

const wish: TextWish = { provider: 'auto', model: '', fallbacks: [], temperature: null, maxTokens: null }
const tool = {
  name: 'search_products',
  description: 'Searches products.',
  parameters: { type: 'object', properties: { query: { type: 'string' } }, required: ['query'] },
}

interface Said {
  readonly text: string
  readonly calls: readonly string[]
  readonly uses: readonly TextUse[]
  readonly asked: readonly string[]
  readonly failure: string | undefined
}

async function ask(all: TextModels, chain: readonly TextModel[], more: Partial<TextPrompt> = {}): Promise<Said> {
  const pieces: Piece[] = []
  const uses: TextUse[] = []
  const asked: string[] = []
  const prompt = {
    tenantId: 'ten_1',
    system: 'Be brief.',
    messages: [{ role: 'user' as const, text: 'hello' }],
    tools: [],
    toolChoice: 'auto' as const,
    ...more,
  }
  let failure: string | undefined
  try {
    const on = {
      signal: new AbortController().signal,
      used: (use: TextUse) => void uses.push(use),
      asking: (model: TextModel) => void asked.push(model.name),
    }
    for await (const piece of all.ask(chain, prompt, on)) pieces.push(piece)
  } catch (thrown) {
    failure = all.failure(thrown)?.code ?? String(thrown)
  }
  const text = pieces.map((piece) => (piece.is === 'text' ? piece.delta : '')).join('')
  return {
    text,
    calls: pieces.flatMap((piece) => (piece.is === 'call' ? [piece.call.name] : [])),
    uses,
    asked,
    failure,
  }
}

const chosenFour = ['anthropic/claude-sonnet-4', 'openai/gpt-4o', 'openai/gpt-4o-mini', 'google/gemini-pro-1.5']

test('[S000-11] each of the four models reaches OpenRouter by its id, with temperature and maxTokens', async () => {
  const openRouter = await fake()
  openRouter.on(/hello/, { say: 'Good day.' })
  const all = models({ OPENROUTER_API_KEY: 'sk-test', OPENROUTER_BASE_URL: openRouter.baseUrl })
  for (const model of chosenFour) {
    const chain = all.chain({ ...wish, provider: 'openrouter', model, temperature: 0.3, maxTokens: 200 })
    expect((await ask(all, chain)).text).toBe('Good day.')
    expect(openRouter.lastChat).toMatchObject({ model, temperature: 0.3, max_tokens: 200 })
  }
  const listed = all.list().filter(({ provider, off }) => provider === 'openrouter' && off === undefined)
  expect(listed.map(({ label }) => label)).toEqual(['Claude Sonnet 4', 'GPT-4o', 'GPT-4o Mini', 'Gemini Pro 1.5'])
  expect(listed.map(({ model }) => model)).toEqual(chosenFour)
})

it('never sends a vendor what its model refuses', async () => {
  const openAi = await fake()
  const claude = await wires()
  const env = { OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: openAi.baseUrl, ANTHROPIC_API_KEY: 'sk-test' }
  const all = models({ ...env, ANTHROPIC_BASE_URL: claude.baseUrl('anthropic') })
  const sent = async (provider: string, model: string) => {
    const said = await ask(all, all.chain({ ...wish, provider, model, temperature: 1.5, maxTokens: 50 }))
    expect(said.asked).toEqual([`${provider}:${model}`])
    expect(said.failure).toBeUndefined()
    return provider === 'anthropic' ? (claude.asked.at(-1)?.body ?? {}) : openAi.lastChat
  }
  expect(await sent('openai', 'gpt-4o')).toMatchObject({ temperature: 1.5, max_tokens: 50 })
  const reasons = await sent('openai', 'gpt-5.5')
  expect(reasons).toMatchObject({ max_completion_tokens: 50 })
  expect(reasons).not.toHaveProperty('temperature')
  expect(reasons).not.toHaveProperty('max_tokens')
  // More than Claude takes becomes the most it takes.
  expect(await sent('anthropic', 'claude-sonnet-4-5')).toMatchObject({ temperature: 1, max_tokens: 50 })
  expect(await sent('anthropic', 'claude-sonnet-5')).not.toHaveProperty('temperature')
  expect(openAi.refused).toEqual([])
  expect(claude.refused).toEqual([])
})

it.each(['http', 'anthropic'] as const)(
  'learns from one refusal of %s that a temperature is not taken',
  async (wire) => {
    const server = await fake({ refuses: ['temperature'] })
    const claude = await wires()
    claude.fixedSampling.add('claude-haiku-4-5')
    const all = models(
      wire === 'http'
        ? { OPENROUTER_API_KEY: 'sk-test', OPENROUTER_BASE_URL: server.baseUrl }
        : { ANTHROPIC_API_KEY: 'sk-test', ANTHROPIC_BASE_URL: claude.baseUrl('anthropic') },
    )
    const named =
      wire === 'http'
        ? { provider: 'openrouter', model: 'x/new' }
        : { provider: 'anthropic', model: 'claude-haiku-4-5' }
    for (const _ of [1, 2]) {
      expect((await ask(all, all.chain({ ...wish, ...named, temperature: 0.5 }))).failure).toBeUndefined()
    }
    expect(wire === 'http' ? server.refused.length : claude.refused.length).toBe(1)
  },
)

it('asks the fallbacks of the agent, then what the gateway has, and says who was passed over', async () => {
  const server = await fake()
  server.on(/hello/, { say: 'From here.' })
  const all = models({
    CASCADE_SERVERS: `own=${server.baseUrl} sk-test`,
    TEXT_MODELS: 'own:house',
  })
  const choice = all.choose({
    ...wish,
    provider: 'anthropic',
    model: 'claude-sonnet-5',
    fallbacks: ['own:second', 'nobody:x'],
  })
  expect(choice.models.map(({ name }) => name)).toEqual(['own:second', 'own:house'])
  expect(choice.passedOver).toEqual([
    { name: 'anthropic:claude-sonnet-5', reason: 'anthropic needs its key' },
    { name: 'anthropic:nobody:x', reason: 'anthropic needs its key' },
  ])
  expect(choice.why).toBe('stands in for a model that cannot be asked')
  expect(all.problem({ provider: 'anthropic', model: 'claude-sonnet-5' })).toBe('anthropic needs its key')
  expect(all.problem({ provider: 'nobody', model: 'x' })).toMatch(/no server is called nobody/)
  expect(all.problem({ provider: 'own', model: 'any' })).toBeUndefined()
  expect(all.problem({ provider: 'auto', model: '' })).toBeUndefined()
})

it('goes on with the next model where one breaks off, and the bill has both', async () => {
  const first = await fake()
  const second = await fake()
  for (const server of [first, second]) server.on(/hello/, { say: 'One two three four five.' })
  const all = models({
    CASCADE_SERVERS: `a=${first.baseUrl} sk-test, b=${second.baseUrl} sk-test`,
    TEXT_MODELS: 'a:m, b:m',
  })
  first.breaks('chat', { how: 'cut', after: 4 })
  const said = await ask(all, all.chain(wish))
  expect(said.text.replace(/\s+/g, '')).toBe('Onetwothreefourfive.')
  expect(said.uses).toMatchObject([
    { provider: 'a', model: 'm', tokens: undefined, isUnreported: true, failed: 'connection_lost' },
    { provider: 'b', model: 'm', isUnreported: false, tokens: { output: expect.any(Number) } },
  ])
  expect(said.uses[1]?.tokens?.input).toBeGreaterThan(0)
  // Who failed is asked last for a while.
  expect((await ask(all, all.chain(wish))).asked).toEqual(['b:m'])
})

it.each([
  [{ how: 'status', status: 401, code: 'invalid_api_key' } as const, 'invalid_api_key'],
  [{ how: 'status', status: 429, code: 'rate_limit_exceeded' } as const, 'rate_limit_exceeded'],
  [{ how: 'stall', after: 0 } as const, 'timeout'],
])('fails by name when nobody answers: %o', async (how, code) => {
  const server = await fake()
  server.always('chat', how)
  const all = models({ CASCADE_SERVERS: `a=${server.baseUrl} sk-test`, TEXT_MODELS: 'a:m, a:n' })
  const said = await ask(all, all.chain(wish))
  expect(said).toMatchObject({ failure: code, asked: ['a:m', 'a:n'] })
})

it('takes usage that was never told for unknown, not for nothing', async () => {
  const server = await fake({ usage: 'never' })
  const all = models({ CASCADE_SERVERS: `a=${server.baseUrl} sk-test`, TEXT_MODELS: 'a:m' })
  expect((await ask(all, all.chain(wish))).uses).toEqual([
    { provider: 'a', model: 'm', tokens: undefined, isUnreported: true },
  ])
})

it('counts what a listener took who left in the middle', async () => {
  const server = await fake()
  server.on(/hello/, { say: 'One two three.', wordMs: 20 })
  const all = models({ CASCADE_SERVERS: `a=${server.baseUrl} sk-test`, TEXT_MODELS: 'a:m' })
  const uses: TextUse[] = []
  const prompt = {
    tenantId: 't',
    system: '',
    messages: [{ role: 'user' as const, text: 'hello' }],
    tools: [],
    toolChoice: 'auto' as const,
  }
  for await (const _ of all.ask(all.chain(wish), prompt, {
    signal: new AbortController().signal,
    used: (use) => void uses.push(use),
  }))
    break
  expect(uses).toEqual([{ provider: 'a', model: 'm', tokens: undefined, isUnreported: true, failed: 'aborted' }])
})

it('chooses between a cheap and a good model by what the question needs, and says why', () => {
  const all = models({ OPENROUTER_API_KEY: 'k' })
  const first = (text: string, more: Partial<NonNullable<TextWish['question']>> = {}) => {
    const choice = all.choose({ ...wish, question: { text, tools: 0, language: 'en', historyChars: 0, ...more } })
    return [choice.models[0]?.model, choice.why]
  }
  expect(first('When do you open?')).toEqual(['openai/gpt-4o-mini', 'cheap model: a short question without tools'])
  expect(first('When do you open?', { tools: 2 })).toEqual(['openai/gpt-4o-mini', 'cheap model: 2 tools'])
  expect(first('Compare the two plans for me')).toEqual(['anthropic/claude-sonnet-4', 'best model: asks for reasons'])
  expect(first('Is it open? And where is it?', { tools: 1 })).toEqual([
    'anthropic/claude-sonnet-4',
    'best model: 1 tool, more than one question',
  ])
  expect(first('Kiedy otwieracie?', { language: 'pl' })[1]).toBe('best model: language pl')
  expect(first('x'.repeat(401))[1]).toBe('best model: 401 characters')
  expect(all.choose({ ...wish, purpose: 'cheap' }).models.map(({ model }) => model)).toEqual([
    'openai/gpt-4o-mini',
    'anthropic/claude-sonnet-4',
  ])
})

it('answers without any key from what it was given, calls tools, and asks for what a tool needs', async () => {
  const all = models()
  const chain = all.chain({ ...wish, provider: 'openrouter', model: 'openai/gpt-4o' })
  expect(chain.map(({ name, demo }) => ({ name, demo }))).toEqual([{ name: 'demo', demo: true }])
  const user = (text: string) => ({ role: 'user' as const, text })
  const agent = (text: string) => ({ role: 'agent' as const, text })
  const known = await ask(all, chain, { messages: [user('When are your opening hours?')] })
  expect(known).toMatchObject({ text: 'We open at nine.', uses: [{ provider: 'demo', isUnreported: false }] })
  const faq = await ask(all, chain, {
    system: 'You are a shop.\n\n{"question":"Do you deliver to islands?","answer":"Yes, twice a week."}',
    messages: [user('do you deliver to islands')],
  })
  expect(faq.text).toBe('Yes, twice a week.')
  const book = {
    name: 'book_table',
    description: 'Books a table.',
    parameters: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
  }
  const asks = await ask(all, chain, { messages: [user('book a table')], tools: [book] })
  expect(asks.text).toBe('What is the name, please?')
  const calls = await ask(all, chain, {
    messages: [user('book a table'), agent(asks.text), user('Ada')],
    tools: [book],
  })
  expect(calls.calls).toEqual(['book_table'])
  const call = { callId: 'c1', name: 'search_products', arguments: '{"query":"sofa"}' }
  const told = await ask(all, chain, {
    messages: [user('find a sofa'), { role: 'call', call, output: '{"items":[{"name":"Sofa Oslo","price":300}]}' }],
    tools: [tool],
  })
  expect(told.text).toContain('Sofa Oslo')
})
