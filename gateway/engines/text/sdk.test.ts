import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ScriptedModels, scriptedTokens, startScriptedModels } from '../../../test/harness/scripted-models.ts'
import { PartFailure } from './failure.ts'
import type { Message, Piece, Prompt } from './model.ts'
import { createSdkModel } from './sdk.ts'
import type { PartPlan, ServerKind } from './server.ts'
import { Tally } from './tally.ts'

let models: ScriptedModels
const providers = [
  ['anthropic', 'anthropic'],
  ['google', 'google'],
  ['openai-responses', 'openai'],
] as const

const tool = {
  name: 'search',
  description: 'Searches.',
  parameters: { type: 'object', properties: { colour: { type: 'string' } } },
}

beforeAll(async () => {
  models = await startScriptedModels()
  // Packages of some MB each: on a busy machine that takes its time.
  await Promise.all([import('@ai-sdk/anthropic'), import('@ai-sdk/google'), import('@ai-sdk/openai')])
  models
    .on(/hello/, { say: 'Good morning to you.' })
    .on(/sofa/, { say: 'Let me see.', call: { name: 'search', arguments: { colour: 'red' } } })
    .on(/Oslo/, { say: 'The Oslo costs 429 euros.' })
    .on(/endless/, { say: 'And so on and so', finish: 'length' })
    .on(/broken/, { say: 'This is cut in the middle of it.', cutAfter: 4 })
    .on(/stops/, { say: 'This stops in the middle of it.', endAfter: 4 })
    .on(/busy/, { status: 529 })
    .on(/many/, { status: 429 })
}, 60_000)
afterAll(() => models.stop())

function plan(kind: ServerKind, provider: 'anthropic' | 'google' | 'openai', apiKey = 'sk-test'): PartPlan {
  return {
    name: `${kind}:m-1`,
    server: { name: kind, kind, baseUrl: models.baseUrl(provider), apiKey },
    model: 'm-1',
    options: {},
  }
}

async function ask(of: PartPlan, messages: readonly Message[], more: Partial<Prompt> = {}) {
  const tally = new Tally()
  const pieces: Piece[] = []
  const prompt = { system: 'Be brief.', messages, tools: [], toolChoice: 'auto' as const, ...more }
  let failure: PartFailure | undefined
  try {
    for await (const piece of createSdkModel(of).answer(prompt, { signal: new AbortController().signal, tally }))
      pieces.push(piece)
  } catch (thrown) {
    if (!(thrown instanceof PartFailure)) throw thrown
    failure = thrown
  }
  const said = pieces.map((piece) => (piece.is === 'text' ? piece.delta : '')).join('')
  return { pieces, said, tally, failure }
}

const user = (text: string): Message => ({ role: 'user', text })

it.each(providers)('%s answers in its own wire, and its tokens are counted once each', async (kind, provider) => {
  const { said, pieces, tally, failure } = await ask(plan(kind, provider), [user('hello')])
  expect([failure, models.refused]).toEqual([undefined, []])
  expect(said).toBe('Good morning to you.')
  expect(pieces.at(-1)).toEqual({ is: 'end', reason: 'stop' })
  expect(tally.tokens).toEqual(scriptedTokens)
  expect(tally.isUnreported).toBe(false)
  expect(models.asked.at(-1)).toMatchObject({ provider, model: 'm-1' })
  expect(Object.keys(models.asked.at(-1)?.body ?? {})).not.toContain('temperature')
})

it.each(providers)(
  '%s calls a tool and takes its output back, with what it wants to see again',
  async (kind, provider) => {
    const of = plan(kind, provider)
    const first = await ask(of, [user('a sofa')], { tools: [tool] })
    const call = first.pieces.find((piece) => piece.is === 'call')?.call
    expect(call).toMatchObject({ name: 'search' })
    expect(JSON.parse(call?.arguments ?? '')).toEqual({ colour: 'red' })
    if (call === undefined) throw new Error('no call')
    const messages: Message[] = [
      user('a sofa'),
      { role: 'agent', text: 'Let me see.' },
      { role: 'call', call, output: 'Oslo, 429' },
    ]
    const second = await ask(of, messages, { tools: [tool] })
    expect([second.failure, models.refused]).toEqual([undefined, []])
    expect(second.said).toBe('The Oslo costs 429 euros.')
  },
)

it.each(providers)(
  '%s that runs out of tokens ends incomplete, and one that breaks off or refuses fails by name',
  async (kind, provider) => {
    const of = plan(kind, provider)
    expect((await ask(of, [user('endless')])).pieces.at(-1)).toEqual({ is: 'end', reason: 'length' })
    const cut = await ask(of, [user('broken')])
    expect(cut.failure?.code).toBe('connection_lost')
    expect(cut.said).not.toBe('')
    expect(cut.tally.isUnreported).toBe(true)
    expect((await ask(of, [user('stops')])).failure?.code).toBe('connection_lost')
    const busy = await ask(of, [user('busy')])
    expect([busy.failure?.code, busy.failure?.retryAfterMs]).toEqual(['server_error', 2_000])
    expect((await ask(of, [user('many')])).failure).toMatchObject({ code: 'rate_limit_exceeded', retryAfterMs: 2_000 })
    expect((await ask(plan(kind, provider, 'sk-wrong'), [user('hello')])).failure?.code).toBe('invalid_api_key')
    models.refused.length = 0
    expect(busy.tally.isUnreported).toBe(false)
  },
)

it.each(providers)('%s stops when it is told to', async (kind, provider) => {
  const stop = new AbortController()
  const reason = new PartFailure('timeout')
  stop.abort(reason)
  const stream = createSdkModel(plan(kind, provider)).answer(
    { system: '', messages: [user('hello')], tools: [], toolChoice: 'auto' },
    { signal: stop.signal, tally: new Tally() },
  )
  const read = async () => {
    for await (const piece of stream) expect(piece).toBe('nothing')
  }
  await expect(read()).rejects.toBe(reason)
})

it('a call of another maker comes without what that maker wanted back', async () => {
  const call = {
    callId: 'call_1',
    name: 'search',
    arguments: '{"colour":"red"}',
    keep: { by: 'other:m', value: { other: { secret: 'x' } } },
  }
  const messages: Message[] = [user('a sofa'), { role: 'call', call, output: 'Oslo, 429' }]
  for (const [kind, provider] of providers.filter(([each]) => each !== 'google')) {
    const { said } = await ask(plan(kind, provider), messages, { tools: [tool] })
    expect(said).toBe('The Oslo costs 429 euros.')
    expect(JSON.stringify(models.asked.at(-1)?.body)).not.toContain('secret')
  }
})
