import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Watched } from '../../../test/contract/engine.contract.ts'
import { type LiveOptions, type ScriptedLive, startScriptedLive } from '../../../test/harness/scripted-live.ts'
import { type ScriptedRealtime, startScriptedRealtime } from '../../../test/harness/scripted-realtime.ts'
import { silencePcm, speechPcm } from '../../../test/harness/speech.ts'
import { systemClock } from '../../platform/clock.ts'
import type { EngineBrief } from '../engines.ts'
import { createOpenAiRealtime } from '../openai-realtime/openai-realtime.ts'
import { createOpenAiLive, type OpenAiLiveNeeds } from './openai-live.ts'

let voice: ScriptedLive
let text: ScriptedRealtime
const opened: Watched[] = []
const silent = pino({ level: 'silent' })

const tool = { name: 'look_up', description: 'Looks up.', parameters: { type: 'object', properties: {} } }

beforeEach(async () => {
  voice = await startScriptedLive({ apiKey: 'sk-test' })
  text = await startScriptedRealtime({ apiKey: 'sk-test' })
})
afterEach(async () => {
  for (const one of opened.splice(0)) one.engine.close()
  await voice.stop()
  await text.stop()
})

async function restart(options: LiveOptions): Promise<void> {
  await voice.stop()
  voice = await startScriptedLive({ apiKey: 'sk-test', ...options })
}

function open(brief: Partial<EngineBrief> = {}, more: Partial<OpenAiLiveNeeds> = {}): Watched {
  const desk = createOpenAiRealtime({
    apiKey: 'sk-test',
    baseUrl: text.baseUrl,
    defaultModel: 'gpt-realtime-2.1',
    log: silent,
    clock: systemClock,
  })
  const factory = createOpenAiLive({
    apiKey: 'sk-test',
    baseUrl: voice.baseUrl,
    defaultModel: 'gpt-live-1',
    desk: { model: 'gpt-realtime-2.1', open: desk.open },
    log: silent,
    clock: systemClock,
    ...more,
  })
  const one = new Watched(factory, brief)
  opened.push(one)
  one.engine.start()
  return one
}

async function until(what: string, is: () => boolean): Promise<void> {
  for (let i = 0; i < 2_000 && !is(); i++) await sleep(5)
  if (!is()) throw new Error(`never: ${what}`)
}

/** Aloud, and then the silence that ends it. */
async function speak(one: Watched, words: string): Promise<void> {
  for (const pcm of [await speechPcm(words), silencePcm(1_000)]) one.engine.audio({ pcm })
}

it('starts a session with everything the provider wants first, and nothing it refuses', async () => {
  const one = open({
    instructions: 'The secret recipe.',
    language: 'de-DE',
    voice: 'cedar',
    tools: [tool],
    history: [
      { role: 'user', text: 'Hi.' },
      { role: 'agent', text: 'Hello.' },
    ],
  })
  expect((await one.until('ready')).model).toBe('gpt-live-1')
  const { last } = voice
  expect(last.received[0]?.type).toBe('session.start')
  expect(last.headers.authorization).toBe('Bearer sk-test')
  expect(last.session).toMatchObject({
    model: 'gpt-live-1',
    audio: { format: { type: 'audio/pcm', rate: 24_000 }, output: { voice: 'cedar' } },
    delegation: { type: 'client' },
    input: [
      { role: 'user', content: [{ type: 'input_text', text: 'Hi.' }] },
      { role: 'assistant', content: [{ type: 'output_text', text: 'Hello.' }] },
    ],
    store: false,
  })
  expect(last.session.instructions).toMatch(/^The secret recipe\.\n\n.*"de-DE".*delegate/s)
  // The voice has no tools: they are behind it.
  await until('the desk is told', () => text.connections[0]?.session.tools?.length === 1)
  expect(text.last.session).toMatchObject({ output_modalities: ['text'], tools: [{ name: 'look_up' }] })
  expect(last.errors).toEqual([])
})

it('seeds no more than the provider takes of a long conversation, the latest of it', async () => {
  const history = Array.from({ length: 300 }, (_, i) => ({
    role: i % 2 === 0 ? ('user' as const) : ('agent' as const),
    text: `${i} ${'word '.repeat(100)}`,
  }))
  const one = open({ history })
  await one.until('ready')
  const { input = [] } = voice.last.session
  expect(input.length).toBeGreaterThan(20)
  expect(input.at(-1)?.content[0].text).toMatch(/^299 /)
  expect(voice.last.errors).toEqual([])
})

