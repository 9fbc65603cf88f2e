import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Watched } from '../../../test/contract/engine.contract.ts'
import { type ScriptedGemini, startScriptedGemini } from '../../../test/harness/scripted-gemini.ts'
import { pieces, speechPcm } from '../../../test/harness/speech.ts'
import { systemClock } from '../../platform/clock.ts'
import type { EngineBrief } from '../engines.ts'
import { createGeminiLive } from './gemini-live.ts'

// The synthesiser takes seconds to start on a busy machine.
vi.setConfig({ testTimeout: 20_000 })

let provider: ScriptedGemini
const opened: Watched[] = []

beforeEach(async () => {
  provider = await startScriptedGemini({ apiKey: 'key-secret' })
})
afterEach(async () => {
  for (const { engine } of opened.splice(0)) engine.close()
  await provider.stop()
})

const quiet = pino({ level: 'silent' })

function open(brief: Partial<EngineBrief> = {}, baseUrl = provider.baseUrl, log = quiet): Watched {
  const needs = { apiKey: 'key-secret', baseUrl, defaultModel: 'gemini-3.8-live', log, clock: systemClock }
  const watched = new Watched(createGeminiLive(needs), { instructions: 'The secret recipe.', ...brief })
  opened.push(watched)
  watched.engine.start()
  return watched
}

const faults = () => provider.connections.flatMap((connection) => connection.faults)

async function eventually(what: () => boolean): Promise<void> {
  for (let i = 0; i < 600 && !what(); i++) await sleep(5)
  expect(what()).toBe(true)
}

const tool = {
  name: 'find_order',
  description: 'Finds it.',
  parameters: { type: 'object', properties: { id: { type: 'string' } } },
}

it('sets the session up with the brief and the key in a header, and tells the history before anything else', async () => {
  const history = [
    { role: 'user', text: 'Hi.' },
    { role: 'agent', text: 'Hello.' },
  ] as const
  const one = open({ history, tools: [tool], voice: 'puck' })
  one.ask('And now?')
  expect((await one.until('ready')).model).toBe('gemini-3.8-live')
  await one.until('responseDone')
  const { last } = provider
  expect(last.headers['x-goog-api-key']).toBe('key-secret')
  expect(last.setup).toMatchObject({
    model: 'models/gemini-3.8-live',
    generationConfig: {
      responseModalities: ['AUDIO'],
      speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: 'Puck' } } },
    },
    systemInstruction: { parts: [{ text: 'The secret recipe.' }] },
    tools: [{ functionDeclarations: [{ name: 'find_order' }] }],
    sessionResumption: {},
    contextWindowCompression: { slidingWindow: {} },
    inputAudioTranscription: {},
    outputAudioTranscription: {},
  })
  expect(last.of('clientContent').map(({ clientContent }) => clientContent.turns?.map(({ role }) => role))).toEqual([
    ['user', 'model'],
    ['user'],
  ])
  expect(faults()).toEqual([])
})

it.each([401, 403, 404, 500, 503])('is refused when the upgrade is answered %i', async (status) => {
  provider.refuse(status)
  const one = open()
  expect(await one.until('closed')).toMatchObject({ cause: 'refused', code: `http_${status}` })
  expect(one.types()).toEqual(['closed'])
})

it('tells when to come back after a 429', async () => {
  provider.refuse(429, undefined, { 'retry-after': '7' })
  const one = open()
  await one.until('closed')
  expect(one.events).toMatchObject([
    { type: 'rateLimited', retryAfterMs: 7_000 },
    { type: 'closed', cause: 'refused', code: 'http_429' },
  ])
})

it.each([
  [1007, 'API key not valid. Please pass a valid API key.', 'invalid_api_key'],
  [1007, 'Request contains an invalid argument.', 'invalid_value'],
  [
    1008,
    'models/x is not found for API version v1beta, or is not supported for bidiGenerateContent.',
    'model_not_found',
  ],
  [1011, 'Internal error encountered.', 'server_error'],
  [1000, '', 'ws_1000'],
])('is refused by a close with %i «%s»: %s', async (code, reason, named) => {
  provider.closeAfterOpen(code, reason)
  const one = open()
  expect(await one.until('closed')).toMatchObject({ cause: 'refused', code: named })
  expect(JSON.stringify(one.events)).not.toContain(reason || 'nothing')
})

