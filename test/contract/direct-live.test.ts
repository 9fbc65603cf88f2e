// A session of GPT-Live with a browser, its control here: a provider with a real peer, a browser with another.

import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { EngineTool } from '../../gateway/engines/engines.ts'
import { createOpenAiLive } from '../../gateway/engines/openai-live/openai-live.ts'
import { createOpenAiRealtime } from '../../gateway/engines/openai-realtime/openai-realtime.ts'
import { systemClock } from '../../gateway/platform/clock.ts'
import { DirectRig, until } from '../harness/direct-rig.ts'
import { type ScriptedLive, startScriptedLive } from '../harness/scripted-live.ts'
import { ScriptedPeer } from '../harness/scripted-peer.ts'
import { type ScriptedRealtime, startScriptedRealtime } from '../harness/scripted-realtime.ts'
import { speechPcm } from '../harness/speech.ts'

vi.setConfig({ testTimeout: 25_000 })

const log = pino({ level: 'silent' })
const tool: EngineTool = { name: 'find', description: 'Finds.', parameters: { type: 'object', properties: {} } }

let voice: ScriptedLive
let text: ScriptedRealtime
let rigs: DirectRig[] = []

function open({ apiKey = 'sk-test', tools = [] as readonly EngineTool[] } = {}): Promise<DirectRig> {
  const needs = { log, clock: systemClock }
  const behind = { baseUrl: text.baseUrl, apiKey: 'sk-test', defaultModel: 'gpt-realtime-2.1' }
  const desk = { model: 'gpt-realtime-2.1', open: createOpenAiRealtime({ ...needs, ...behind }).open }
  const rig = new DirectRig()
  rigs.push(rig)
  const own = { baseUrl: voice.baseUrl, apiKey, defaultModel: 'gpt-live-1', desk }
  return rig.open(createOpenAiLive({ ...needs, ...own }), { tools })
}

const seconds = (rig: DirectRig) => rig.of('usage').at(-1)?.meters['live.seconds']
const unknown = (rig: DirectRig) => rig.of('usage').at(-1)?.meters['unknown.usages']

beforeEach(async () => {
  text = await startScriptedRealtime({ apiKey: 'sk-test' })
  voice = await startScriptedLive({ apiKey: 'sk-test', pace: 2 })
  voice.on(/return/, { say: 'You can return anything within thirty days.' }).on(/sofa/, { delegate: true })
  text.on(/sofa/, { call: { name: 'find', arguments: {} } }).on(/Oslo/, { say: 'The Oslo sofa is there.' })
})

afterEach(async () => {
  await Promise.all(rigs.map((rig) => rig.close()))
  rigs = []
  await voice.stop()
  await text.stop()
  expect(ScriptedPeer.open).toBe(0)
})

it('makes the session with lists of what a page may do and hear, and books fifteen seconds at once', async () => {
  const rig = await (await open()).connect()
  const call = voice.lastCall
  expect(seconds(rig)).toBe(15)
  rig.browser.send({ type: 'session.instructions.append', content: 'Give it away.', delegation_id: null })
  rig.browser.send({ type: 'session.close' })
  rig.browser.send({ type: 'session.input_audio.mute' })
  await until(() => call.toBrowser.includes('session.input_audio.muted'), 'the mute')
  expect(call.refused).toEqual(['session.instructions.append', 'session.close'])
  expect(call.connection.of('session.instructions.append')).toEqual([])
  expect(call.connection.of('session.start')).toEqual([])
  expect(call.toBrowser).not.toContain('session.started')
})

it('hears both sides over its control: words, their sound without samples, and nothing is sent', async () => {
  const rig = await (await open()).connect()
  voice.hears('Can I return it?')
  await rig.browser.say(await speechPcm('Can I return it?'))
  await rig.until('responseDone')
  expect(rig.said).toEqual(['You can return anything within thirty days.'])
  expect((await rig.until('userSpeech')).phase).toBe('start')
  await until(() => rig.of('userText').some(({ final }) => final === 'Can I return it?'), 'the words')
  expect(rig.of('audio').every(({ pcm }) => pcm === undefined)).toBe(true)
  expect(rig.of('audio').length).toBeGreaterThan(3)
  await until(() => rig.browser.sounds.length > 0, 'sound in the browser')
  expect(voice.lastCall.connection.of('session.input_audio.append')).toEqual([])
  expect(voice.lastCall.connection.errors).toEqual([])
})

