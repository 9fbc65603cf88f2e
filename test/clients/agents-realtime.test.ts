// The stock `@openai/agents-realtime` package, unmodified, against the gateway over its WebSocket transport.

import {
  OpenAIRealtimeWebSocket,
  RealtimeAgent,
  type RealtimeItem,
  RealtimeSession,
  tool,
} from '@openai/agents-realtime'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import NodeWebSocket from 'ws'
import { z } from 'zod'
import { pieces, silencePcm, speechPcm } from '../harness/speech.ts'
import { afterTheEnd, engines, openPlace, type Place, turnsOf, until } from './place.ts'

type Raw = { readonly type: string } & Readonly<Record<string, unknown>>

const apiError = z.object({
  error: z.object({
    error: z.object({ type: z.string(), code: z.string(), param: z.string().nullable(), message: z.string() }),
  }),
})

/** A session of the SDK and what came out of it. */
class Talk implements AsyncDisposable {
  readonly session: RealtimeSession
  readonly transport: OpenAIRealtimeWebSocket
  readonly events: Raw[] = []
  readonly errors: z.output<typeof apiError>['error']['error'][] = []
  readonly added: string[] = []
  audioBytes = 0
  interruptions = 0

  constructor(agent: RealtimeAgent, transport: OpenAIRealtimeWebSocket) {
    this.transport = transport
    this.session = new RealtimeSession(agent, { transport, tracingDisabled: false })
    this.session.on('transport_event', (event) => this.events.push(event))
    this.session.on('audio', (event) => {
      this.audioBytes += event.data.byteLength
    })
    this.session.on('audio_interrupted', () => {
      this.interruptions++
    })
    this.session.on('history_added', (item) => this.added.push(item.itemId))
    this.session.on('error', ({ error }) => {
      const parsed = apiError.safeParse({ error })
      if (!parsed.success) throw new Error(`an error of another shape: ${JSON.stringify(error)}`)
      this.errors.push(parsed.data.error.error)
    })
  }

  of(type: string): Raw[] {
    return this.events.filter((event) => event.type === type)
  }

  event(type: string, count = 1): Promise<Raw> {
    return until(
      () => this.of(type)[count - 1],
      () =>
        `${type} × ${count}; got ${JSON.stringify(this.events.map((each) => each.type))}, ${JSON.stringify(this.errors)}`,
    )
  }

  async id(): Promise<string> {
    const { session } = await this.event('session.created')
    return z.object({ id: z.string() }).parse(session).id
  }

  /** The SDK's history as `role: text`, in its order. */
  get history(): string[] {
    return this.session.history.map(lineOf)
  }

  async said(line: RegExp): Promise<string> {
    return until(
      () => this.history.find((each) => line.test(each)),
      () => `${line} in ${JSON.stringify(this.history)}; errors ${JSON.stringify(this.errors)}`,
    )
  }