it('tells of a quota in the close frame as of any rate limit', async () => {
  provider.closeAfterOpen(1011, 'You exceeded your current quota, please check your plan and billing details.')
  const one = open()
  await one.until('closed')
  expect(one.events).toMatchObject([
    { type: 'rateLimited', retryAfterMs: null },
    { type: 'closed', cause: 'refused', code: 'rate_limit_exceeded' },
  ])
})

it('is refused when nobody listens there, what listens is no WebSocket, or the address is none', async () => {
  expect(await open({}, 'ws://127.0.0.1:1').until('closed')).toMatchObject({ cause: 'refused', code: 'econnrefused' })
  const server = createServer((socket) => socket.end('hello\r\n\r\n'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  expect(await open({}, `ws://127.0.0.1:${port}`).until('closed')).toMatchObject({ cause: 'refused' })
  server.close()
  const needs = { apiKey: 'k', defaultModel: 'm', log: quiet, clock: systemClock }
  const one = new Watched(createGeminiLive({ ...needs, baseUrl: 'not an address' }))
  one.engine.start()
  expect(await one.until('closed').catch(String)).toMatchObject({ cause: 'refused', code: 'bad_address' })
})

it('is lost when the connection breaks in the middle of an answer', async () => {
  provider.on(/hello/, { say: 'A rather long answer to that.', audioMs: 3_000, pace: 20 }).dropAt(3)
  const one = open()
  one.ask('hello')
  expect(await one.until('closed')).toMatchObject({ cause: 'lost', code: 'ws_1006' })
  expect(one.of('audio')).toHaveLength(3)
  expect(one.events.at(-1)?.type).toBe('closed')
})

it('tells of a frame that is no message, and goes on', async () => {
  const one = open()
  await one.until('ready')
  for (const text of ['', 'null', '[1]', '{"serverContent":', 'hello']) provider.last.sendRaw(text)
  provider.last.sendRaw('{"somethingNew":{"a":1}}')
  one.engine.send({ type: 'say', text: 'Still here.' })
  const { responseId } = await one.until('responseDone')
  expect(one.said(responseId)).toBe('Still here.')
  expect(one.of('error').map(({ code, benign }) => [code, benign])).toEqual(Array(5).fill(['invalid_frame', true]))
  expect(one.of('native')).toMatchObject([{ name: 'somethingNew' }])
})

it('sends speech and the breath before it, at 16 kHz, and none of the silence around', async () => {
  provider.hears('Do you have a red sofa?')
  const one = open()
  await one.until('ready')
  const speech = await speechPcm('Do you have a red sofa?')
  one.silence(3_000)
  for (const piece of pieces(speech)) one.engine.audio({ pcm: piece })
  one.silence(3_000)
  const text = await one.until('responseDone').then(() => one.of('userText'))
  expect(text.at(-1)).toMatchObject({ final: 'Do you have a red sofa?' })
  const sentMs = provider.last.audioBytes / 32
  expect(sentMs).toBeGreaterThan(speech.length / 48)
  // 600 ms end a turn; a breath before it, and a piece of 100 ms at both ends.
  expect(sentMs).toBeLessThan(speech.length / 48 + 600 + 400 + 200)
  const asked = provider.last.asked.filter((key, i, all) => key !== all[i - 1])
  expect(asked).toEqual(['setup', 'activityStart', 'audio', 'activityEnd'])
  expect(faults()).toEqual([])
})

it('takes a microphone that is muted in the middle of a word for the end of it', async () => {
  provider.hears('Wait')
  const one = open()
  await one.until('ready')
  for (const piece of pieces((await speechPcm('Do you have a red sofa?')).subarray(0, 48 * 700))) {
    one.engine.audio({ pcm: piece })
  }
  const stop = await one.until('userSpeech', 2)
  expect(stop).toMatchObject({ phase: 'stop', source: 'local' })
  await one.until('responseDone')
  expect(provider.last.asked.at(-1)).toBe('activityEnd')
})

it('says that speech was not transcribed when it was answered without words for it', async () => {
  provider.state.wordsAfterMs = null
  const one = open()
  await one.until('ready')
  await one.speak('Do you have a red sofa?')
  one.silence(900)
  expect(await one.until('userText')).toMatchObject({ failed: 'not_transcribed', source: 'inferred' })
})

it('tells the provider what was heard of an interrupted answer, before the next speech is answered', async () => {
  provider.on(/delivery/, { say: 'We deliver on every weekday between eight and six.', pace: 4 })
  const one = open()
  one.ask('delivery?')
  const { itemId } = await one.until('audio', 5)
  await one.speak('Wait a moment.')
  one.silence(900)
  one.engine.send({
    type: 'truncate',
    itemId,
    heardMs: 220,
    text: { heard: 'We deliver', unheard: 'on every weekday.' },
  })
  one.engine.send({
    type: 'truncate',
    itemId,
    heardMs: 220,
    text: { heard: 'We deliver', unheard: 'on every weekday.' },
  })
  await one.until('responseDone', 2)
  await one.speak('And on Sundays?')
  one.silence(900)
  await one.until('responseDone', 3)
  const told = provider.last.contents.filter(({ text }) => text.includes('has heard'))
  expect(told).toMatchObject([{ role: 'user', text: expect.stringContaining('only this: "We deliver"') }])
  const asked = provider.last.asked
  expect(asked.lastIndexOf('clientContent')).toBeLessThan(asked.lastIndexOf('activityStart'))
  expect(faults()).toEqual([])
})

it('finds the words that were heard by itself when nobody tells them', async () => {
  provider.on(/delivery/, { say: 'We deliver on every weekday between eight and six.' })
  const one = open()
  one.ask('delivery?')
  const { itemId } = await one.until('agentItem')
  await one.until('responseDone')
  one.engine.send({ type: 'truncate', itemId, heardMs: 650 })
  one.ask('hello')
  await one.until('responseDone', 2)
  const heard = provider.last.contents
    .map(({ text }) => /only this: "(.*)"/.exec(text)?.[1])
    .find((text) => text !== undefined)
  expect('We deliver on every weekday between eight and six.'.startsWith(heard ?? 'no')).toBe(true)
  expect(heard?.length).toBeLessThan(20)
})

it('lets the person talk on while a tool works, and speaks about the result when it is there', async () => {
  provider
    .on(/order/, { call: { name: 'find_order', arguments: { id: '7' } } })
    .on(/time/, { say: 'It is noon.' })
    .on(/shipped/, { say: 'It was shipped.' })
  const one = open({ tools: [tool] })
  one.ask('Where is my order?')
  const { callId } = await one.until('toolCall')
  await one.until('responseDone')
  one.ask('What time is it?')
  const second = await one.until('responseDone', 2)
  one.engine.send({ type: 'toolResult', callId, output: '{"state":"shipped"}' })
  one.engine.send({ type: 'respond' })
  const third = await one.until('responseDone', 3)
  expect([one.said(second.responseId), one.said(third.responseId)]).toEqual(['It is noon.', 'It was shipped.'])
  expect(provider.last.of('toolResponse')).toMatchObject([
    {
      toolResponse: {
        functionResponses: [{ id: callId, scheduling: 'INTERRUPT', response: { output: { state: 'shipped' } } }],
      },
    },
  ])
  expect(faults()).toEqual([])
})

it('gives the results of all calls of an answer at once, and silently when something else was said', async () => {
  provider.on(/order/, { call: { name: 'find_order', arguments: { id: '7' } } }).on(/else/, { say: 'Fine.' })
  const one = open({ tools: [tool] })
  one.ask('Where is my order?')
  const { callId } = await one.until('toolCall')
  await one.until('responseDone')
  one.engine.send({ type: 'toolResult', callId, output: 'not json' })
  one.ask('Something else.')
  await one.until('responseDone', 2)
  expect(provider.last.of('toolResponse')).toMatchObject([
    { toolResponse: { functionResponses: [{ scheduling: 'SILENT', response: { output: 'not json' } }] } },
  ])
  expect(provider.last.asked.slice(-2)).toEqual(['toolResponse', 'clientContent'])
  expect(one.engine.send({ type: 'toolResult', callId, output: '{}' })).toMatchObject({ reason: 'unknown_call' })
})

it('tells the result of a call that the provider gave up as a fact', async () => {
  provider.on(/order/, { call: { name: 'find_order', arguments: {} } }).on(/shipped/, { say: 'It was shipped.' })
  const one = open({ tools: [tool], model: 'gemini-3.1-flash-live-preview' })
  one.ask('Where is my order?')
  const { callId } = await one.until('toolCall')
  await one.until('responseDone')
  provider.hears('Hello?')
  await one.speak('Are you still there?')
  one.silence(900)
  await one.until('responseDone', 2)
  expect(provider.last.sent).toContain('toolCallCancellation')
  one.engine.send({ type: 'toolResult', callId, output: '{"state":"shipped"}' })
  one.engine.send({ type: 'respond' })
  const { responseId } = await one.until('responseDone', 3)
  expect(one.said(responseId)).toBe('It was shipped.')
  expect(provider.last.of('toolResponse')).toEqual([])
  expect(faults()).toEqual([])
})

it('asks the next thing soon after an answer is made, though the provider takes it as playing', async () => {
  provider.state.plays = true
  provider.on(/long/, { say: 'A long one.', audioMs: 10_000 })
  const one = open()
  one.ask('long?')
  const first = await one.until('responseDone')
  const asked = performance.now()
  one.engine.send({ type: 'say', text: 'Next.' })
  const second = await one.until('responseDone', 2)
  expect([one.said(first.responseId), first.status, one.said(second.responseId)]).toEqual([
    'A long one.',
    'completed',
    'Next.',
  ])
  expect(performance.now() - asked).toBeLessThan(4_000)
  expect(performance.now() - asked).toBeGreaterThan(2_000)
  expect(one.of('responseDone')).toHaveLength(2)
})

it('does not ask while the person speaks', async () => {
  provider.hears('hello').on(/hello/, { say: 'Hello.' })
  const one = open()
  await one.until('ready')
  await one.speak('Good morning to you.')
  await one.until('userSpeech')
  one.engine.send({ type: 'say', text: 'By the way.' })
  await sleep(50)
  expect(provider.last.asked).not.toContain('clientContent')
  one.silence(900)
  const second = await one.until('responseDone', 2)
  expect([one.said(one.of('responseDone')[0]?.responseId ?? ''), one.said(second.responseId)]).toEqual([
    'Hello.',
    'By the way.',
  ])
})

it('knows nothing of what a turn cost when nothing is said, and says so in the log', async () => {
  provider.state.usage = null
  const lines: string[] = []
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) })
  const one = open({}, provider.baseUrl, log)
  one.engine.send({ type: 'say', text: 'Hello.' })
  await one.until('responseDone')
  await eventually(() => lines.length > 0)
  expect(one.of('usage')).toEqual([])
  expect(lines.join('')).toContain('without its cost')
})