it('keeps the session’s time going when nobody sends audio, and fills no gap in what is sent', async () => {
  const one = open()
  await one.until('ready')
  const { last } = voice
  await until('silence flows', () => last.clockMs >= 300)
  const appends = () => last.of('session.input_audio.append').map(({ audio }) => Buffer.from(audio, 'base64'))
  expect(appends().every((pcm) => pcm.every((byte) => byte === 0))).toBe(true)
  const tick = setInterval(() => one.engine.audio({ pcm: Buffer.alloc(960, 1) }), 20)
  await sleep(200)
  const from = appends().length
  await sleep(300)
  clearInterval(tick)
  expect(
    appends()
      .slice(from)
      .every((pcm) => pcm[0] === 1),
  ).toBe(true)
  const before = last.clockMs
  await until('silence again', () => last.clockMs - before >= 300)
})

it('sends whole samples only, of whatever the client sent', async () => {
  const one = open()
  await one.until('ready')
  one.engine.audio({ pcm: Buffer.from([1, 2, 3]) })
  one.engine.audio({ pcm: Buffer.from([7]) })
  one.engine.audio({ appendFrame: Buffer.from('no frame') })
  one.engine.audio({ appendFrame: Buffer.from('{"type":"input_audio_buffer.append","audio":7}') })
  await sleep(50)
  expect(voice.last.errors).toEqual([])
  expect(voice.last.of('session.input_audio.append').some(({ audio }) => audio === 'AQI=')).toBe(true)
})

it('does what the voice delegates: the text engine calls the tool, the voice tells its answer', async () => {
  voice.hears('Is the red sofa in stock?').on(/red sofa/, { delegate: true, say: 'One moment.' })
  text
    .on(/red sofa/, { call: { name: 'look_up', arguments: { item: 'sofa' }, callId: 'call_1' } })
    .on(/stock: 3/, { say: 'There are three of them.' })
  const one = open({ tools: [tool] })
  await one.until('ready')
  await speak(one, 'Is the red sofa in stock?')
  const call = await one.until('toolCall')
  expect(call).toMatchObject({ callId: 'call_1', name: 'look_up' })
  expect(one.of('responseStarted').map(({ responseId }) => responseId)).toContain(call.responseId)
  // A person may take a minute to approve it: the voice is not silenced meanwhile.
  voice.last.speak({ say: 'I am still waiting.' })
  await until('it speaks on', () => one.of('agentText').some(({ final }) => final?.includes('still waiting') === true))
  one.engine.send({ type: 'toolResult', callId: 'call_1', output: 'stock: 3' })
  one.engine.send({ type: 'respond' })
  await until('the answer', () => one.of('agentText').some(({ final }) => final === 'There are three of them.'))
  const [commentary] = voice.last.of('session.commentary.append')
  expect(commentary?.delegation_id).toMatch(/^dlg_/)
  expect(one.of('toolCall')).toHaveLength(1)
  expect(one.of('error')).toEqual([])
  // What the person said went to the text engine as theirs, what was said aloud as the agent's.
  const items = text.last.of('conversation.item.create').map(({ item }) => JSON.stringify(item))
  expect(items.some((item) => item.includes('"role":"user"') && item.includes('Is the red sofa in stock?'))).toBe(true)
  expect(items.some((item) => item.includes('"role":"system"') && item.includes('still waiting'))).toBe(true)
})

it('waits for the end of the sentence before it works on what was delegated in the middle of it', async () => {
  const one = open()
  await one.until('ready')
  one.engine.audio({ pcm: await speechPcm('Please tell me whether') })
  await until('speech', () => one.of('userSpeech').length === 1)
  voice.last.delegate()
  await sleep(300)
  expect(text.last.of('response.create')).toEqual([])
  one.engine.audio({ pcm: silencePcm(1_000) })
  await until('work', () => text.last.of('response.create').length === 1)
})

it('says so when the work behind the voice fails', async () => {
  text.on(/^/, { status: 'failed', error: { code: 'insufficient_quota', message: 'no' } })
  const one = open()
  await one.until('ready')
  const delegation = voice.last.delegate()
  await until('an apology', () => voice.last.of('session.commentary.append').length === 1)
  expect(voice.last.of('session.commentary.append')[0]).toMatchObject({ delegation_id: delegation })
  await until('it is said', () =>
    one.of('agentText').some(({ final }) => final?.includes('could not be done') === true),
  )
  one.ask('Again, in writing.')
  expect(await one.until('responseDone', 2)).toMatchObject({ status: 'failed', reason: 'insufficient_quota' })
})

