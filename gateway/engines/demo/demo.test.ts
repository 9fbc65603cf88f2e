import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { afterEach, expect, it, vi } from 'vitest'
import { silencePcm, speechPcm } from '../../../test/harness/speech.ts'
import { type Clock, systemClock } from '../../platform/clock.ts'
import type { Engine, EngineBrief, EngineEvent } from '../engines.ts'
import { createDemo, createHoldingLine, type DemoNeeds } from './demo.ts'
import { findRecogniser } from './recogniser.ts'
import type { Voice } from './voice.ts'

const log = pino({ level: 'silent' })
const opened: Engine[] = []

afterEach(() => {
  for (const engine of opened.splice(0)) engine.close()
  vi.unstubAllEnvs()
})

/** A voice that takes no time: 60 ms of a tone per character. */
function instantVoice(): Voice {
  return {
    warm: async () => {},
    speak: async (_, text) => Buffer.alloc(text.length * 60 * 48, 0x10),
    [Symbol.asyncDispose]: async () => {},
  }
}

function open(
  over: Partial<DemoNeeds> = {},
  brief: Partial<EngineBrief> = {},
  onEvent: (event: EngineEvent) => void = () => {},
) {
  const knowledge = { search: async () => [] }
  const factory = createDemo({ knowledge, log, clock: systemClock, voice: instantVoice(), recogniser: null, ...over })
  const events: EngineEvent[] = []
  const engine = factory.open({
    tenantId: 'ten_1',
    sessionId: 'sess_1',
    brief: {
      instructions: '',
      voice: 'slt',
      language: 'en',
      model: 'demo',
      tools: [],
      outputModality: 'audio',
      turnDetection: 'server_vad',
      history: [],
      ...brief,
    },
    onEvent: (event) => {
      events.push(event)
      onEvent(event)
    },
  })
  opened.push(engine)
  const of = <T extends EngineEvent['type']>(type: T) =>
    events.flatMap((event) => (event.type === type ? [event as Extract<EngineEvent, { type: T }>] : []))
  const until = async <T extends EngineEvent['type']>(type: T, count = 1) => {
    for (let i = 0; i < 1_000; i++) {
      const found = of(type)[count - 1]
      if (found !== undefined) return found
      await sleep(5)
    }
    throw new Error(`No ${type}`)
  }
  engine.start()
  return { engine, events, of, until, factory }
}

/** Time that passes only while somebody waits for it. */
function virtualClock(): Clock {
  let nowMs = 0
  return {
    ...systemClock,
    monotonicMs: () => nowMs,
    after(ms, run) {
      let cancelled = false
      setImmediate(() => {
        if (cancelled) return
        nowMs += ms
        run()
      })
      return { cancel: () => (cancelled = true) }
    },
  }
}

it('speaks ahead of real time at less than twice its speed, and never more than 4 s ahead', async () => {
  const clock = virtualClock()
  const sent: { readonly ms: number; readonly atMs: number }[] = []
  const { engine, until, of } = open({ clock }, {}, (event) => {
    if (event.type === 'audio') sent.push({ ms: event.ms, atMs: clock.monotonicMs() })
  })
  engine.send({ type: 'say', text: `${'x'.repeat(150)}. ${'y'.repeat(148)}.` })
  await until('responseDone')
  let sentMs = 0
  const ahead = sent.map(({ ms, atMs }) => {
    sentMs += ms
    return { ahead: sentMs - atMs, share: (sentMs - 500) / Math.max(1, atMs) }
  })
  expect(sentMs).toBe(18_000)
  expect(Math.max(...sent.map(({ ms }) => ms))).toBe(100)
  expect(Math.max(...ahead.map((each) => each.ahead))).toBeLessThanOrEqual(4_100)
  expect(Math.max(...ahead.map((each) => each.ahead))).toBeGreaterThan(3_800)
  expect(Math.max(...ahead.slice(5).map((each) => each.share))).toBeLessThanOrEqual(1.81)
  expect(of('usage').at(-1)?.meters['speech.characters']).toBe(300)
})

it('gives each word when its sound is sent, not before', async () => {
  const { engine, events, until } = open()
  engine.send({ type: 'say', text: 'One two three four five.' })
  await until('responseDone')
  let sentMs = 0
  const at: number[] = []
  for (const event of events) {
    if (event.type === 'audio') sentMs += event.ms
    if (event.type === 'agentText' && event.delta !== undefined) at.push(sentMs)
  }
  expect(at).toHaveLength(5)
  expect(at[0]).toBe(0)
  expect(new Set(at).size).toBe(5)
  expect(at.at(-1)).toBeGreaterThan(900)
})