it('keeps the key, the words and the provider’s sentence out of the log', async () => {
  const lines: string[] = []
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
  provider.on(/hello/, { say: 'Confidential answer.' })
  const one = open({}, provider.baseUrl, log)
  one.ask('hello private words')
  await one.until('responseDone')
  provider.last.close(1008, 'The key key-secret has expired')
  await one.until('closed')
  expect(lines.length).toBeGreaterThan(0)
  expect(lines.join('') + JSON.stringify(one.of('closed'))).not.toMatch(
    /key-secret|private words|Confidential|secret recipe/,
  )
})

it('refuses more audio than it may hold while the provider is not there, and says so once', async () => {
  provider.silent()
  const one = open()
  const speech = await speechPcm('One two three four five six seven eight nine ten eleven twelve.')
  for (let i = 0; i < 12; i++) for (const piece of pieces(speech)) one.engine.audio({ pcm: piece })
  expect(await one.until('error')).toMatchObject({ code: 'queue_full', source: 'local' })
  expect(one.of('error')).toHaveLength(1)
  expect(one.engine.bufferedBytes).toBeLessThanOrEqual(1024 * 1024)
  expect(one.engine.bufferedBytes).toBeGreaterThan(256 * 1024)
})

it('answers speech that somebody else ends only when asked, with all of it', async () => {
  provider.hears('Push to talk')
  const one = open({ turnDetection: 'none' })
  await one.until('ready')
  expect(one.engine.send({ type: 'commitAudio' })).toMatchObject({ reason: 'input_audio_buffer_commit_empty' })
  await one.speak('Not this one.')
  expect(one.engine.send({ type: 'clearAudio' })).toEqual({ is: 'applied' })
  const speech = await speechPcm('Do you have a red sofa?')
  for (const piece of pieces(speech)) one.engine.audio({ pcm: piece })
  one.engine.send({ type: 'commitAudio' })
  one.engine.send({ type: 'respond' })
  await one.until('responseDone')
  const item = await one.until('userItem')
  expect((await one.until('userText')).itemId).toBe(item.itemId)
  expect(Math.abs(provider.last.audioBytes / 32 - speech.length / 48)).toBeLessThan(3)
  expect(faults()).toEqual([])
})