it('tells the model what was not heard, in the player’s own words, once', async () => {
  voice.on(/deliver/, { say: 'We deliver on weekdays. The driver calls first. Two people carry it.', pace: 4 })
  const one = open()
  one.engine.send({ type: 'say', text: 'How we deliver.' })
  const { itemId } = await one.until('audio', 5)
  await speak(one, 'Stop please, stop.')
  expect(await one.until('responseDone')).toMatchObject({ status: 'cancelled', reason: 'turn_detected' })
  const heard = { heard: 'We deliver on', unheard: 'weekdays. The driver' }
  expect(one.engine.send({ type: 'truncate', itemId, heardMs: 300, text: heard }).is).toBe('accepted')
  expect(await one.until('truncated')).toMatchObject({ itemId, heardMs: 300, source: 'local' })
  const notes = voice.last.of('session.thinking.append')
  expect(notes).toHaveLength(1)
  expect(notes[0]?.content).toContain('heard you only up to: "We deliver on". Not heard: "weekdays. The driver"')
})

it('writes to the model where nothing was heard, and nothing where everything was', async () => {
  const one = open()
  one.engine.send({ type: 'say', text: 'We open at nine.' })
  await one.until('responseDone')
  const itemId = one.of('agentItem')[0]?.itemId ?? ''
  one.engine.send({ type: 'truncate', itemId, heardMs: 99_999 })
  one.engine.send({ type: 'truncate', itemId, heardMs: 0 })
  await until('the note', () => voice.last.of('session.thinking.append').length > 0)
  expect(voice.last.of('session.thinking.append')).toMatchObject([
    { content: expect.stringContaining('before the person heard any of this: "We open at nine."') },
  ])
  expect(one.of('truncated')).toEqual([])
})

it('goes on listening and speaking where acknowledgements do not name what they are for', async () => {
  await restart({ namesCommands: false })
  const one = open()
  one.engine.send({ type: 'note', text: 'The person is on the page about sofas.' })
  one.engine.send({ type: 'say', text: 'Welcome.' })
  one.engine.send({ type: 'say', text: 'What can I do for you?' })
  const second = await one.until('responseDone', 2)
  expect(one.said(second.responseId)).toBe('What can I do for you?')
})

it('passes no silence on, however long the provider streams it, and takes no word for an answer', async () => {
  await restart({ streamsSilence: true })
  const one = open()
  await one.until('ready')
  await sleep(500)
  expect(one.types().filter((type) => type !== 'native')).toEqual(['ready'])
  one.engine.send({ type: 'say', text: 'Welcome to the shop.' })
  const { status } = await one.until('responseDone')
  expect(status).toBe('completed')
  const ms = one.of('audio').reduce((sum, event) => sum + event.ms, 0)
  expect(ms).toBeLessThan('Welcome to the shop.'.length * 60 + 1_200)
})

it('tells speech that the model does not answer from an engine that is gone', async () => {
  voice.hears('Hm.').on(/Hm/, {})
  const one = open()
  await one.until('ready')
  await speak(one, 'Good morning.')
  expect(await one.until('responseDone')).toMatchObject({
    status: 'completed',
    reason: 'not_spoken',
    source: 'inferred',
  })
  expect(one.of('agentItem')).toEqual([])
  expect(one.of('userText').at(-1)).toMatchObject({ final: 'Hm.', source: 'inferred' })
})

it('forgets a cough: speech without a word is told to be none', async () => {
  voice.hears('').on(/^$/, {})
  const one = open()
  await one.until('ready')
  await speak(one, 'Hm')
  const start = await one.until('userSpeech')
  await until('no words', () => one.of('userText').length > 0)
  expect(one.of('userText')).toEqual([
    { type: 'userText', source: 'inferred', itemId: start.itemId, final: '', heardMs: expect.any(Number) },
  ])
})

it('tells late words again with those before them, and speech that was too soft to be noticed', async () => {
  voice.hears('I would like').on(/like/, {})
  const one = open()
  await one.until('ready')
  await speak(one, 'I would like')
  await until('first', () => one.of('userText').some(({ final }) => final === 'I would like'))
  const span = one.of('userSpeech')[0]?.atMs ?? 0
  voice.last.transcribe(' a sofa.', span + 400, span + 600)
  await until('second', () => one.of('userText').some(({ final }) => final === 'I would like a sofa.'))
  expect(new Set(one.of('userText').map(({ itemId }) => itemId)).size).toBe(1)
  voice.last.transcribe('Psst.', 90_000, 90_200)
  await until('third', () => one.of('userText').length >= 5)
  expect(one.of('userItem')).toHaveLength(2)
  expect(one.of('userText').at(-1)?.itemId).toBe(one.of('userItem')[1]?.itemId)
})

