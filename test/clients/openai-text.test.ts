// The stock `openai` package against the text doors: chat completions, responses and models, unmodified.

import OpenAI, { APIError, BadRequestError, NotFoundError, PermissionDeniedError } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTextPlace, type TextPlace, textModels } from './text-place.ts'

const weather = {
  name: 'search_weather',
  description: 'Searches the weather of a place.',
  parameters: { type: 'object', properties: { query: { type: 'string' } }, required: ['query'] },
}
const result = '{"degrees":21,"place":"Paris"}'

async function conversations(place: TextPlace): Promise<number> {
  const { db } = place.gateway.app.stores.mongo
  const tenant = await place.gateway.app.slices.tenants.bySlug('productco')
  return db.collection('conversations').countDocuments({ tenantId: tenant?.id })
}

/** Messages that were taken to be answered. */
async function answered(place: TextPlace): Promise<number> {
  const { db } = place.gateway.app.stores.mongo
  const tenant = await place.gateway.app.slices.tenants.bySlug('productco')
  return db.collection('inbound_messages').countDocuments({ tenantId: tenant?.id })
}

describe.each(textModels)('%s', (name) => {
  let place: TextPlace
  let client: OpenAI
  let model = ''
  beforeAll(async () => {
    place = await openTextPlace(name)
    client = new OpenAI({ apiKey: place.gateway.apiKey, baseURL: `${place.gateway.url}/v1`, maxRetries: 0 })
    const [first] = (await client.models.list()).data
    model = first?.id ?? ''
  })
  afterAll(() => place[Symbol.asyncDispose]())

  test('the agents are the models', async () => {
    expect(model).not.toBe('')
    expect(await client.models.retrieve(model)).toMatchObject({ id: model, object: 'model' })
    await expect(client.models.retrieve('nobody')).rejects.toBeInstanceOf(NotFoundError)
  })

  test('a completion has words, an end and what it took', async () => {
    const completion = await client.chat.completions.create({
      model,
      messages: [{ role: 'user', content: 'What are your opening hours?' }],
    })
    expect(completion).toMatchObject({ object: 'chat.completion', model })
    expect(completion.choices[0]).toMatchObject({ index: 0, finish_reason: 'stop', message: { role: 'assistant' } })
    expect(completion.choices[0]?.message.content).not.toBe('')
    const { usage } = completion
    expect(usage?.total_tokens).toBe((usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0))
    expect(usage?.prompt_tokens).toBeGreaterThanOrEqual(place.tokens?.input ?? 0)
    expect(usage?.prompt_tokens_details?.cached_tokens).toBeGreaterThanOrEqual(place.tokens?.cached ?? 0)
  })

  test('a stream is the same in pieces, its usage last', async () => {
    const stream = client.chat.completions.stream({
      model,
      messages: [{ role: 'user', content: 'What are your opening hours?' }],
      stream_options: { include_usage: true },
    })
    const contents: string[] = []
    stream.on('content', (delta) => void contents.push(delta))
    const final = await stream.finalChatCompletion()
    expect(contents.length).toBeGreaterThan(1)
    expect(final.choices[0]?.message.content).toBe(contents.join(''))
    expect(final.choices[0]?.finish_reason).toBe('stop')
    expect((await stream.totalUsage()).total_tokens).toBeGreaterThanOrEqual(place.tokens?.input ?? 0)
  })

  test('a tool of the client is called, and its result answered, in one conversation that nothing is in twice', async () => {
    const before = await conversations(place)
    const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'Search the weather in Paris' }]
    const tools = [{ type: 'function' as const, function: weather }]
    const first = await client.chat.completions.create({ model, messages, tools })
    const asked = first.choices[0]
    expect(asked?.finish_reason).toBe('tool_calls')
    const call = asked?.message.tool_calls?.[0]
    if (asked === undefined || call?.type !== 'function') throw new Error('no call')
    expect(call.function.name).toBe('search_weather')
    expect(JSON.parse(call.function.arguments)).toHaveProperty('query')
    messages.push(asked.message, { role: 'tool', tool_call_id: call.id, content: result })
    const second = await client.chat.completions.create({ model, messages, tools })
    expect(second.choices[0]).toMatchObject({ finish_reason: 'stop' })
    expect(second.choices[0]?.message.content).toMatch(/21/)
    messages.push({ role: 'assistant', content: second.choices[0]?.message.content ?? '' })
    messages.push({ role: 'user', content: 'And your opening hours?' })
    await client.chat.completions.create({ model, messages })
    expect(await conversations(place)).toBe(before + 1)
    const { db } = place.gateway.app.stores.mongo
    const tenant = await place.gateway.app.slices.tenants.bySlug('productco')
    const [last] = await db
      .collection('turns')
      .find({ tenantId: tenant?.id, role: 'user' })
      .sort({ createdAt: -1 })
      .limit(1)
      .toArray()
    const said = await db
      .collection('turns')
      .find({ tenantId: tenant?.id, conversationId: last?.conversationId, role: 'user' })
      .toArray()
    expect(said.map(({ text }) => text).sort()).toEqual(['And your opening hours?', 'Search the weather in Paris'])
  })

  test('streamed calls arrive whole', async () => {
    const stream = client.chat.completions.stream({
      model,
      messages: [{ role: 'user', content: 'Search the weather in Paris' }],
      tools: [{ type: 'function', function: weather }],
    })
    const message = await stream.finalMessage()
    expect(message.tool_calls?.[0]).toMatchObject({ type: 'function', function: { name: 'search_weather' } })
  })

  test('tools of the agent run inside, unseen', async () => {
    const completion = await client.chat.completions.create({
      model,
      messages: [{ role: 'user', content: 'Show me a sofa please' }],
    })
    expect(completion.choices[0]?.finish_reason).toBe('stop')
    expect(completion.choices[0]?.message.tool_calls).toBeUndefined()
    expect(completion.choices[0]?.message.content).not.toBe('')
  })

  test('what is not supported is refused by name, before anything is answered', async () => {
    const before = await answered(place)
    expect(before).toBeGreaterThan(0)
    const ask = (more: Partial<OpenAI.ChatCompletionCreateParamsNonStreaming>) =>
      client.chat.completions.create({ model, messages: [{ role: 'user', content: 'hello' }], ...more }).then(
        () => undefined,
        (error: unknown) => (error instanceof APIError ? error : undefined),
      )
    for (const [param, more] of Object.entries({
      n: { n: 2 },
      logprobs: { logprobs: true },
      stop: { stop: ['x'] },
      temperature: { temperature: 3 },
      tool_choice: { tool_choice: { type: 'function' as const, function: { name: 'x' } } },
      'messages[0].content[0]': {
        messages: [
          { role: 'user' as const, content: [{ type: 'image_url' as const, image_url: { url: 'http://x' } }] },
        ],
      },
      messages: { messages: [{ role: 'assistant' as const, content: 'I am last' }] },
    })) {
      const error = await ask(more)
      expect(error, param).toBeInstanceOf(BadRequestError)
      expect(error).toMatchObject({ param, type: 'invalid_request_error', code: 'invalid' })
    }
    const unknown = await ask({ model: 'nobody' })
    expect(unknown).toBeInstanceOf(NotFoundError)
    expect(unknown).toMatchObject({ param: 'model', code: 'unknown_agent' })
    const stranger = new OpenAI({ apiKey: 'af_live_x', baseURL: client.baseURL, maxRetries: 0 })
    await expect(stranger.models.list()).rejects.toMatchObject({ status: 401 })
    expect(await answered(place)).toBe(before)
  })

  test('a response has items, is kept, can be gone on from and forgotten', async () => {
    const before = await conversations(place)
    const first = await client.responses.create({ model, input: 'What are your opening hours?' })
    expect(first).toMatchObject({ object: 'response', status: 'completed', model })
    expect(first.output_text).not.toBe('')
    expect(first.output[0]).toMatchObject({ type: 'message', role: 'assistant', status: 'completed' })
    const second = await client.responses.create({
      model,
      input: 'Search the weather in Paris',
      previous_response_id: first.id,
      tools: [{ type: 'function', ...weather, strict: false }],
    })
    const call = second.output.find((each) => each.type === 'function_call')
    if (call === undefined) throw new Error('no call')
    const third = await client.responses.create({
      model,
      previous_response_id: second.id,
      input: [{ type: 'function_call_output', call_id: call.call_id, output: result }],
      tools: [{ type: 'function', ...weather, strict: false }],
    })
    expect(third.output_text).toMatch(/21/)
    expect(await conversations(place)).toBe(before + 1)
    expect(await client.responses.retrieve(third.id)).toMatchObject({ id: third.id, output: third.output })
    await client.responses.delete(third.id)
    await expect(client.responses.retrieve(third.id)).rejects.toBeInstanceOf(NotFoundError)
    await expect(client.responses.create({ model, input: 'x', previous_response_id: third.id })).rejects.toMatchObject({
      status: 404,
      param: 'previous_response_id',
    })
  })

  test('a streamed response tells its making in the original’s order', async () => {
    const stream = client.responses.stream({ model, input: 'What are your opening hours?' })
    const types: string[] = []
    const numbers: number[] = []
    for await (const event of stream) {
      if (types.at(-1) !== event.type) types.push(event.type)
      numbers.push(event.sequence_number)
    }
    expect(types).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ])
    expect(numbers).toEqual(numbers.map((_, i) => i))
    const final = await stream.finalResponse()
    expect(final.output_text).not.toBe('')
  })
})

