// The stock `@ai-sdk/openai` package's realtime model, unmodified: it says where to connect, writes every client event and reads
// every server event; the socket is the application's, as the package has it.

import { once } from 'node:events'
import { createOpenAI } from '@ai-sdk/openai'
import type {
  Experimental_RealtimeModelV4ClientEvent as RealtimeClientEvent,
  Experimental_RealtimeModelV4 as RealtimeModel,
  Experimental_RealtimeModelV4ServerEvent as RealtimeServerEvent,
} from '@ai-sdk/provider'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { z } from 'zod'
import { silencePcm, speechPcm } from '../harness/speech.ts'
import { afterTheEnd, engines, openPlace, type Place, until } from './place.ts'
import { spoken } from './scripts/scenario.ts'

type Type = RealtimeServerEvent['type']
type Event<T extends Type> = Extract<RealtimeServerEvent, { type: T }>

/** What an application does around the package's model. */
class Talk implements AsyncDisposable {
  readonly events: RealtimeServerEvent[] = []
  readonly #model: RealtimeModel
  readonly #socket: WebSocket

  constructor(model: RealtimeModel, socket: WebSocket) {
    this.#model = model
    this.#socket = socket
    socket.on('message', (data: Buffer) => {
      const events = model.parseServerEvent(JSON.parse(data.toString('utf8')))
      this.events.push(...(Array.isArray(events) ? events : [events]))
    })
    socket.on('error', () => socket.terminate())
  }

  async send(event: RealtimeClientEvent): Promise<void> {
    this.#socket.send(JSON.stringify(await this.#model.serializeClientEvent(event)))
  }

  of<T extends Type>(type: T): Event<T>[] {
    return this.events.filter((event): event is Event<T> => event.type === type)
  }

  event<T extends Type>(type: T, count = 1): Promise<Event<T>> {
    return until(
      () => this.of(type)[count - 1],
      () =>
        `${type} × ${count}; got ${JSON.stringify(this.events.map((each) => each.type))}, ${JSON.stringify(this.of('error'))}`,
    )
  }

