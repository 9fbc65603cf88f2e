import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type ScriptedRealtime, startScriptedRealtime } from '../../../test/harness/scripted-realtime.ts'
import { systemClock } from '../../platform/clock.ts'
import type { Engine, EngineBrief, EngineEvent } from '../engines.ts'
import { createOpenAiRealtime } from './openai-realtime.ts'

let provider: ScriptedRealtime
const opened: Engine[] = []

beforeEach(async () => {
  provider = await startScriptedRealtime({ apiKey: 'sk-test' })
})
afterEach(async () => {
  for (const engine of opened.splice(0)) engine.close()
  await provider.stop()
})

interface Watched {
  readonly engine: Engine
  readonly events: EngineEvent[]
  until<T extends EngineEvent['type']>(type: T, count?: number): Promise<Extract<EngineEvent, { type: T }>>
}

function open(brief: Partial<EngineBrief> = {}, baseUrl = provider.baseUrl, log = pino({ level: 'silent' })): Watched {
  const factory = createOpenAiRealtime({
    apiKey: 'sk-test',
    baseUrl,
    defaultModel: 'gpt-realtime-2.1',
    log,
    clock: systemClock,
  })
  const events: EngineEvent[] = []
  const engine = factory.open({
    tenantId: 'ten_1',
    sessionId: 'sess_1',
    brief: {
      instructions: 'The secret recipe.',
      voice: 'marin',
      language: 'en',
      model: '',
      tools: [],
      outputModality: 'audio',
      turnDetection: 'server_vad',
      history: [],
      ...brief,
    },
    onEvent: (event) => events.push(event),
  })
  opened.push(engine)
  engine.start()
  const until: Watched['until'] = async (type, count = 1) => {
    for (let i = 0; i < 1_000; i++) {
      const found = events.filter((event) => event.type === type)[count - 1]
      if (found !== undefined) return found as Extract<EngineEvent, { type: typeof type }>
      await sleep(5)
    }
    throw new Error(`No ${type} among ${events.map((event) => event.type).join(' ')}`)
  }
  return { engine, events, until }
}

it('greets with the key as bearer, no beta header, the default model and the brief', async () => {
  const { until } = open({
    history: [
      { role: 'user', text: 'Hi.' },
      { role: 'agent', text: 'Hello.' },
    ],
  })
  expect((await until('ready')).model).toBe('gpt-realtime-2.1')
  await sleep(20)
  const { last } = provider
  expect(last.headers.authorization).toBe('Bearer sk-test')
  expect(last.headers['openai-beta']).toBeUndefined()
  expect(last.headers['sec-websocket-extensions']).toBeUndefined()
  expect(last.session.instructions).toBe('The secret recipe.')
  expect(last.of('conversation.item.create').map(({ item }) => item)).toMatchObject([
    { role: 'user', content: [{ type: 'input_text', text: 'Hi.' }] },
    { role: 'assistant', content: [{ type: 'output_text', text: 'Hello.' }] },
  ])
  expect(last.errors).toEqual([])
})

it('forwards every frame of the provider once, and none with the instructions, notes or history in it', async () => {
  provider.on(/hello/, { say: 'Hello to you too, dear customer.' })
  const { engine, events, until } = open({ history: [{ role: 'user', text: 'Earlier words.' }] })
  engine.send({ type: 'note', text: 'Background words.' })
  engine.send({ type: 'userText', itemId: 'item_1', text: 'hello' })
  engine.send({ type: 'respond' })
  await until('responseDone')
  const frames = events.flatMap((event) => (event.wire === undefined ? [] : [event.wire]))
  const types = frames.map((frame) => String(JSON.parse(frame.toString()).type))
  const hidden = ['session.created', 'session.updated', ...Array.from({ length: 4 }, (_, i) => item(i))]
  expect(types).toEqual(provider.last.sent.slice(hidden.length))
  expect(frames.join('')).not.toMatch(/secret recipe|Background words|Earlier words/)
})

const item = (i: number) => (i % 2 === 0 ? 'conversation.item.added' : 'conversation.item.done')

it('sends an append frame of a client byte for byte', async () => {
  const { engine, until } = open()
  const frame = Buffer.from('{"event_id":"mine","type":"input_audio_buffer.append","audio":"AAAA"}')
  engine.audio({ appendFrame: frame })
  engine.audio({ pcm: Buffer.from([1, 2]) })
  await until('ready')
  await sleep(20)
  expect(provider.last.of('input_audio_buffer.append')).toEqual([
    { event_id: 'mine', type: 'input_audio_buffer.append', audio: 'AAAA' },
    { type: 'input_audio_buffer.append', audio: 'AQI=' },
  ])
})

it.each([
  [401, 'invalid_api_key'],
  [403, 'server_error'],
  [404, 'model_not_found'],
  [500, 'server_error'],
  [503, 'server_error'],
])('is refused with the provider’s code when the upgrade is answered %i', async (status, code) => {
  provider.refuse(status)
  const { events, until } = open()
  expect(await until('closed')).toMatchObject({ cause: 'refused', code, source: 'provider' })
  expect(events.map((event) => event.type)).toEqual(['closed'])
})