it('asks for the end, and books what the provider says then', async () => {
  voice.state.finalSeconds = 61.25
  voice.state.closesAfterMs = 300
  const one = open()
  await one.until('ready')
  voice.last.usage(60)
  await until('a snapshot', () => one.of('usage').length === 1)
  one.engine.close()
  await one.until('closed')
  expect(one.of('usage').map(({ meters, source }) => [meters['live.seconds'], source])).toEqual([
    [60, 'provider'],
    [61.25, 'provider'],
  ])
  expect(voice.last.of('session.close')).toHaveLength(1)
})

it.each([
  ['the provider does not answer', (live: ScriptedLive) => void Object.assign(live.state, { closesAfterMs: 'never' })],
  ['the connection breaks', (live: ScriptedLive) => live.last.drop()],
])('books its own count, and says that nobody confirmed it, when %s', async (_, breakIt) => {
  const lines: string[] = []
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) })
  const one = open({}, { log })
  await one.until('ready')
  await sleep(300)
  breakIt(voice)
  one.engine.close()
  await one.until('closed')
  const [usage, ...more] = one.of('usage')
  expect(more).toEqual([])
  expect([usage?.source, usage?.meters['unknown.usages']]).toEqual(['inferred', 1])
  expect(usage?.meters['live.seconds']).toBeGreaterThan(0.25)
  expect(usage?.meters['live.seconds']).toBeLessThan(6)
  expect(lines.join('')).toContain('unconfirmed')
})

it('tells how long the session may live, and that it expired', async () => {
  await restart({ lifeMs: 5_000 })
  const one = open()
  await one.until('ready')
  expect(one.engine.capabilities.maxDurationMs).toBeGreaterThan(3_000)
  expect(one.engine.capabilities.maxDurationMs).toBeLessThanOrEqual(5_000)
  voice.last.end('expired')
  expect(await one.until('closed')).toMatchObject({ cause: 'expired', code: 'expired' })
})

it.each([
  ['content', 'closed_content'],
  ['remote_hangup', 'closed_remote_hangup'],
])('is lost, its bill confirmed, when the provider ends the session: %s', async (reason, code) => {
  voice.state.finalSeconds = 12
  const one = open()
  await one.until('ready')
  voice.last.end(reason)
  expect(await one.until('closed')).toMatchObject({ cause: 'lost', code })
  expect(one.of('usage')).toMatchObject([{ meters: { 'live.seconds': 12 }, source: 'provider' }])
})

it('opens a session only when the conversation is spoken, and leaves it when it is not any more', async () => {
  voice.state.finalSeconds = 30
  text.on(/hours/, { say: 'From nine to six.' }).on(/weekend/, { say: 'Not at the weekend.' })
  const one = open({ outputModality: 'text' })
  await one.until('ready')
  one.ask('What are your hours?')
  const written = await one.until('responseDone')
  expect([one.said(written.responseId), one.of('audio')]).toEqual(['From nine to six.', []])
  expect(voice.connections).toEqual([])
  expect(one.engine.capabilities.maxDurationMs).toBeNull()
  one.engine.send({ type: 'update', fields: { outputModality: 'audio' } })
  one.engine.send({ type: 'say', text: 'Now you can hear me.' })
  await one.until('responseDone', 2)
  expect(one.of('audio').length).toBeGreaterThan(0)
  expect(voice.last.session.input).toMatchObject([
    { role: 'user', content: [{ text: 'What are your hours?' }] },
    { role: 'assistant', content: [{ text: 'From nine to six.' }] },
  ])
  one.engine.send({ type: 'update', fields: { outputModality: 'text' } })
  await until('its bill', () => one.of('usage').some(({ meters }) => meters['live.seconds'] === 30))
  const heard = one.of('audio').length
  one.ask('And at the weekend?')
  const again = await one.until('responseDone', 3)
  expect([one.said(again.responseId), one.of('audio').length]).toEqual(['Not at the weekend.', heard])
  expect(one.of('ready')).toHaveLength(1)
  // What was said aloud meanwhile is known to who answers in writing.
  const items = text.last.of('conversation.item.create').map(({ item }) => JSON.stringify(item))
  expect(items.some((item) => item.includes('Now you can hear me.'))).toBe(true)
})

