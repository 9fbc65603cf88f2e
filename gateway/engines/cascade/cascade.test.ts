import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { afterEach, expect, it } from 'vitest'
import { Watched } from '../../../test/contract/engine.contract.ts'
import {
  type ScriptedCascade,
  type ScriptedCascadeOptions,
  startScriptedCascade,
} from '../../../test/harness/scripted-cascade.ts'
import { pieces, silencePcm, speechPcm } from '../../../test/harness/speech.ts'
import { systemClock } from '../../platform/clock.ts'
import type { EngineBrief } from '../engines.ts'
import type { Times } from '../text/patience.ts'
import { createCascade } from './cascade.ts'
import { readPlan } from './plan.ts'

const servers: ScriptedCascade[] = []
const open: Watched[] = []
const logged: string[] = []
const log = pino({ level: 'trace' }, { write: (line) => void logged.push(line) })

afterEach(async () => {
  for (const one of open.splice(0)) one.engine.close()
  await Promise.all(servers.splice(0).map((server) => server.stop()))
})

async function serve(options: ScriptedCascadeOptions = {}): Promise<ScriptedCascade> {
  const server = await startScriptedCascade({ apiKey: 'sk-secret', ...options })
  servers.push(server)
  return server
}

interface Lists {
  readonly llm?: string
  readonly stt?: string
  readonly tts?: string
}

const voice = {
  warm: async () => {},
  speak: async () => Buffer.alloc(4_800),
  [Symbol.asyncDispose]: async () => {},
}

/** Servers are called a, b, …; every part is served by all of them in order. */
function factory(on: readonly ScriptedCascade[], lists: Lists = {}, times: Partial<Times> = {}) {
  const names = on.map((_, i) => String.fromCharCode(97 + i))
  const all = (model: string) => names.map((name) => `${name}:${model}`).join(',')
  const { plan, problems } = readPlan({
    llm: lists.llm ?? all('mind'),
    stt: lists.stt ?? all('ears'),
    tts: lists.tts ?? all('mouth'),
    servers: on.map(({ baseUrl }, i) => `${names[i]}=${baseUrl} sk-secret`).join(','),
    openAiBaseUrl: 'https://api.openai.com/v1',
    keys: {},
  })
  expect(problems).toEqual([])
  return createCascade({ plan, voice, clock: systemClock, log, times })
}

function start(made: ReturnType<typeof factory>, brief: Partial<EngineBrief> = {}): Watched {
  const one = new Watched(made, brief)
  open.push(one)
  one.engine.start()
  return one
}

async function speak(one: Watched, text = 'Do you have a red sofa?'): Promise<void> {
  one.silence(300)
  await one.speak(text)
  one.silence(900)
}

const tool = { name: 'search', description: 'Searches.', parameters: { type: 'object', properties: {} } }
const numbers = 'One two three four five six seven eight nine ten.'

it('is heard before the answer is written to its end', async () => {
  const server = await serve({ pace: 8 })
  const say =
    'Of course we do. We have three of them in the shop today, and you can try every one of them for as long as you like.'
  server.on(/sofa/, { say, wordMs: 50 })
  const one = start(factory([server]))
  await one.until('ready')
  const askedMs = performance.now()
  one.ask('a sofa?')
  await one.until('audio')
  const answeredAtFirst = server.answered
  const firstMs = performance.now() - askedMs
  const { responseId } = await one.until('responseDone')
  const wholeMs = performance.now() - askedMs
  process.stdout.write(`first audio after ${Math.round(firstMs)} ms of ${Math.round(wholeMs)} ms\n`)
  expect(answeredAtFirst).toBe(0)
  expect(server.answered).toBe(1)
  expect(one.said(responseId)).toBe(say)
  expect(server.speeches.map(({ input }) => input)[0]).toBe('Of course we do.')
})

it('makes the next sentence while the one before it sounds, and no more than that', async () => {
  const server = await serve({ pace: 1 })
  server.on(/count/, { say: 'One two three four five six. Seven eight. Nine ten. Eleven twelve.', wordMs: 5 })
  const one = start(factory([server]))
  one.ask('count')
  await one.until('audio', 3)
  await sleep(200)
  expect(server.speeches.map(({ input }) => input)).toEqual(['One two three four five six.', 'Seven eight.'])
  expect(one.of('audio').reduce((sum, { ms }) => sum + ms, 0)).toBeLessThan(28 * 60)
})