  async speak(text: string): Promise<void> {
    const pcm = Buffer.concat([silencePcm(300), await speechPcm(text), silencePcm(1_000)])
    for (const piece of pieces(pcm)) this.session.sendAudio(new Uint8Array(piece).buffer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.session.close()
    await Promise.resolve()
  }
}

function lineOf(item: RealtimeItem): string {
  if (item.type !== 'message') return `${item.type}: ${'name' in item ? item.name : ''}`
  const text = item.content.map((part) => ('text' in part ? part.text : 'transcript' in part ? part.transcript : ''))
  return `${item.role}: ${text.join(' ')}`
}

const sofa = 'The Alba sofa has two seats, washable covers, solid beech legs, and it costs less than four hundred.'
const question = 'Tell me about a red sofa and about your delivery times'

describe.each(engines)('the stock agents SDK, answered by %s', (engine) => {
  let place: Place
  const asked: unknown[] = []
  beforeAll(async () => {
    place = await openPlace(engine)
    place.model
      .on(/red sofa/, { say: sofa, pace: 2 })
      .on(/weather in Oslo/, { call: { name: 'get_weather', arguments: { city: 'Oslo' } } })
      .on(/drizzle/, { say: 'A drizzle at 11 degrees.' })
  })
  afterAll(() => place[Symbol.asyncDispose]())

  const weather = tool({
    name: 'get_weather',
    description: 'The weather in a city right now',
    parameters: z.object({ city: z.enum(['Paris', 'Oslo']) }),
    async execute(input) {
      asked.push(input)
      return JSON.stringify({ city: input.city, summary: 'drizzle at 11 degrees' })
    },
  })

  async function connect(agent: RealtimeAgent): Promise<Talk> {
    const talk = new Talk(
      agent,
      new OpenAIRealtimeWebSocket({ url: `${place.gateway.wsUrl}/v1/realtime?model=productco` }),
    )
    await talk.session.connect({ apiKey: place.gateway.apiKey })
    return talk
  }

  test('writes and is answered aloud; its history is what is stored, in order', async () => {
    await using talk = await connect(new RealtimeAgent({ name: 'Guide', instructions: 'Be brief.' }))
    const sessionId = await talk.id()
    expect((await talk.event('session.updated')).session).toMatchObject({
      output_modalities: ['audio'],
      audio: { input: { turn_detection: { interrupt_response: true } } },
    })
    talk.session.sendMessage(question)
    await talk.said(/^assistant: .*\./)
    await talk.event('response.output_audio.done')
    talk.session.sendMessage('Thank you')
    await until(
      () => (talk.of('response.output_audio.done').length === 2 ? true : undefined),
      () => 'the second answer',
    )
    await expect.poll(() => talk.history.length).toBe(4)
    await expect.poll(() => talk.history[3]).toMatch(/^assistant: \w/)
    const { history } = talk
    expect(history.map((line) => line.split(':')[0])).toEqual(['user', 'assistant', 'user', 'assistant'])
    expect(history[0]).toBe(`user: ${question}`)
    expect(talk.audioBytes).toBeGreaterThan(48 * 1_000)
    expect(talk.errors).toEqual([])
    talk.session.close()
    const turns = (await afterTheEnd(place.gateway, sessionId)).filter((turn) => turn.role !== 'tool')
    const lines = turns.map(({ role, text, unheard }) => {
      const whole = [text, unheard].filter(Boolean).join(' ')
      return `${role === 'agent' ? 'assistant' : role}: ${whole}`
    })
    expect(lines).toEqual(history)
    expect(talk.added).toEqual(turns.map((turn) => turn.itemId))
  })

  test('runs its own tool when the agent calls it, and the answer uses the result', async () => {
    await using talk = await connect(new RealtimeAgent({ name: 'Guide', instructions: '', tools: [weather] }))
    const sessionId = await talk.id()
    talk.session.sendMessage('What is the weather in Oslo?')
    await talk.said(/^assistant: .*drizzle/i)
    expect(asked.splice(0)).toEqual([{ city: 'Oslo' }])
    expect(talk.history.map((line) => line.split(' ')[0])).toEqual(['user:', 'function_call:', 'assistant:'])
    expect(talk.session.history[1]).toMatchObject({ status: 'completed', output: expect.stringContaining('drizzle') })
    await talk.event('response.output_audio.done')
    expect(talk.errors).toEqual([])
    talk.session.close()
    const turns = await afterTheEnd(place.gateway, sessionId)
    expect(turns.map((turn) => turn.role)).toEqual(['user', 'tool', 'agent'])
    expect(turns[1]?.tool).toMatchObject({ name: 'get_weather', state: 'ok' })
  })

  test('is cut off by speech: the SDK truncates by its own clock, and that is what was heard', async () => {
    place.model.hears('Stop')
    await using talk = await connect(new RealtimeAgent({ name: 'Guide' }))
    const sessionId = await talk.id()
    talk.session.sendMessage(question)
    const delta = await talk.event('response.output_audio.delta', 8)
    // Long enough although agent and person have the one voice of the tests, half of which passes for an echo.
    await talk.speak('Please stop talking now, there is something else that I have to ask you first')
    await talk.event('input_audio_buffer.speech_started')
    await until(
      () => (talk.interruptions > 0 ? true : undefined),
      () => 'audio_interrupted',
    )
    const truncated = await talk.event('conversation.item.truncated')
    expect(truncated.item_id).toBe(delta.item_id)
    const cancelled = await until(
      () => talk.of('response.done').find((event) => JSON.stringify(event).includes('"cancelled"')),
      () => 'the cancelled response',
    )
    // Who interrupts is decided by the gateway, which then cancels at the provider as a client does.
    expect(JSON.stringify(cancelled.response)).toMatch(/turn_detected|client_cancelled/)
    const itemId = String(delta.item_id)
    for (const end of [
      'response.output_audio.done',
      'response.output_audio_transcript.done',
      'response.output_item.done',
    ])
      expect(talk.of(end).map((event) => JSON.stringify(event))).toContainEqual(expect.stringContaining(itemId))
    const cut = (await turnsOf(place.gateway, sessionId)).find((turn) => turn.itemId === itemId)
    expect(cut).toMatchObject({ state: 'interrupted', audio: { playedMs: truncated.audio_end_ms } })
    expect(cut?.unheard?.length).toBeGreaterThan(0)
    await talk.event('conversation.item.retrieved')
    await until(
      () => talk.of('response.done').find((event) => talk.events.indexOf(event) > talk.events.indexOf(cancelled)),
      () => 'the answer to what was said',
    )
    expect(talk.errors).toEqual([])
    talk.session.close()
    const turns = await afterTheEnd(place.gateway, sessionId)
    expect(turns.find((turn) => turn.itemId === itemId)).toEqual(cut)
    expect(turns.map((turn) => turn.role).filter((role) => role !== 'tool')).toEqual(['user', 'agent', 'user', 'agent'])
  })

  test('interrupts by a button, and talks on', async () => {
    await using talk = await connect(new RealtimeAgent({ name: 'Guide' }))
    const sessionId = await talk.id()
    talk.session.sendMessage(question)
    const delta = await talk.event('response.output_audio.delta', 8)
    talk.session.interrupt()
    const truncated = await talk.event('conversation.item.truncated')
    await until(
      () => talk.of('response.done').find((event) => JSON.stringify(event).includes('client_cancelled')),
      () => 'the cancelled response',
    )
    talk.session.sendMessage('Thank you')
    await until(
      () => (talk.history.length === 4 && /^assistant: \w/.test(talk.history[3] ?? '') ? true : undefined),
      () => `the next answer in ${JSON.stringify(talk.history)}`,
    )
    expect(talk.errors).toEqual([])
    talk.session.close()
    const turns = await afterTheEnd(place.gateway, sessionId)
    expect(turns.find((turn) => turn.itemId === delta.item_id)).toMatchObject({
      state: 'interrupted',
      audio: { playedMs: truncated.audio_end_ms },
    })
  })

  test('hands over to another agent: its instructions and tools replace the first one’s, the tenant’s tools stay', async () => {
    await using talk = await connect(new RealtimeAgent({ name: 'Guide', instructions: 'You guide.' }))
    await talk.event('session.updated')
    await talk.session.updateAgent(
      new RealtimeAgent({ name: 'Forecaster', instructions: 'You forecast.', tools: [weather], voice: 'ash' }),
    )
    const updated = await until(
      () => talk.of('session.updated').find((event) => JSON.stringify(event).includes('get_weather')),
      () => `an update with the tool, ${JSON.stringify(talk.errors)}`,
    )
    expect(updated.session).toMatchObject({ instructions: 'You forecast.', tools: [{ name: 'get_weather' }] })
    if (engine === 'openai-realtime') {
      await expect.poll(() => place.provider.last.session.instructions).toBe('You forecast.')
      const names = place.provider.last.session.tools?.map((each) => ('name' in each ? each.name : ''))
      expect(names).toEqual(expect.arrayContaining(['search_products', 'get_weather']))
    }
    expect(talk.errors).toEqual([])
  })

  test('in a browser with a client secret keeps to the tenant’s agent and is told what it may not change', async () => {
    const { body } = await place.gateway.post(
      '/v1/realtime/client_secrets',
      { session: { type: 'realtime', model: 'productco' } },
      { authorization: `Bearer ${place.gateway.apiKey}` },
    )
    const { value } = z.object({ value: z.string() }).parse(body)
    const browser = (): OpenAIRealtimeWebSocket =>
      new OpenAIRealtimeWebSocket({
        url: `${place.gateway.wsUrl}/v1/realtime?model=gpt-realtime-2.1`,
        // What the SDK's browser build does; its Node build sends a header.
        createWebSocket: async ({ url, apiKey }) =>
          new NodeWebSocket(url, ['realtime', `openai-insecure-api-key.${apiKey}`, 'openai-agents-sdk.0.20.0']),
      })
    await using plain = new Talk(new RealtimeAgent({ name: 'Guide' }), browser())
    await plain.session.connect({ apiKey: value })
    const sessionId = await plain.id()
    plain.session.sendMessage(question)
    await plain.said(/^assistant: .*\./)
    await plain.event('response.output_audio.done')
    expect(plain.errors).toEqual([])
    plain.session.close()
    const turns = await afterTheEnd(place.gateway, sessionId)
    expect(turns.at(-1)).toMatchObject({ role: 'agent' })

    await using pirate = new Talk(
      new RealtimeAgent({ name: 'Pirate', instructions: 'You are a pirate.', tools: [weather] }),
      browser(),
    )
    await pirate.session.connect({ apiKey: value })
    await until(
      () => (pirate.errors.length > 0 ? true : undefined),
      () => 'a refusal',
    )
    expect(pirate.errors).toMatchObject([
      { type: 'invalid_request_error', code: 'forbidden', param: 'session.instructions' },
    ])
    if (engine === 'openai-realtime') {
      const { provider } = place
      pirate.session.sendMessage(question)
      await pirate.event('response.done')
      expect(JSON.stringify(provider.last.received)).not.toMatch(/pirate|get_weather/i)
      expect(provider.last.session.instructions).toContain('ProductCo')
    }
  })
})
