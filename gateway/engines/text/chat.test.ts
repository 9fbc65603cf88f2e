import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type ScriptedCascade, startScriptedCascade } from '../../../test/harness/scripted-cascade.ts'
import { CascadeMeters } from '../cascade/meters.ts'
import { createChat } from './chat.ts'
import { PartFailure } from './failure.ts'
import type { Message, Piece, Prompt } from './model.ts'
import { Tally } from './tally.ts'

let server: ScriptedCascade

beforeEach(async () => {
  server = await startScriptedCascade({ apiKey: 'sk-test' })
})
afterEach(() => server.stop())

const tool = { name: 'search', description: 'Searches.', parameters: { type: 'object', properties: {} } }
const user = (text: string): Message => ({ role: 'user', text })

function chat(on = server, options: Readonly<Record<string, string | number | boolean>> = {}) {
  return createChat({
    name: 'own:m',
    server: { name: 'own', kind: 'http', baseUrl: on.baseUrl, apiKey: 'sk-test' },
    model: 'm',
    options,
  })
}

async function ask(messages: readonly Message[], more: Partial<Prompt> = {}, llm = chat()) {
  const tally = new Tally()
  const pieces: Piece[] = []
  const prompt: Prompt = { system: 'Be brief.', messages, tools: [], toolChoice: 'auto', ...more }
  let failure: PartFailure | undefined
  try {
    for await (const piece of llm.answer(prompt, { signal: new AbortController().signal, tally })) pieces.push(piece)
  } catch (thrown) {
    if (!(thrown instanceof PartFailure)) throw thrown
    failure = thrown
  }
  return { pieces, said: pieces.map((each) => (each.is === 'text' ? each.delta : '')).join(''), tally, failure }
}

it('asks for no more than every server takes', async () => {
  server.on(/hello/, { say: 'Good morning.' })
  expect((await ask([user('hello')])).said).toBe('Good morning.')
  expect(server.lastChat).toEqual({
    model: 'm',
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'hello' },
    ],
    stream: true,
    stream_options: { include_usage: true },
  })
})

it('sends what the operator adds to a model', async () => {
  await ask([user('hello')], {}, chat(server, { reasoning_effort: 'minimal' }))
  expect(server.lastChat.reasoning_effort).toBe('minimal')
})

it('leaves out what a server refuses, at the cost of one request, and keeps to it', async () => {
  const strict = await startScriptedCascade({ refuses: ['stream_options'] })
  const llm = chat(strict)
  await ask([user('hello')], {}, llm)
  await ask([user('hello')], {}, llm)
  expect(strict.refused.map(({ error }) => error.param)).toEqual(['stream_options'])
  expect(strict.chats.map((body) => 'stream_options' in body)).toEqual([false, false])
  await strict.stop()
})

it('does not give up a field for an error that was about something else', async () => {
  const strict = await startScriptedCascade({ refuses: ['model'] })
  const llm = chat(strict)
  expect((await ask([user('hello')], {}, llm)).failure?.code).toBe('unsupported_parameter')
  expect(strict.refused).toHaveLength(1)
  await strict.stop()
  const worse = await startScriptedCascade({ refuses: ['stream_options', 'model'] })
  const both = chat(worse)
  for (const _ of [1, 2]) await ask([user('hello')], {}, both)
  expect(worse.refused.map(({ error }) => error.param)).toEqual(['stream_options', 'model', 'stream_options', 'model'])
  await worse.stop()
})

it('gathers calls from their fragments, and shows each with its output once', async () => {
  const calls = [
    { name: 'search', arguments: '{"colour":"red","price":{"max":500}}' },
    { name: 'search', arguments: '' },
  ]
  server.on(/sofa/, { say: 'One moment.', calls })
  const { pieces } = await ask([user('a sofa')], { tools: [tool] })
  const made = pieces.flatMap((piece) => (piece.is === 'call' ? [piece.call] : []))
  expect(made.map((call) => call.arguments)).toEqual([calls[0]?.arguments, '{}'])
  expect(new Set(made.map((call) => call.callId)).size).toBe(2)
  const messages: Message[] = [
    user('a sofa'),
    { role: 'agent', text: 'One moment.' },
    ...made.map((call): Message => ({ role: 'call', call, output: 'none' })),
    user('and?'),
  ]
  expect((await ask(messages, { tools: [tool] })).failure).toBeUndefined()
  expect(server.lastChat.messages.map(({ role }) => role)).toEqual([
    'system',
    'user',
    'assistant',
    'tool',
    'tool',
    'user',
  ])
})

it('sends back what a maker wants to see again, and nothing of it to another', async () => {
  const keep = { by: 'own:m', value: { reasoning: 'I thought.', extra: { google: { thought_signature: 's' } } } }
  const call = { callId: 'c1', name: 'search', arguments: 'not json', keep }
  await ask([user('x'), { role: 'call', call, output: 'ok' }], { tools: [tool] })
  expect(server.lastChat.messages[2]).toEqual({
    role: 'assistant',
    content: null,
    reasoning_content: 'I thought.',
    tool_calls: [
      { id: 'c1', type: 'function', function: { name: 'search', arguments: '{}' }, extra_content: keep.value.extra },
    ],
  })
  await ask([user('x'), { role: 'call', call: { ...call, keep: { ...keep, by: 'other' } }, output: 'ok' }], {
    tools: [tool],
  })
  expect(JSON.stringify(server.lastChat)).not.toMatch(/I thought|thought_signature/)
})