const theirs = { turnDetection: 'semantic_vad' } as const

it('passes on what the provider’s own detector says of speech, where it says it', async () => {
  provider
    .hears('Do you have a red sofa?')
    .on(/long/, { say: 'A long answer, for as long as it lasts.', audioMs: 5_000, pace: 2 })
  const one = open({ ...theirs, model: 'gemini-3.1-flash-live-preview' })
  one.ask('long?')
  await one.until('audio')
  one.silence(300)
  await one.speak('Do you have a red sofa?')
  one.silence(900)
  const [start, stop] = [await one.until('userSpeech'), await one.until('userSpeech', 2)]
  expect([start, stop]).toMatchObject([
    { phase: 'start', source: 'provider', interrupts: true },
    { phase: 'stop', source: 'provider', itemId: start.itemId },
  ])
  expect(start.atMs).toBeGreaterThan(250)
  expect(stop.atMs).toBeGreaterThan(start.atMs + 500)
  expect(await one.until('responseDone')).toMatchObject({ status: 'cancelled', reason: 'turn_detected' })
  await one.until('responseDone', 2)
  expect((await one.until('userItem', 2)).itemId).toBe(start.itemId)
  expect(provider.last.asked).not.toContain('activityStart')
  expect(faults()).toEqual([])
})