it('shows the model what was heard of an answer, by the player’s word', async () => {
  const server = await serve({ pace: 20 })
  server.on(/count/, { say: `${numbers} Eleven twelve.` })
  const one = start(factory([server]))
  one.ask('count')
  const { itemId } = await one.until('audio')
  await one.until('responseDone')
  // 60 ms a character: the end of "five", less than "six".
  const heardMs = 'One two three four five s'.length * 60
  expect(one.engine.send({ type: 'truncate', itemId, heardMs }).is).toBe('applied')
  expect(await one.until('truncated')).toMatchObject({ itemId, heardMs })
  one.ask('and then?')
  await one.until('responseDone', 2)
  expect(server.lastChat.messages.slice(1)).toEqual([
    { role: 'user', content: 'count' },
    { role: 'assistant', content: 'One two three four five' },
    { role: 'user', content: 'and then?' },
  ])
})

it('shows nothing of an answer that nobody heard', async () => {
  const server = await serve({ pace: 20 })
  server.on(/count/, { say: numbers })
  const one = start(factory([server]))
  one.ask('count')
  const { itemId } = await one.until('audio')
  one.engine.send({ type: 'cancel' })
  one.engine.send({ type: 'truncate', itemId, heardMs: 0 })
  await one.until('responseDone')
  one.ask('again')
  await one.until('responseDone', 2)
  expect(server.lastChat.messages.slice(1)).toEqual([{ role: 'user', content: 'count\nagain' }])
})

it('without a player’s word it was heard as far as time allows', async () => {
  const server = await serve()
  const whole = `${numbers} ${numbers} ${numbers} ${numbers}`
  server.on(/count/, { say: whole }).hears('stop')
  await speechPcm('Wait, stop please.')
  const one = start(factory([server]))
  one.ask('count')
  await one.until('audio')
  const beganMs = performance.now()
  await sleep(1_200)
  await speak(one, 'Wait, stop please.')
  const passedMs = performance.now() - beganMs
  await one.until('responseDone', 2)
  const heard = server.lastChat.messages[2]?.content ?? ''
  expect(whole.startsWith(heard)).toBe(true)
  // 60 ms a character, whole words.
  expect(heard.length).toBeGreaterThan(1_200 / 60 - 7)
  expect(heard.length).toBeLessThanOrEqual(passedMs / 60 + 1)
  expect(server.lastChat.messages[3]).toEqual({ role: 'user', content: 'stop' })
})