  async ask(text: string): Promise<void> {
    await this.send({ type: 'conversation-item-create', item: { type: 'text-message', role: 'user', text } })
    await this.send({ type: 'response-create' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close()
    await Promise.resolve()
  }
}

const sofa = 'The Alba sofa has two seats, washable covers, solid beech legs, and it costs less than four hundred.'
const weather = {
  type: 'function',
  name: 'get_weather',
  description: 'The weather in a city right now',
  parameters: { type: 'object', properties: { city: { type: 'string', enum: ['Oslo'] } }, required: ['city'] },
} as const

describe.each(engines)('the stock AI SDK model, answered by %s', (engine) => {
  let place: Place
  beforeAll(async () => {
    place = await openPlace(engine)
    place.model
      .on(/red sofa/, { say: sofa, pace: 2 })
      .on(/weather in Oslo/, { call: { name: 'get_weather', arguments: { city: 'Oslo' } } })
      .on(/drizzle/, { say: 'A drizzle at 11 degrees.' })
  })
  afterAll(() => place[Symbol.asyncDispose]())

  async function connect(): Promise<{ talk: Talk; sessionId: string }> {
    const provider = createOpenAI({ apiKey: place.gateway.apiKey, baseURL: `${place.gateway.url}/v1` })
    const model = provider.experimental_realtime('productco', { api: 'realtime' })
    const { url, headers = {} } = (await model.getServerWebSocketConfig?.()) ?? { url: '' }
    const talk = new Talk(model, new WebSocket(url, { headers }))
    const { sessionId = '' } = await talk.event('session-created')
    return { talk, sessionId }
  }

  test('writes and reads, and is told what it cost', async () => {
    const { talk, sessionId } = await connect()
    await using _ = talk
    await talk.send({ type: 'session-update', config: { instructions: 'Be brief.', outputModalities: ['text'] } })
    await talk.event('session-updated')
    await talk.ask('How much is a red sofa?')
    const { text, itemId } = await talk.event('text-done')
    expect(
      talk
        .of('text-delta')
        .map(({ delta }) => delta)
        .join(''),
    ).toBe(text)
    const done = await talk.event('response-done', talk.of('response-created').length)
    expect(done.status).toBe('completed')
    if (engine !== 'demo') expect(done.usage?.outputTokens).toBeGreaterThan(0)
    expect(talk.of('error')).toEqual([])
    await talk[Symbol.asyncDispose]()
    const turns = await afterTheEnd(place.gateway, sessionId)
    expect(turns.at(-1)).toMatchObject({ role: 'agent', itemId, text })
  })

  test('speaks and hears, and is cut off by what it says next', async () => {
    place.model.hears('I would like a red sofa', 'Stop')
    const { talk, sessionId } = await connect()
    await using _ = talk
    const inputAudioFormat = { type: 'audio/pcm', rate: 24_000 }
    await talk.send({
      type: 'session-update',
      config: { inputAudioFormat, turnDetection: { type: 'server-vad', silenceDurationMs: 600 } },
    })
    await talk.event('session-updated')
    const speak = async (text: string): Promise<void> => {
      const pcm = Buffer.concat([silencePcm(300), await speechPcm(text), silencePcm(1_000)])
      for await (const piece of spoken(pcm))
        await talk.send({ type: 'input-audio-append', audio: piece.toString('base64') })
    }
    await speak('I would like a red sofa')
    const { itemId } = await talk.event('audio-delta', 4)
    expect((await talk.event('input-transcription-completed')).itemId).toBe((await talk.event('speech-started')).itemId)
    // Long enough although agent and person have the one voice of the tests, half of which passes for an echo.
    await speak('Please stop talking now, there is something else that I have to ask you first')
    await talk.event('speech-started', 2)
    await talk.send({ type: 'conversation-item-truncate', itemId, contentIndex: 0, audioEndMs: 300 })
    await until(
      () => talk.of('custom').find(({ rawType }) => rawType === 'conversation.item.truncated'),
      () => `the cut; errors ${JSON.stringify(talk.of('error'))}`,
    )
    await talk[Symbol.asyncDispose]()
    const turns = await afterTheEnd(place.gateway, sessionId)
    expect(turns.find((turn) => turn.itemId === itemId)).toMatchObject({ audio: { playedMs: 300 } })
  })

  test('brings a tool, is called, and hears the answer made of its result', async () => {
    const { talk, sessionId } = await connect()
    await using _ = talk
    await talk.send({ type: 'session-update', config: { tools: [{ ...weather }], outputModalities: ['text'] } })
    await talk.event('session-updated')
    await talk.ask('What is the weather in Oslo?')
    const { callId, name, arguments: args } = await talk.event('function-call-arguments-done')
    expect([name, JSON.parse(args)]).toEqual(['get_weather', { city: 'Oslo' }])
    await talk.event('response-done')
    const output = JSON.stringify({ city: 'Oslo', summary: 'drizzle at 11 degrees' })
    await talk.send({ type: 'conversation-item-create', item: { type: 'function-call-output', callId, output } })
    await talk.send({ type: 'response-create' })
    expect((await talk.event('text-done')).text).toContain('drizzle')
    expect(talk.of('error')).toEqual([])
    await talk[Symbol.asyncDispose]()
    const turns = await afterTheEnd(place.gateway, sessionId)
    expect(turns.map((turn) => turn.role)).toEqual(['user', 'tool', 'agent'])
  })

  test('gives a browser a token with the session in it, and the browser talks by it', async () => {
    // It takes the gateway for a server of TLS.
    const baseURL = `https://127.0.0.1:${place.front.port}/v1`
    const plain: typeof fetch = (input, init) => fetch(String(input).replace(baseURL, `${place.gateway.url}/v1`), init)
    const provider = createOpenAI({ apiKey: place.gateway.apiKey, baseURL, fetch: plain })
    const sessionConfig = { instructions: 'Be brief.', outputModalities: ['text' as const], tools: [{ ...weather }] }
    const { token, url, expiresAt } = await provider.experimental_realtime.getToken({
      ...{ model: 'productco', api: 'realtime' as const },
      ...{ sessionConfig, expiresAfterSeconds: 120 },
    })
    expect(expiresAt).toBeGreaterThan(Date.now() / 1000 + 100)
    const model = provider.experimental_realtime('productco', { api: 'realtime' })
    const { url: address = '', protocols = [] } = model.getWebSocketConfig?.({ token, url }) ?? {}
    const socket = new WebSocket(address, protocols, { ca: place.front.certificate })
    await using talk = new Talk(model, socket)
    const { raw, sessionId = '' } = await talk.event('session-created')
    expect(z.object({ session: z.looseObject({}) }).parse(raw).session).toMatchObject({
      instructions: 'Be brief.',
      output_modalities: ['text'],
      tools: [{ name: 'get_weather' }],
    })
    await talk.ask('Do you have a red sofa?')
    await talk.event('text-done')
    socket.close()
    await once(socket, 'close')
    expect((await afterTheEnd(place.gateway, sessionId)).length).toBeGreaterThan(1)
  })
})