it.each([
  ['cut', 'connection_lost'],
  ['garbage', 'malformed'],
  ['error', 'server_error'],
] as const)('an answer that ends in the middle (%s) is a failure with a name, after what came', async (how, code) => {
  server.on(/hello/, { say: 'Good morning to you and yours.' }).breaks('chat', { how, after: 4 })
  const { said, failure, tally } = await ask([user('hello')])
  expect([said, failure?.code]).toEqual(['Good morning', code])
  expect(tally.isUnreported).toBe(true)
})

it('an answer that just stops, without a reason and without its end, is not taken for whole', async () => {
  server.on(/hello/, { raw: ['data: {"choices":[{"delta":{"content":"Good"}}]}\n\n'] })
  expect((await ask([user('hello')])).failure?.code).toBe('connection_lost')
  server.on(/hello/, { raw: ['data: {"choices":[{"delta":{"content":"Good"},"finish_reason":"stop"}]}\n\n'] })
  expect((await ask([user('hello')])).pieces.at(-1)).toEqual({ is: 'end', reason: 'stop' })
})

it('a refusal has the name that says whether to come back', async () => {
  const cases = [
    [{ how: 'status', status: 500 }, 'server_error', null],
    [{ how: 'status', status: 429, code: 'rate_limit_exceeded', retryAfter: '3' }, 'rate_limit_exceeded', 3_000],
    [{ how: 'status', status: 429, code: 'insufficient_quota' }, 'insufficient_quota', null],
    [{ how: 'status', status: 402 }, 'insufficient_quota', null],
    [{ how: 'status', status: 401 }, 'invalid_api_key', null],
    [{ how: 'status', status: 404 }, 'model_not_found', null],
  ] as const
  for (const [how, code, retryAfterMs] of cases) {
    server.breaks('chat', how)
    const { failure, tally } = await ask([user('hello')])
    expect([failure?.code, failure?.retryAfterMs, tally.isUnreported]).toEqual([code, retryAfterMs, false])
  }
  await server.stop()
  expect((await ask([user('x')])).failure?.code).toBe('unreachable')
})

it('no chunk a server may send makes anything but pieces or a named failure', async () => {
  const word = fc.constantFrom(
    'choices',
    'delta',
    'tool_calls',
    'content',
    'usage',
    'index',
    'function',
    'finish_reason',
    'error',
    'id',
    'name',
    'arguments',
  )
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(word, tie('value'), { maxKeys: 4 }),
    ),
  }))
  const chunk = fc.oneof(
    fc
      .record(
        { choices: fc.array(fc.record({ delta: value, finish_reason: value }), { maxLength: 2 }), usage: value },
        { requiredKeys: [] },
      )
      .map((each) => `data: ${JSON.stringify(each)}\n\n`),
    value.map((each) => `data: ${JSON.stringify(each)}\r\n\r\n`),
    fc.string().map((each) => `data: ${each}\n\n`),
    fc.constantFrom(': comment\n\n', 'data: [DONE]\n\n', 'event: x\ndata: {}\n\n', '\n', 'data:\n\n'),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(chunk, { maxLength: 5 }), async (raw) => {
      server.on(/fuzz/, { raw })
      const { failure, pieces } = await ask([user('fuzz')])
      expect(failure !== undefined || pieces.at(-1)?.is === 'end').toBe(true)
    }),
    { numRuns: 150 },
  )
})

it.each(['last', 'every', 'twice'] as const)(
  'books what the provider charges when it tells usage with: %s',
  async (usage) => {
    const other = await startScriptedCascade({ usage })
    const llm = chat(other)
    const meters = new CascadeMeters()
    for (const text of ['hello', 'x'.repeat(1_000), 'and again']) {
      const { tally } = await ask([user(text)], {}, llm)
      meters.completion(tally)
    }
    const totals = meters.totals
    expect((totals['input.text.tokens'] ?? 0) + (totals['input.cached.text.tokens'] ?? 0)).toBe(other.charged.input)
    expect(totals['input.cached.text.tokens']).toBe(other.charged.cached)
    expect(totals['output.text.tokens']).toBe(other.charged.output)
    expect(totals['unknown.usages']).toBeUndefined()
    await other.stop()
  },
)

it('a provider that never tells what it used is counted as not telling', async () => {
  const silent = await startScriptedCascade({ usage: 'never' })
  const meters = new CascadeMeters()
  meters.completion((await ask([user('hello')], {}, chat(silent))).tally)
  expect(meters.totals).toEqual({ 'unknown.usages': 1 })
  await silent.stop()
})