it('shows each call with one output, and none while the tool works; what comes late comes last', async () => {
  const server = await serve()
  server
    .on(/sofa/, { calls: [{ name: 'search', arguments: '{"colour":"red"}', id: 'c1' }] })
    .on(/weather/, { say: 'It rains.' })
    .on(/found/, { say: 'The Oslo.' })
  const one = start(factory([server]), { tools: [tool], outputModality: 'text' })
  one.ask('a sofa?')
  const { callId } = await one.until('toolCall')
  await one.until('responseDone')
  one.ask('how is the weather?')
  await one.until('responseDone', 2)
  expect(server.lastChat.messages.map(({ role }) => role)).toEqual(['system', 'user'])
  expect(server.lastChat.messages[0]?.content).toContain('The tool search is still working')
  expect(one.engine.send({ type: 'toolResult', callId, output: 'found: Oslo' })).toEqual({ is: 'applied' })
  expect(one.engine.send({ type: 'toolResult', callId, output: 'found: twice' })).toEqual({
    is: 'rejected',
    reason: 'unknown_call',
  })
  expect(one.engine.send({ type: 'toolResult', callId: 'nobody', output: '' })).toEqual({
    is: 'rejected',
    reason: 'unknown_call',
  })
  one.engine.send({ type: 'respond' })
  const { responseId } = await one.until('responseDone', 3)
  expect(one.said(responseId)).toBe('The Oslo.')
  expect(server.lastChat.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool'])
  expect(JSON.stringify(server.lastChat)).not.toContain('twice')
})

it('gives calls without an id, or with one used before, an id of their own', async () => {
  const server = await serve()
  server.on(/sofa/, { calls: [{ name: 'search', arguments: '{}', id: 'same' }] })
  const one = start(factory([server]), { tools: [tool], outputModality: 'text' })
  for (const n of [1, 2]) {
    one.ask('a sofa?')
    const { callId } = await one.until('toolCall', n)
    await one.until('responseDone', n)
    expect(one.engine.send({ type: 'toolResult', callId, output: 'sofa sold' }).is).toBe('applied')
  }
  const ids = one.of('toolCall').map(({ callId }) => callId)
  expect(ids[0]).toBe('same')
  expect(new Set(ids).size).toBe(2)
})

it('ends the turn of a microphone that was switched off in the middle of a word', async () => {
  const server = await serve()
  server.hears('a red')
  const one = start(factory([server]))
  await one.until('ready')
  one.silence(300)
  for (const piece of [...pieces(await speechPcm('Do you have a red sofa?'))].slice(0, 8))
    one.engine.audio({ pcm: piece })
  expect(one.of('userSpeech')).toHaveLength(1)
  await one.until('userSpeech', 2)
  expect(await one.until('userText')).toMatchObject({ final: 'a red' })
  await one.until('responseDone')
})

it('waits a breath for the rest of a sentence, and answers it as one', async () => {
  const server = await serve()
  server.hears('I am looking for a sofa and', 'for a table.')
  const one = start(factory([server]), { turnDetection: 'semantic_vad' })
  await one.until('ready')
  await speak(one)
  await one.until('userText')
  await sleep(200)
  expect(server.chats).toEqual([])
  await speak(one)
  await one.until('responseDone')
  expect(one.of('responseStarted')).toHaveLength(1)
  expect(server.lastChat.messages.at(-1)?.content).toBe('I am looking for a sofa and\nfor a table.')
})

it('answers half a sentence too, when nothing follows', async () => {
  const server = await serve()
  server.hears('I am looking for a sofa and')
  const one = start(factory([server]), { turnDetection: 'semantic_vad' })
  await one.until('ready')
  await speak(one)
  const { atMs } = await one.until('userSpeech', 2)
  expect(atMs).toBeGreaterThan(0)
  await one.until('responseDone')
  expect(server.chats).toHaveLength(1)
})

it('does not answer noise, and does not begin to answer while somebody speaks', async () => {
  const server = await serve()
  server.hears('', 'Yes please.')
  const one = start(factory([server]))
  await one.until('ready')
  await speak(one)
  expect(await one.until('userText')).toMatchObject({ final: '' })
  one.silence(300)
  await one.speak('Yes please, I would.')
  one.engine.send({ type: 'respond' })
  await sleep(100)
  expect(server.chats).toEqual([])
  one.silence(900)
  await one.until('responseDone')
  expect(server.lastChat.messages.at(-1)?.content).toBe('Yes please.')
  await sleep(50)
  expect(one.types().filter((type) => type === 'userSpeech')).toHaveLength(4)
})

it('asks to say again what nobody could transcribe, and gives up when it stays so', async () => {
  const server = await serve()
  server.always('transcription', { how: 'status', status: 503 })
  const one = start(factory([server]))
  await one.until('ready')
  await speak(one)
  expect(await one.until('userText')).toMatchObject({ failed: 'server_error' })
  await one.until('responseDone')
  expect(server.lastChat.messages.at(-1)?.content).toContain('the words were lost')
  await speak(one)
  expect(await one.until('closed')).toMatchObject({ cause: 'lost', code: 'server_error' })
})

it('lets the next server of a part do what the first cannot, and asks it first from then on', async () => {
  const [a, b] = [await serve(), await serve()]
  a.always('chat', { how: 'status', status: 500 })
    .always('speech', { how: 'status', status: 500 })
    .always('transcription', { how: 'status', status: 500 })
  b.on(/sofa/, { say: 'Yes, a red one. It is here.' }).hears('a sofa', 'a sofa')
  const one = start(factory([a, b]))
  await one.until('ready')
  for (const n of [1, 2]) {
    await speak(one)
    const { responseId, status } = await one.until('responseDone', n)
    expect([status, one.said(responseId)]).toEqual(['completed', 'Yes, a red one. It is here.'])
    // Two sentences are made at once.
    if (n === 1) expect(a.refused.length).toBeLessThanOrEqual(4)
    if (n === 1) a.refused.length = 0
  }
  expect(a.refused).toEqual([])
  expect([b.chats.length, b.speeches.length, b.forms.length]).toEqual([2, 4, 2])
})

it.each(['cut', 'error', 'garbage', 'stall'] as const)(
  'goes on with the next model after the words of one that broke off (%s)',
  async (how) => {
    const [a, b] = [await serve(), await serve()]
    const say = 'The first is red. The second is blue. The third is green.'
    for (const server of [a, b]) server.on(/sofas/, { say })
    a.breaks('chat', { how, after: 8 })
    const one = start(factory([a, b], {}, { firstMs: 400, stallMs: 300 }))
    one.ask('which sofas?')
    const { responseId, status } = await one.until('responseDone')
    expect([status, one.said(responseId)]).toEqual(['completed', say])
    expect(b.lastChat.messages[0]?.content).toContain('Heard so far: "The first is red."')
    const spoken = [...a.speeches, ...b.speeches].map(({ input }) => input)
    expect(spoken.toSorted()).toEqual(['The first is red.', 'The second is blue.', 'The third is green.'])
    expect(one.of('agentItem')).toHaveLength(1)
  },
)

it('goes on in writing too, with a space between', async () => {
  const [a, b] = [await serve(), await serve()]
  const say = 'The first is red. The second is blue.'
  for (const server of [a, b]) server.on(/sofas/, { say })
  a.breaks('chat', { how: 'cut', after: 5 })
  const one = start(factory([a, b]), { outputModality: 'text' })
  one.ask('which sofas?')
  const { responseId } = await one.until('responseDone')
  expect(one.said(responseId)).toBe(say)
})

it('lets another voice say the rest of a sentence', async () => {
  const [a, b] = [await serve(), await serve()]
  for (const server of [a, b]) server.on(/count/, { say: numbers })
  // 100 ms a chunk: twelve of them are 20 characters.
  a.breaks('speech', { how: 'cut', after: 12 })
  const one = start(factory([a, b]))
  one.ask('count')
  const { responseId, status } = await one.until('responseDone')
  expect([status, one.said(responseId)]).toEqual(['completed', numbers])
  expect(numbers.endsWith(b.speeches[0]?.input ?? '?')).toBe(true)
  const saidBefore = numbers.length - (b.speeches[0]?.input.length ?? 0)
  expect(saidBefore).toBeGreaterThan(10)
  expect(saidBefore).toBeLessThan(22)
})

it('an answer that no voice can say fails by name, as far as it was said', async () => {
  const server = await serve()
  server.on(/count/, { say: 'One is said. Two is not. Three neither.', wordMs: 30 })
  const one = start(factory([server]))
  one.ask('count')
  await one.until('audio')
  server.always('speech', { how: 'status', status: 503 })
  const done = await one.until('responseDone')
  expect(done).toMatchObject({ status: 'failed', reason: 'server_error' })
  expect('One is said. Two is not.'.startsWith(one.said(done.responseId))).toBe(true)
  server.always('speech', undefined)
  one.ask('count')
  expect((await one.until('responseDone', 2)).status).toBe('completed')
})

it('tells when to come back, when every model has too much to do', async () => {
  const server = await serve()
  server.always('chat', { how: 'status', status: 429, code: 'rate_limit_exceeded', retryAfter: '7' })
  const one = start(factory([server]))
  one.ask('hello')
  expect(await one.until('responseDone')).toMatchObject({ status: 'failed', reason: 'rate_limit_exceeded' })
  expect(one.of('rateLimited')).toEqual([{ type: 'rateLimited', source: 'provider', retryAfterMs: 7_000 }])
})

it('an answer cut by the provider is incomplete, and its half calls are not made', async () => {
  const server = await serve()
  server.on(/long/, { say: 'And so on', calls: [{ name: 'search', arguments: '{"a":' }], finish: 'length' })
  const one = start(factory([server]), { tools: [tool], outputModality: 'text' })
  one.ask('long')
  expect(await one.until('responseDone')).toMatchObject({ status: 'incomplete', reason: 'max_output_tokens' })
  expect(one.of('toolCall')).toEqual([])
})

it('is a mind that reads and writes where it has no ears and no voice, and says so', async () => {
  const server = await serve()
  const made = factory([server], { stt: '', tts: '' })
  expect(made.hears).toBe('speech')
  const one = start(made)
  expect(one.engine.capabilities).toMatchObject({ hears: 'speech', speaks: false })
  one.ask('hello')
  const { responseId } = await one.until('responseDone')
  expect([one.said(responseId), one.of('audio').length]).toEqual(['I do not know.', 0])
  await speak(one)
  await one.until('responseDone', 2)
  expect(one.of('userText')[0]).toMatchObject({ final: '' })
  expect(server.lastChat.messages.at(-1)?.content).toContain('cannot understand speech here')
  expect(server.lastChat.messages[0]?.content).not.toContain('spoken aloud')
})

it('speaks English with the built-in voice, and writes any other language', async () => {
  const server = await serve()
  const made = factory([server], { tts: 'builtin' })
  const english = start(made)
  english.ask('hello')
  await english.until('responseDone')
  expect(english.of('audio').length).toBeGreaterThan(0)
  expect(english.engine.capabilities.speaks).toBeUndefined()
  expect(english.of('usage').at(-1)?.meters['speech.characters']).toBeUndefined()
  expect(start(made, { language: 'de' }).engine.capabilities.speaks).toBe(false)
})

it('books what the providers charge, over all parts', async () => {
  const server = await serve()
  server.hears('a sofa', 'a table').on(/sofa/, { say: 'Yes. A red one.' })
  const one = start(factory([server]))
  await one.until('ready')
  for (const n of [1, 2]) {
    await speak(one)
    await one.until('responseDone', n)
  }
  const totals = one.of('usage').at(-1)?.meters ?? {}
  const { charged } = server
  expect({
    input: (totals['input.text.tokens'] ?? 0) + (totals['input.cached.text.tokens'] ?? 0),
    cached: totals['input.cached.text.tokens'] ?? 0,
    output: totals['output.text.tokens'],
    characters: totals['speech.characters'],
    seconds: totals['transcription.seconds'],
  }).toEqual(charged)
  expect(totals['unknown.usages']).toBeUndefined()
})

it('flags what an interrupted or abandoned call costs as not known', async () => {
  const server = await serve()
  server.on(/long/, { say: 'word '.repeat(200), wordMs: 20 })
  const one = start(factory([server]), { outputModality: 'text' })
  one.ask('long')
  await one.until('agentText')
  one.engine.send({ type: 'cancel' })
  await one.until('responseDone')
  expect(one.of('usage').at(-1)?.meters).toEqual({ 'unknown.usages': 1 })
  one.ask('long')
  await one.until('agentText', one.of('agentText').length + 1)
  one.engine.close()
  await one.until('closed')
  expect(one.of('usage').at(-1)?.meters).toEqual({ 'unknown.usages': 2 })
  expect(one.events.at(-1)?.type).toBe('closed')
  await sleep(100)
  expect(server.cutOff).toBe(2)
})

it('starts where one server of each part is there, and is refused where none is', async () => {
  const [a, b] = [await serve(), await serve({ apiKey: 'another' })]
  await start(factory([b, a])).until('ready')
  expect(await start(factory([b])).until('closed')).toMatchObject({ cause: 'refused', code: 'invalid_api_key' })
  await a.stop()
  expect(await start(factory([a])).until('closed')).toMatchObject({ cause: 'refused', code: 'unreachable' })
  expect(await start(factory([b, a], { tts: 'builtin' }), { outputModality: 'text' }).until('closed')).toMatchObject({
    cause: 'refused',
  })
})

it('asks the agent’s own model first, of a server that is named or of the first one', async () => {
  const [a, b] = [await serve(), await serve()]
  const made = factory([a, b])
  for (const [model, server, asked] of [
    ['b:large', b, 'large'],
    ['small', a, 'small'],
    ['b:mind', b, 'mind'],
    ['b:evil?stream=false', b, 'evil'],
    ['', a, 'mind'],
  ] as const) {
    const one = start(made, { model, outputModality: 'text' })
    expect((await one.until('ready')).model).toBe(
      model === '' ? 'a:mind' : model === 'small' ? 'a:small' : model.split('?')[0],
    )
    one.ask('hello')
    await one.until('responseDone')
    expect(server.lastChat.model).toBe(asked)
  }
})

it('answers one request as its client wants it', async () => {
  const server = await serve()
  const one = start(factory([server]), { tools: [tool], instructions: 'Ours.' })
  const response = { instructions: 'Theirs.', tool_choice: 'none', output_modalities: ['text'] }
  one.engine.send({ type: 'userText', itemId: 'i', text: 'hello' })
  one.engine.send({ type: 'respond', raw: { type: 'response.create', response } })
  await one.until('responseDone')
  expect(one.of('audio')).toEqual([])
  expect(server.lastChat).toMatchObject({ tool_choice: 'none' })
  expect(server.lastChat.messages[0]?.content).toMatch(/^Theirs\./)
})

it('changes what may be changed from the next answer on', async () => {
  const server = await serve()
  const one = start(factory([server]))
  one.engine.send({ type: 'update', fields: { instructions: 'New.', tools: [tool], voice: 'verse' } })
  one.ask('hello')
  await one.until('responseDone')
  expect(server.lastChat.messages[0]?.content).toMatch(/^New\./)
  expect(server.lastChat.tools).toHaveLength(1)
  expect(server.speeches.at(-1)?.voice).toBe('verse')
})

it('opens with words of its own, and tells them to a model that wants the person first', async () => {
  const server = await serve()
  const one = start(factory([server]), { outputModality: 'text', history: [{ role: 'agent', text: 'Welcome back.' }] })
  one.engine.send({ type: 'say', text: 'How can I help?' })
  await one.until('responseDone')
  one.engine.send({ type: 'respond' })
  await one.until('responseDone', 2)
  expect(server.refused).toEqual([])
  expect(server.lastChat.messages[0]?.content).toContain(
    'You opened the conversation with: "Welcome back. How can I help?"',
  )
})

it('stays within bounds when it is flooded', async () => {
  const server = await serve()
  const one = start(factory([server]), { outputModality: 'text' })
  const answers = Array.from({ length: 12 }, () => one.engine.send({ type: 'respond' }).is)
  expect(answers.filter((is) => is === 'rejected').length).toBeGreaterThan(2)
  for (let i = 0; i < 200; i++) one.engine.send({ type: 'userText', itemId: `i${i}`, text: 'x'.repeat(4_000) })
  one.ask('hello')
  await one.until('responseDone')
  one.engine.send({ type: 'respond' })
  await sleep(200)
  expect(JSON.stringify(server.lastChat.messages).length).toBeLessThan(60_000)
  expect(one.engine.send({ type: 'native', event: { type: 'x' } }).is).toBe('unsupported')
})

it('refuses an append frame that is none, and a commit of nothing', async () => {
  const server = await serve()
  const one = start(factory([server]))
  await one.until('ready')
  one.engine.audio({ appendFrame: Buffer.from('{"audio":1}') })
  expect(await one.until('error')).toMatchObject({ code: 'invalid_audio' })
  one.engine.audio({ pcm: silencePcm(50) })
  expect(one.engine.send({ type: 'commitAudio' })).toEqual({
    is: 'rejected',
    reason: 'input_audio_buffer_commit_empty',
  })
})

it('has written no key and no word of the conversation to the log', () => {
  expect(logged.length).toBeGreaterThan(5)
  expect(logged.join('')).not.toMatch(/sk-secret|Bearer|sofa|127\.0\.0\.1/)
})