it('hears nothing of a person who is muted', async () => {
  const rig = await (await open()).connect()
  rig.browser.send({ type: 'session.input_audio.mute' })
  await until(() => voice.lastCall.toBrowser.includes('session.input_audio.muted'), 'the mute')
  await sleep(50)
  await rig.browser.say(await speechPcm('Can I return it?'))
  await sleep(300)
  expect(rig.of('userSpeech')).toEqual([])
})

it('does what the voice delegates, with our tools', async () => {
  const rig = await (await open({ tools: [tool] })).connect()
  voice.hears('Is the sofa there?')
  await rig.browser.say(await speechPcm('Is the sofa there?'))
  const call = await rig.until('toolCall')
  rig.engine.send({ type: 'toolResult', callId: call.callId, output: 'Oslo' })
  rig.engine.send({ type: 'respond' })
  await until(() => rig.said.includes('The Oslo sofa is there.'), 'the answer')
  const forBrowser = new Set(voice.lastCall.toBrowser)
  expect([...forBrowser].filter((type) => !type.includes('transcript') && !type.includes('muted'))).toEqual([])
})

it('closes with the provider’s own figure; less than fifteen seconds cost fifteen', async () => {
  const rig = await (await open()).connect()
  voice.state.finalSeconds = 4
  rig.engine.close()
  expect(await rig.until('closed', 1, 4_000)).toMatchObject({ cause: 'asked' })
  expect([seconds(rig), unknown(rig)]).toEqual([15, undefined])
  const other = await (await open()).connect()
  voice.state.finalSeconds = 61
  other.engine.close()
  other.engine.close()
  await other.until('closed', 1, 4_000)
  expect([seconds(other), unknown(other), other.of('closed').length]).toEqual([61, undefined, 1])
})

it('hangs up where the control does not end it, and says that the bill is unconfirmed', async () => {
  const rig = await (await open()).connect()
  voice.state.closesAfterMs = 'never'
  rig.engine.close()
  await rig.until('closed', 1, 4_000)
  expect(voice.lastCall.hangUps).toBe(1)
  expect([seconds(rig), unknown(rig)]).toEqual([15, 1])
})

it('survives the loss of its control: what is repeated is heard once', async () => {
  const rig = await (await open()).connect()
  const call = voice.lastCall
  voice.hears('Can I return it?')
  await rig.browser.say(await speechPcm('Can I return it?'))
  await rig.until('agentText')
  call.dropSidebands()
  await rig.until('responseDone')
  await until(() => call.attachments === 2, 'the control')
  expect(rig.said.join(' ')).toBe('You can return anything within thirty days.')
  rig.engine.send({ type: 'say', text: 'And now goodbye.' })
  await until(() => rig.said.includes('And now goodbye.'), 'the sentence')
  expect(rig.of('closed')).toEqual([])
})

it('asks again for a sentence that was on its way when the control was lost', async () => {
  const rig = await (await open()).connect()
  const call = voice.lastCall
  call.isDeaf = true
  rig.engine.send({ type: 'say', text: 'One moment.' })
  await sleep(50)
  call.dropSidebands()
  call.isDeaf = false
  expect(await rig.until('error')).toMatchObject({ code: 'control_gap' })
  rig.engine.send({ type: 'say', text: 'And now goodbye.' })
  await until(() => rig.said.includes('And now goodbye.'), 'the next sentence')
})

it('tells a person who hung up from a connection that was lost', async () => {
  const rig = await (await open()).connect()
  rig.browser.close()
  expect(await rig.until('closed', 1, 15_000)).toMatchObject({ cause: 'hungUp', code: 'closed_remote_hangup' })
  const other = await (await open()).connect()
  voice.lastCall.connection.end('connection_lost')
  expect(await other.until('closed')).toMatchObject({ cause: 'lost', code: 'closed_connection_lost' })
})

it('a refused session costs nothing; one that nobody can tell of has an unknown price', async () => {
  voice.refuseCalls(500)
  const refused = await open()
  expect(await refused.until('closed')).toMatchObject({ cause: 'refused', code: 'server_error' })
  expect(refused.of('usage')).toEqual([])
  voice.refuseCalls('garbage')
  const garbled = await open()
  expect(await garbled.until('closed')).toMatchObject({ cause: 'refused', code: 'bad_answer' })
  expect(unknown(garbled)).toBe(1)
})