test.each(['openai-compatible', 'anthropic'] as const)(
  '[S001-30] a model of the wire %s that never stops calling tools is stopped after ten answers, with a clean end',
  async (name) => {
    await using place = await openTextPlace(name)
    place.on(/./, { call: { name: 'search_products', arguments: { query: 'sofa' } } })
    const client = new OpenAI({ apiKey: place.gateway.apiKey, baseURL: `${place.gateway.url}/v1`, maxRetries: 0 })
    const model = (await client.models.list()).data[0]?.id ?? ''
    const completion = await client.chat.completions.create({
      model,
      messages: [{ role: 'user', content: 'Look for sofas' }],
    })
    expect(completion.choices[0]).toMatchObject({ finish_reason: 'stop' })
    expect(completion.choices[0]?.message.content).toMatch(/could not finish/)
    expect(completion.choices[0]?.message.tool_calls).toBeUndefined()
    const asked: readonly unknown[] = JSON.parse(place.asked())
    expect(asked.length).toBeLessThanOrEqual(10)
    expect(asked.length).toBeGreaterThan(5)
    expect(completion.usage?.prompt_tokens).toBeGreaterThanOrEqual(asked.length * (place.tokens?.input ?? 0))
  },
)

describe('whatever the model', () => {
  let place: TextPlace
  let client: OpenAI
  let model = ''
  beforeAll(async () => {
    place = await openTextPlace('openai-compatible')
    client = new OpenAI({ apiKey: place.gateway.apiKey, baseURL: `${place.gateway.url}/v1`, maxRetries: 0 })
    model = (await client.models.list()).data[0]?.id ?? ''
  })
  afterAll(() => place[Symbol.asyncDispose]())

  async function publish(change: Readonly<Record<string, unknown>>): Promise<void> {
    const { tenants, agents } = place.gateway.app.slices
    const tenant = await tenants.bySlug('productco')
    if (tenant === undefined) throw new Error('no tenant')
    const agent = await agents.of(tenant.id).bySlug(model)
    if (agent === undefined) throw new Error('no agent')
    await agents.of(tenant.id).saveDraft(agent.id, { ...agent.draft, ...change })
    await agents.of(tenant.id).publish(agent.id)
  }

  test('[S000-11] the agent’s model, temperature and limit reach OpenRouter; the client may ask for others of the last two', async () => {
    for (const modelId of [
      'anthropic/claude-sonnet-4',
      'openai/gpt-4o',
      'openai/gpt-4o-mini',
      'google/gemini-pro-1.5',
    ]) {
      await publish({ modelProvider: 'openrouter', modelId, temperature: 0.3, maxTokens: 400 })
      await client.chat.completions.create({
        model,
        messages: [{ role: 'user', content: 'What are your opening hours?' }],
      })
      const asked: unknown = JSON.parse(place.asked()).at(-1)
      expect(asked).toMatchObject({ model: modelId, temperature: 0.3, max_tokens: 400 })
    }
    await client.chat.completions.create({
      model,
      messages: [{ role: 'user', content: 'What are your opening hours?' }],
      temperature: 1.1,
      max_completion_tokens: 50,
    })
    expect(JSON.parse(place.asked()).at(-1)).toMatchObject({ temperature: 1.1, max_tokens: 50 })
  })

  test('[S000-11] people choose from a list, and a model that cannot be asked here is refused when it is saved', async () => {
    const { gateway } = place
    const listed = await gateway.get('/v1/text-models')
    expect(JSON.stringify(listed.body)).toContain('"model":"google/gemini-pro-1.5","label":"Gemini Pro 1.5"}')
    const save = (config: Readonly<Record<string, unknown>>) =>
      publish(config).then(
        () => 'saved',
        (error: unknown) => (error instanceof Error ? error.message : ''),
      )
    expect(await save({ modelProvider: 'nobody', modelId: 'x' })).toMatch(
      /cannot ask that model: no server is called nobody/,
    )
    expect(await save({ modelProvider: 'deepseek', modelId: 'deepseek-chat' })).toMatch(/deepseek needs its key/)
    expect(await save({ modelProvider: 'openrouter', modelId: 'x/y' })).toBe('saved')
  })

  test('JSON is JSON, or the answer fails by name', async () => {
    const completion = await client.chat.completions.create({
      model,
      messages: [{ role: 'user', content: 'When, as JSON?' }],
      response_format: { type: 'json_object' },
    })
    expect(completion.choices[0]?.message.content).toBe('{"open": 9}')
    await expect(
      client.chat.completions.create({
        model,
        messages: [{ role: 'user', content: 'When, as JSON?' }],
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'x', schema: { type: 'object', required: ['closed'] } },
        },
      }),
    ).rejects.toMatchObject({ status: 503, code: 'unavailable' })
  })

  test('instructions and tools of the client are the agent’s to allow', async () => {
    await client.chat.completions.create({
      model,
      messages: [
        { role: 'system', content: 'Speak like a pirate.' },
        { role: 'user', content: 'What are your opening hours?' },
      ],
    })
    expect(JSON.stringify(JSON.parse(place.asked()).at(-1))).toContain('Speak like a pirate.')
    await publish({ clientTools: false, mutable: { visitor: [], api: [] } })
    await expect(
      client.chat.completions.create({
        model,
        messages: [
          { role: 'user', content: 'hello' },
          { role: 'developer', content: 'Speak like a pirate.' },
        ],
      }),
    ).rejects.toBeInstanceOf(PermissionDeniedError)
    await expect(
      client.responses.create({ model, input: 'hello', tools: [{ type: 'function', ...weather, strict: false }] }),
    ).rejects.toMatchObject({ status: 403, param: 'tools' })
    await publish({ clientTools: true, mutable: { visitor: [], api: ['instructions', 'tools'] } })
  })

  test('a named conversation is found again, whatever the history', async () => {
    const before = await conversations(place)
    for (const content of ['What are your opening hours?', 'The hours on Sunday?']) {
      await client.chat.completions.create({
        model,
        messages: [{ role: 'user', content }],
        metadata: { thread_id: 'thread-7' },
      })
    }
    expect(await conversations(place)).toBe(before + 1)
  })
})