it('is lost, once, when the voice dies over its answer', async () => {
  const speak = () => Promise.reject(new Error('the voice thread died'))
  const { engine, until, of } = open({ voice: { ...instantVoice(), speak } })
  engine.send({ type: 'say', text: 'Hello.' })
  expect(await until('closed')).toMatchObject({ cause: 'lost', code: 'voice_lost' })
  await sleep(20)
  expect(of('closed')).toHaveLength(1)
  expect(of('responseDone')).toEqual([])
})

it('answers in writing where no voice can be had', async () => {
  const warm = () => Promise.reject(new Error('none'))
  const { engine, until } = open({ voice: { ...instantVoice(), warm } }, { outputModality: 'text' })
  engine.send({ type: 'say', text: 'Hello.' })
  expect((await until('responseDone')).status).toBe('completed')
})

it('answers one question in writing when that request asks for text', async () => {
  const { engine, until, of } = open()
  engine.send({ type: 'userText', itemId: 'i', text: 'hello' })
  engine.send({ type: 'respond', raw: { type: 'response.create', response: { output_modalities: ['text'] } } })
  await until('responseDone')
  expect(of('audio')).toEqual([])
  expect(of('agentText').length).toBeGreaterThan(0)
})

// Its answer is said in its own time.
it('says how long it heard speech, asks for writing, and meters what it heard', { timeout: 20_000 }, async () => {
  const { engine, until, of, factory } = open()
  await until('ready')
  engine.audio({ pcm: Buffer.concat([silencePcm(300), await speechPcm('Do you have a red sofa?'), silencePcm(900)]) })
  const { final, heardMs } = await until('userText')
  expect(final).toBe('')
  expect(heardMs).toBeGreaterThan(1_000)
  await until('responseDone')
  expect(of('agentText').at(-1)?.final).toMatch(/heard you speak for about \d? ?seconds?|about a second/)
  expect(of('usage').at(-1)?.meters['transcription.seconds']).toBeCloseTo((heardMs ?? 0) / 1000, 2)
  expect(factory.hears).toBe('speech')
  expect(engine.capabilities.hears).toBe('speech')
})

it('understands speech where a recogniser is at hand, and gives it trimmed speech', async () => {
  const lengths: number[] = []
  const recogniser = {
    hear: async (pcm: Buffer) => {
      lengths.push(pcm.length / 48)
      return 'hello'
    },
  }
  const { engine, until, of } = open({ recogniser })
  await until('ready')
  const speech = await speechPcm('Do you have a red sofa?')
  engine.audio({ pcm: silencePcm(4_000) })
  for (let at = 0; at < speech.length; at += 4_800) engine.audio({ pcm: speech.subarray(at, at + 4_800) })
  engine.audio({ pcm: silencePcm(900) })
  expect((await until('userText')).final).toBe('hello')
  await until('responseDone')
  expect(of('agentText').at(-1)?.final).toMatch(/^Hello!/)
  expect(lengths[0]).toBeLessThan(speech.length / 48 + 1_000)
  expect(lengths[0]).toBeGreaterThan(speech.length / 48 - 300)
})

it('tells that a tool is slow, and answers all the same when the result comes', async () => {
  const late: (() => void)[] = []
  const clock: Clock = {
    ...systemClock,
    after: (ms, run) => {
      if (ms < 10_000) return systemClock.after(ms, run)
      late.push(run)
      return { cancel: () => {} }
    },
  }
  const tools = [{ name: 'event_info', description: 'About the conference.', parameters: { type: 'object' } }]
  const { engine, until, of } = open({ clock }, { tools, outputModality: 'text' })
  engine.send({ type: 'userText', itemId: 'i', text: 'Where is the conference?' })
  engine.send({ type: 'respond' })
  const { callId } = await until('toolCall')
  await until('responseDone')
  late[0]?.()
  await until('responseDone', 2)
  expect(of('agentText').at(-1)?.final).toContain('takes longer')
  expect(engine.send({ type: 'toolResult', callId, output: '{"name":"VoiceConf","venue":"Oslo Hall"}' }).is).toBe(
    'applied',
  )
  expect(engine.send({ type: 'toolResult', callId, output: '{}' })).toMatchObject({ reason: 'unknown_call' })
  engine.send({ type: 'respond' })
  await until('responseDone', 3)
  expect(of('agentText').at(-1)?.final).toContain('Oslo Hall')
})