it('adds up the seconds of several sessions of one conversation', async () => {
  voice.state.finalSeconds = 10
  const one = open()
  await one.until('ready')
  one.engine.send({ type: 'update', fields: { outputModality: 'text' } })
  await until('one bill', () => one.of('usage').some(({ meters }) => meters['live.seconds'] === 10))
  one.engine.send({ type: 'update', fields: { outputModality: 'audio' } })
  await until('another session', () => voice.connections.length === 2 && voice.last.clockMs > 0)
  one.engine.close()
  await one.until('closed')
  expect(one.of('usage').at(-1)?.meters['live.seconds']).toBe(20)
})

it('meters the work behind the voice under the name of its model', async () => {
  const usage = { inputText: 100, inputAudio: 0, cachedText: 40, cachedAudio: 0, outputText: 20, outputAudio: 0 }
  text.on(/hours/, { say: 'From nine to six.', usage })
  const one = open()
  one.ask('What are your hours?')
  await one.until('responseDone')
  expect(one.of('usage').at(-1)?.meters).toEqual({
    'work.gpt-realtime-2_1.input.text.tokens': 60,
    'work.gpt-realtime-2_1.input.cached.text.tokens': 40,
    'work.gpt-realtime-2_1.output.text.tokens': 20,
  })
})

it('tells a refusal for too many sessions with its time, and one without a session', async () => {
  voice.refuse(429, 'rate_limit_exceeded', { 'retry-after': '2' })
  const one = open()
  expect(await one.until('closed')).toMatchObject({ cause: 'refused', code: 'rate_limit_exceeded' })
  expect(one.of('rateLimited')).toMatchObject([{ retryAfterMs: 2_000 }])
  voice.accept()
  voice.state.initialError = 'insufficient_quota'
  const other = open()
  expect(await other.until('closed')).toMatchObject({ cause: 'refused', code: 'insufficient_quota' })
  expect(other.of('ready')).toEqual([])
})

it('stays open after an error, tells it once, and asks for the next sentence', async () => {
  const one = open()
  await one.until('ready')
  voice.last.failNext('session.instructions.append', 'server_error')
  one.engine.send({ type: 'say', text: 'First.' })
  one.engine.send({ type: 'say', text: 'Second.' })
  const { responseId } = await one.until('responseDone')
  expect(one.said(responseId)).toBe('Second.')
  expect(one.of('error')).toMatchObject([{ code: 'server_error', benign: false }])
})

it('tells a frame it cannot read, once for each kind, and goes on', async () => {
  const one = open()
  await one.until('ready')
  for (let i = 0; i < 5; i++) voice.last.sendRaw('{"type":"session.output_audio.delta"}')
  voice.last.sendRaw('{ no json')
  voice.last.sendRaw('{"type":"session.something.new"}')
  one.engine.send({ type: 'say', text: 'Still here.' })
  await one.until('responseDone')
  const codes = one.of('error').map(({ code, benign, message }) => [code, benign, message.split(' in a')[0]])
  expect(codes).toEqual([
    ['malformed_event', true, 'the provider sent session.output_audio.delta'],
    ['malformed_event', true, 'the provider sent frame'],
  ])
  expect(one.of('native').some(({ name }) => name === 'session.something.new')).toBe(true)
})

it('changes instructions and tools while it speaks; a voice it cannot', async () => {
  const one = open({ voice: 'marin' })
  await one.until('ready')
  expect(one.engine.send({ type: 'update', fields: { voice: 'cedar' } })).toEqual({
    is: 'rejected',
    reason: 'voice_locked',
  })
  expect(one.engine.send({ type: 'update', fields: { instructions: 'Be brief.', tools: [tool] } }).is).toBe('accepted')
  await until('told', () => voice.last.of('session.instructions.append').length === 1)
  await until('the desk', () => text.last.session.tools?.length === 1)
  expect(voice.last.of('session.instructions.append')[0]?.content).toContain('Be brief.')
  expect(text.last.session.instructions).toContain('Be brief.')
  expect(one.engine.send({ type: 'update', fields: { turnDetection: 'none' } })).toMatchObject({ is: 'unsupported' })
})