it('concludes speech where the provider’s detector says nothing, and says that it does', async () => {
  provider
    .hears('Stop', 'Thanks')
    .on(/long/, { say: 'A long answer, for as long as it lasts.', audioMs: 5_000, pace: 2 })
  const one = open(theirs)
  one.ask('long?')
  await one.until('audio')
  await one.speak('Please stop it now.')
  one.silence(900)
  expect(await one.until('responseDone')).toMatchObject({ status: 'cancelled', reason: 'turn_detected' })
  await one.until('responseDone', 2)
  await one.speak('Thank you very much.')
  one.silence(900)
  await one.until('responseDone', 3)
  const speech = one.of('userSpeech')
  expect(speech.map(({ phase, source, interrupts }) => [phase, source, interrupts])).toEqual([
    ['start', 'inferred', true],
    ['stop', 'inferred', false],
    ['start', 'inferred', false],
    ['stop', 'inferred', false],
  ])
  const finals = () => one.of('userText').flatMap(({ final }) => final ?? [])
  await eventually(() => finals().length === 2)
  expect(finals()).toEqual(['Stop', 'Thanks'])
  // A start comes before the end it causes, a stop before the answer it asks for.
  const types = one.types().filter((type) => /userSpeech|response/.test(type))
  expect(types).toEqual([
    ...['responseStarted', 'userSpeech', 'responseDone', 'userSpeech', 'responseStarted', 'responseDone'],
    ...['userSpeech', 'userSpeech', 'responseStarted', 'responseDone'],
  ])
})

it('tells the provider’s detector that the microphone was muted', async () => {
  provider.hears('Do you')
  const one = open(theirs)
  await one.until('ready')
  for (const piece of pieces((await speechPcm('Do you have a red sofa?')).subarray(0, 48 * 700)))
    one.engine.audio({ pcm: piece })
  await one.until('responseDone')
  expect(provider.last.asked.at(-1)).toBe('audioStreamEnd')
  expect(faults()).toEqual([])
})

it('writes to who reads and speaks to who listens, from one answer to the next', async () => {
  provider.on(/hello/, { say: 'Hello.' })
  const one = open({ outputModality: 'text' })
  one.ask('hello')
  await one.until('responseDone')
  expect([one.of('audio'), one.of('audioDone'), one.of('agentText').some(({ spoken }) => spoken)]).toEqual([
    [],
    [],
    false,
  ])
  one.engine.send({ type: 'update', fields: { outputModality: 'audio' } })
  one.ask('hello')
  await one.until('audioDone')
  one.engine.send({ type: 'userText', itemId: 'i', text: 'hello' })
  one.engine.send({ type: 'respond', raw: { type: 'response.create', response: { output_modalities: ['text'] } } })
  await one.until('responseDone', 3)
  expect(one.of('audioDone')).toHaveLength(1)
  expect(provider.connections).toHaveLength(1)
})

it('serves without a key only where none is needed', () => {
  const needs = { defaultModel: 'm', log: quiet, clock: systemClock, apiKey: undefined }
  expect(createGeminiLive({ ...needs, baseUrl: 'https://generativelanguage.googleapis.com' }).off).toBe('no API key')
  expect(createGeminiLive({ ...needs, baseUrl: 'https://relay.example.com/gemini' }).off).toBeUndefined()
})