it('remains bounded when it is flooded', async () => {
  const { engine } = open()
  const texts = Array.from({ length: 40 }, (_, i) => engine.send({ type: 'userText', itemId: `i${i}`, text: 'x' }))
  const says = Array.from({ length: 20 }, () => engine.send({ type: 'say', text: 'x' }))
  expect(texts.filter(({ is }) => is === 'rejected')).toHaveLength(8)
  expect(says.filter(({ is }) => is === 'rejected').length).toBeGreaterThanOrEqual(11)
})

it('refuses an append frame that is none, and a commit of nothing', async () => {
  const { engine, until } = open()
  engine.audio({ appendFrame: Buffer.from('not json') })
  expect(await until('error')).toMatchObject({ code: 'invalid_audio' })
  expect(engine.send({ type: 'commitAudio' })).toMatchObject({ is: 'rejected' })
})

it('can be stopped while the client holds it back', async () => {
  const { engine, until } = open()
  engine.send({ type: 'say', text: 'x'.repeat(100) })
  await until('audio')
  engine.pause()
  // Until the pace would let the next stretch go, and only the gate holds it.
  await sleep(200)
  engine.send({ type: 'cancel' })
  expect(await until('responseDone')).toMatchObject({ status: 'cancelled', reason: 'client_cancelled' })
})

it('runs the recogniser it finds on the PATH as a child, and lives with one that fails or knows nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'parley-test-'))
  const program = join(folder, 'pocketsphinx_continuous')
  vi.stubEnv('PATH', `${folder}:/bin:/usr/bin`)
  const script = async (line: string) => {
    await writeFile(program, `#!/bin/sh\n[ "$1" = "-infile" ] || exit 0\n${line}\n`)
    await chmod(program, 0o755)
  }
  try {
    // The stub "recognises" the size of its WAV: 44 bytes of head and 16 kHz of samples for 1 s.
    await script('echo "bytes $(wc -c < "$2")"')
    const recogniser = findRecogniser(log)
    expect(await recogniser?.hear(silencePcm(1_000))).toBe('bytes 32044')
    await script('echo')
    expect(await recogniser?.hear(silencePcm(1_000))).toBeUndefined()
    await script('exit 3')
    expect(await recogniser?.hear(silencePcm(1_000))).toBeUndefined()
    vi.stubEnv('PATH', '/nowhere')
    expect(findRecogniser(log)).toBeUndefined()
  } finally {
    await rm(folder, { recursive: true })
  }
})

it('runs no tool again for an answer that another engine had begun', async () => {
  const tools = [{ name: 'event_info', description: 'About the conference.', parameters: { type: 'object' } }]
  const history = [{ role: 'user', text: 'Where is the conference?' }] as const
  const { engine, until, of } = open({}, { tools, history, outputModality: 'text' })
  engine.send({ type: 'goOn', after: 'The conference is at' })
  await until('responseDone')
  expect([of('toolCall'), of('agentText')]).toEqual([[], []])
  engine.send({ type: 'goOn', after: '' })
  expect(await until('toolCall')).toMatchObject({ name: 'event_info' })
})

it('says nothing when it is to go on and nobody has asked anything', async () => {
  const { engine, until, of } = open({}, { outputModality: 'text' })
  engine.send({ type: 'goOn', after: '' })
  expect((await until('responseDone')).status).toBe('completed')
  expect(of('agentText')).toEqual([])
})

it('has a holding line in English, made once, and none where the voice fails or does not speak the language', async () => {
  const said: string[] = []
  let broken = true
  const voice: Voice = {
    ...instantVoice(),
    speak: async (name, text) => {
      said.push(text)
      if (broken) throw new Error('the voice thread died')
      return instantVoice().speak(name, text)
    },
  }
  const line = createHoldingLine(voice)
  expect(await line('de')).toBeUndefined()
  expect(said).toEqual([])
  expect(await line('en')).toBeUndefined()
  broken = false
  const { text, pcm } = (await line('en-GB')) ?? { text: '', pcm: Buffer.alloc(0) }
  expect([text, pcm.length > 48 * 500, await line('en')]).toEqual(['One moment, please.', true, { text, pcm }])
  expect(said).toHaveLength(2)
})