it('tells when to come back after a 429', async () => {
  provider.refuse(429, 'rate_limit_exceeded', { 'retry-after': '7' })
  const { events, until } = open()
  await until('closed')
  expect(events).toMatchObject([
    { type: 'rateLimited', retryAfterMs: 7_000 },
    { type: 'closed', cause: 'refused', code: 'rate_limit_exceeded' },
  ])
})

it('is refused by an error that follows the upgrade, such as a wrong model', async () => {
  provider.refuseAfterOpen('invalid_model')
  const { events, until } = open()
  expect(await until('closed')).toMatchObject({ cause: 'refused', code: 'invalid_model' })
  expect(events.filter((event) => event.type === 'closed')).toHaveLength(1)
})

it('is refused when the provider does not take the session', async () => {
  const { until } = open({ voice: 'nobody' })
  expect(await until('closed')).toMatchObject({ cause: 'refused', code: 'invalid_value' })
})

it('is refused when nobody listens there, or what listens is no WebSocket', async () => {
  const closedPort = open({}, 'ws://127.0.0.1:1/v1')
  expect(await closedPort.until('closed')).toMatchObject({ cause: 'refused', code: 'econnrefused' })
  const server = createServer((socket) => socket.end('hello\r\n\r\n'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const noise = open({}, `ws://127.0.0.1:${port}/v1`)
  expect(await noise.until('closed')).toMatchObject({ cause: 'refused' })
  server.close()
})

it('is refused by an address that is none, without throwing', async () => {
  expect(await open({}, 'not an address').until('closed').catch(String)).toMatchObject({
    cause: 'refused',
    code: 'bad_address',
  })
})

it('is lost when the connection breaks in the middle of an answer', async () => {
  provider.on(/hello/, { say: 'A rather long answer to that.', audioMs: 3_000, pace: 20 }).dropAt(3)
  const { engine, events, until } = open()
  engine.send({ type: 'userText', itemId: 'item_1', text: 'hello' })
  engine.send({ type: 'respond' })
  expect(await until('closed')).toMatchObject({ cause: 'lost', code: 'ws_1006' })
  expect(events.filter((event) => event.type === 'audio')).toHaveLength(3)
  expect(events.at(-1)?.type).toBe('closed')
})

it('expires when the provider says so, once, though the close follows', async () => {
  const { events, until } = open()
  await until('ready')
  provider.expire()
  expect(await until('closed')).toMatchObject({ cause: 'expired', code: 'session_expired' })
  await sleep(50)
  expect(events.filter((event) => event.type === 'closed')).toHaveLength(1)
})

it('waits for the end of an answer instead of losing the next one', async () => {
  provider.on(/first/, { say: 'The first answer.', pace: 20 })
  const { engine, until } = open()
  engine.send({ type: 'userText', itemId: 'item_1', text: 'first' })
  engine.send({ type: 'respond' })
  await until('responseStarted')
  engine.send({ type: 'say', text: 'We close in five minutes.' })
  const done = await until('responseDone', 2)
  expect(done.status).toBe('completed')
  expect(provider.last.errors).toEqual([])
})

it('asks again when the server was quicker to answer than we were to ask', async () => {
  provider.on(/own/, { say: 'My own answer.', pace: 20 })
  const { engine, events, until } = open()
  await until('ready')
  // The client's own request takes the turn in the same moment as ours.
  engine.send({ type: 'native', event: { type: 'response.create', response: { instructions: 'Say exactly "own"' } } })
  engine.send({ type: 'say', text: 'Not lost.' })
  const second = await until('responseDone', 2)
  expect(second.status).toBe('completed')
  expect(events.filter((event) => event.type === 'error')).toMatchObject([{ benign: true }])
  const said = events.filter((event) => event.type === 'agentText' && event.final !== undefined)
  expect(said.at(-1)).toMatchObject({ final: 'Not lost.' })
})

it('goes on with the next answer when the provider rejects one outright', async () => {
  const { engine, events, until } = open()
  await until('ready')
  provider.last.failNext('response.create', 'rate_limit_exceeded')
  engine.send({ type: 'say', text: 'Rejected.' })
  engine.send({ type: 'say', text: 'Spoken.' })
  await until('responseDone')
  const said = events.filter((event) => event.type === 'agentText' && event.final !== undefined)
  expect(said).toMatchObject([{ final: 'Spoken.' }])
  const errors = events.filter((event) => event.type === 'error')
  expect(errors).toMatchObject([{ code: 'rate_limit_exceeded', benign: false }])
  // About a frame of our own: nothing for the client.
  expect(errors[0]?.wire).toBeUndefined()
})

it('refuses more audio than it may hold while the provider is not there, and says so once', async () => {
  provider.silent()
  const { engine, events, until } = open()
  for (let i = 0; i < 40; i++) engine.audio({ pcm: Buffer.alloc(48_000) })
  expect(await until('error')).toMatchObject({ code: 'queue_full', source: 'local' })
  expect(events).toHaveLength(1)
  expect(engine.bufferedBytes).toBeLessThanOrEqual(1024 * 1024)
  expect(engine.bufferedBytes).toBeGreaterThan(256 * 1024)
  expect(engine.send({ type: 'userText', itemId: 'i', text: 'x'.repeat(100_000) })).toMatchObject({ is: 'rejected' })
})

it('closes within a second even when the provider never answers the close', async () => {
  provider.silent()
  const { engine, until } = open()
  await sleep(50)
  engine.close()
  expect(await until('closed')).toMatchObject({ cause: 'asked' })
})

it('refuses another voice once a voice was heard', async () => {
  const { engine, until } = open()
  await until('ready')
  expect(engine.send({ type: 'update', fields: { voice: 'cedar' } })).toEqual({ is: 'accepted' })
  engine.send({ type: 'say', text: 'Hello.' })
  await until('audio')
  expect(engine.send({ type: 'update', fields: { voice: 'echo' } })).toMatchObject({ reason: 'voice_locked' })
})

it('keeps the key, the words and the provider’s message out of the log', async () => {
  const lines: string[] = []
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
  provider.on(/hello/, { say: 'Confidential answer.' })
  const { engine, until } = open({}, provider.baseUrl, log)
  engine.send({ type: 'userText', itemId: 'item_1', text: 'hello private words' })
  engine.send({ type: 'respond' })
  await until('responseDone')
  provider.drop()
  await until('closed')
  expect(lines.length).toBeGreaterThan(0)
  expect(lines.join('')).not.toMatch(/sk-test|private words|Confidential|secret recipe/)
})

it('serves without a key only where none is needed', () => {
  const needs = { defaultModel: 'm', log: pino({ level: 'silent' }), clock: systemClock, apiKey: undefined }
  expect(createOpenAiRealtime({ ...needs, baseUrl: 'https://api.openai.com/v1' }).off).toBe('no API key')
  expect(createOpenAiRealtime({ ...needs, baseUrl: 'ws://localhost:8000/v1' }).off).toBeUndefined()
})

it.each([
  ['the provider’s word', 1_200_000, 1_199_000, 1_200_000],
  ['its own table where the provider says nothing', null, 3_600_000, 3_600_000],
  ['its own table where the provider’s word is in the past', -5_000, 3_600_000, 3_600_000],
])('tells how long a session may live, by %s', async (_, lifeMs, least, most) => {
  await provider.stop()
  provider = await startScriptedRealtime({ apiKey: 'sk-test', lifeMs })
  const { engine, until } = open()
  await until('ready')
  expect(engine.capabilities.maxDurationMs).toBeGreaterThanOrEqual(least - 1_000)
  expect(engine.capabilities.maxDurationMs).toBeLessThanOrEqual(most)
})

it('says that it does not know what an answer cost of which the provider tells no usage', async () => {
  provider.on(/hello/, { say: 'Hi.' })
  const { engine, events, until } = open()
  await until('ready')
  const usage = { type: 'response.done', response: { id: 'resp_x', status: 'completed', output: [] } }
  provider.last.sendRaw(JSON.stringify({ type: 'response.created', response: { id: 'resp_x' } }))
  provider.last.sendRaw(JSON.stringify(usage))
  engine.send({ type: 'userText', itemId: 'item_1', text: 'hello' })
  engine.send({ type: 'respond' })
  await until('responseDone', 2)
  const totals = events.flatMap((event) => (event.type === 'usage' ? [event.meters] : [])).at(-1)
  expect(totals).toMatchObject({ 'unknown.usages': 1, 'output.audio.tokens': expect.any(Number) })
})

it('takes any frame: known events in strange shapes are passed on unread, and nothing is thrown', async () => {
  const names = ['session.updated', 'response.created', 'response.done', 'response.output_item.added', 'error']
  const more = [
    'input_audio_buffer.speech_started',
    'conversation.item.added',
    'rate_limits.updated',
    'response.audio.delta',
  ]
  const { events, until } = open()
  await until('ready')
  const frames = fc.sample(
    fc.record({
      type: fc.constantFrom(...names, ...more),
      response: fc.jsonValue(),
      item: fc.jsonValue(),
      error: fc.jsonValue(),
      delta: fc.jsonValue(),
    }),
    300,
  )
  for (const frame of frames) provider.last.sendRaw(JSON.stringify(frame))
  provider.last.sendRaw('[]')
  provider.last.sendRaw('null')
  provider.last.sendRaw('{')
  await until('native')
  provider.last.send({ type: 'conversation.item.deleted', item_id: 'item_end' })
  for (let i = 0; i < 400 && !events.some((e) => e.type === 'native' && e.name === 'conversation.item.deleted'); i++)
    await sleep(5)
  expect(events.some((e) => e.type === 'native' && e.name === 'conversation.item.deleted')).toBe(true)
  expect(events.some((e) => e.type === 'closed')).toBe(false)
})