it('never logs the key, the instructions or a word that was said', async () => {
  const lines: string[] = []
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
  const one = open({ instructions: 'The secret recipe.' }, { log })
  one.engine.send({ type: 'say', text: 'Secret words.' })
  await one.until('responseDone')
  voice.last.drop()
  await one.until('closed')
  const refused = open({}, { log, apiKey: 'sk-wrong-secret' })
  await refused.until('closed')
  expect(lines.length).toBeGreaterThan(1)
  expect(lines.join('')).not.toMatch(/sk-|secret/i)
})

it('cannot serve without a key or an address of it, and says which', () => {
  const needs = {
    apiKey: undefined,
    baseUrl: 'https://api.openai.com/v1',
    defaultModel: 'gpt-live-1',
    desk: { model: '', open: () => open().engine },
    log: silent,
    clock: systemClock,
  }
  expect(createOpenAiLive(needs).off).toBe('no API key')
  expect(createOpenAiLive({ ...needs, isOffered: false }).off).toBe('no address')
  expect(createOpenAiLive({ ...needs, apiKey: 'sk' }).off).toBeUndefined()
  expect(createOpenAiLive({ ...needs, baseUrl: 'http://localhost:1/v1' }).off).toBeUndefined()
})

const responses = { backendModel: 'gpt-6-luna' }

it('leaves the work to a model at the provider where that is configured; its tools run here all the same', async () => {
  const usage = { input: 300, cached: 100, output: 20 }
  voice
    .hears('Is the red sofa in stock?')
    .on(/stock: 3/, { say: 'There are three of them.', usage })
    .on(/red sofa/, { calls: [{ name: 'look_up', arguments: { item: 'sofa' }, callId: 'call_1' }], usage })
    .on(/red sofa/, { delegate: true })
  const one = open({ tools: [tool], instructions: 'Sell sofas.' }, responses)
  await one.until('ready')
  expect(voice.last.session.delegation).toMatchObject({
    type: 'responses',
    responses: { model: 'gpt-6-luna', tools: [{ type: 'function', name: 'look_up' }] },
  })
  await speak(one, 'Is the red sofa in stock?')
  expect(await one.until('toolCall')).toMatchObject({ callId: 'call_1', arguments: '{"item":"sofa"}' })
  one.engine.send({ type: 'toolResult', callId: 'call_1', output: 'stock: 3' })
  one.engine.send({ type: 'respond' })
  await until('the answer', () => one.of('agentText').some(({ final }) => final === 'There are three of them.'))
  expect([voice.last.errors, text.connections]).toEqual([[], []])
  expect(one.of('usage').at(-1)?.meters).toEqual({
    'work.gpt-6-luna.input.text.tokens': 400,
    'work.gpt-6-luna.input.cached.text.tokens': 200,
    'work.gpt-6-luna.output.text.tokens': 40,
  })
})

it('hands what is written to the model at the provider while the conversation is spoken', async () => {
  voice.on(/hours/, { say: 'From nine to six.' })
  const one = open({}, responses)
  await one.until('ready')
  one.ask('What are your hours?', 'item_question')
  const { responseId } = await one.until('responseDone')
  expect(one.said(responseId)).toBe('From nine to six.')
  expect(await one.until('userItem')).toMatchObject({ itemId: 'item_question', spoken: false })
  expect(one.engine.send({ type: 'toolResult', callId: 'call_none', output: '' })).toMatchObject({ is: 'rejected' })
  expect(voice.last.errors).toEqual([])
})

it('tells the model at the provider of changed tools and of a result that another engine’s call had', async () => {
  voice.on(/stock: 3/, { say: 'There are three of them.' })
  const one = open({}, responses)
  await one.until('ready')
  one.engine.send({ type: 'update', fields: { tools: [tool] } })
  one.engine.send({ type: 'toolResult', callId: 'call_other', output: 'stock: 3', foreign: 'look_up' })
  one.engine.send({ type: 'respond' })
  const { responseId } = await one.until('responseDone')
  expect(one.said(responseId)).toBe('There are three of them.')
  expect(voice.last.of('session.update')[0]?.session.delegation).toMatchObject({
    type: 'responses',
    responses: { tools: [{ name: 'look_up' }] },
  })
  expect(voice.last.errors).toEqual([])
})

it('is asked again where the work at the provider fails', async () => {
  voice.on(/hours/, { status: 'failed' })
  const one = open({}, responses)
  await one.until('ready')
  one.ask('What are your hours?')
  expect(await one.until('responseDone')).toMatchObject({ status: 'failed' })
})
