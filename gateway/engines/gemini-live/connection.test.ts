import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Watched } from '../../../test/contract/engine.contract.ts'
import { type ScriptedGemini, startScriptedGemini } from '../../../test/harness/scripted-gemini.ts'
import { systemClock } from '../../platform/clock.ts'
import type { EngineBrief } from '../engines.ts'
import { createGeminiLive } from './gemini-live.ts'

// The synthesiser takes seconds to start on a busy machine.
vi.setConfig({ testTimeout: 20_000 })

let provider: ScriptedGemini
const opened: Watched[] = []

beforeEach(async () => {
  provider = await startScriptedGemini()
  provider
    .on(/hello/, { say: 'Hello.' })
    .on(/long/, { say: 'A long answer, as long as it lasts.', audioMs: 3_000, pace: 4 })
})
afterEach(async () => {
  for (const { engine } of opened.splice(0)) engine.close()
  const faults = provider.connections.flatMap((connection) => connection.faults)
  await provider.stop()
  expect(faults).toEqual([])
})

async function open(brief: Partial<EngineBrief> = {}): Promise<Watched> {
  const needs = { apiKey: 'k', baseUrl: provider.baseUrl, defaultModel: 'gemini-3.8-live', clock: systemClock }
  const one = new Watched(createGeminiLive({ ...needs, log: pino({ level: 'silent' }) }), brief)
  opened.push(one)
  one.engine.start()
  await one.until('ready')
  return one
}

async function talked(brief: Partial<EngineBrief> = {}): Promise<Watched> {
  const one = await open(brief)
  one.ask('hello')
  await one.until('responseDone')
  // The handle follows the turn.
  await eventually(() => provider.state.memories.size > 0)
  await sleep(20)
  return one
}

async function eventually(what: () => boolean, ms = 4_000): Promise<void> {
  for (const end = performance.now() + ms; !what() && performance.now() < end; ) await sleep(5)
  expect(what()).toBe(true)
}

const moved = (times = 1) =>
  eventually(() => provider.connections.length > times && provider.connections[times - 1]?.open === false)
const handles = () => provider.connections.map(({ setup }) => setup.sessionResumption?.handle !== undefined)

it('moves before the provider cuts, and the conversation goes on where it was', async () => {
  const one = await talked()
  provider.last.goAway('50s')
  await moved()
  one.ask('hello')
  const { responseId } = await one.until('responseDone', 2)
  expect(one.said(responseId)).toBe('Hello.')
  expect([handles(), one.of('ready').length, one.of('closed')]).toEqual([[false, true], 1, []])
  expect(provider.last.contents.map(({ text }) => text)).toEqual(['hello', 'Hello.', 'hello', 'Hello.'])
  expect(provider.last.of('clientContent')).toHaveLength(1)
})

it('moves again and again, and what it cost is one sum', async () => {
  const one = await talked()
  provider.state.usage = { promptTokenCount: 10, responseTokenCount: 5 }
  const before = one.of('usage').at(-1)?.meters ?? {}
  for (const times of [1, 2, 3]) {
    provider.last.goAway('50s')
    await moved(times)
    one.ask('hello')
    await one.until('responseDone', times + 1)
    await sleep(20)
  }
  const sum = (meters: object) => Object.values(meters).reduce((a: number, b) => a + Number(b), 0)
  expect(sum(one.of('usage').at(-1)?.meters ?? {})).toBe(sum(before) + 3 * 15)
})

it('waits for the end of an answer before it moves', async () => {
  const one = await talked()
  one.ask('long')
  await one.until('audio', 8)
  provider.last.goAway('50s')
  await sleep(200)
  expect(provider.connections).toHaveLength(1)
  expect((await one.until('responseDone', 2)).status).toBe('completed')
  await moved()
})

it('waits for a tool and for who is speaking', async () => {
  provider.on(/order/, { call: { name: 'find', arguments: {} } }).on(/shipped/, { say: 'Shipped.' })
  const one = await talked({ tools: [{ name: 'find', description: '', parameters: {} }] })
  one.ask('order?')
  const { callId } = await one.until('toolCall')
  await one.until('responseDone', 2)
  provider.last.goAway('50s')
  await one.speak('Good morning to you.')
  await sleep(100)
  expect(provider.connections).toHaveLength(1)
  one.silence(900)
  await one.until('responseDone', 3)
  await sleep(50)
  expect(provider.connections).toHaveLength(1)
  one.engine.send({ type: 'toolResult', callId, output: '"shipped"' })
  one.engine.send({ type: 'respond' })
  await one.until('responseDone', 4)
  await moved()
})

it('says that the connection expired when no moment came, a second before it is cut', async () => {
  provider.on(/long/, { say: 'A very long answer.', audioMs: 60_000, pace: 1 })
  const one = await talked()
  one.ask('long')
  await one.until('audio', 4)
  const from = performance.now()
  provider.last.goAway('1.3s')
  expect(await one.until('closed')).toMatchObject({ cause: 'expired', code: 'go_away' })
  expect(performance.now() - from).toBeLessThan(1_000)
  expect(provider.connections).toHaveLength(1)
})

it('cannot move a session that the provider gives no handle for, unless nothing was said in it', async () => {
  provider.state.resumable = false
  const one = await open()
  one.ask('hello')
  await one.until('responseDone')
  provider.last.goAway('1.2s')
  expect(await one.until('closed')).toMatchObject({ cause: 'expired' })
  const history = [{ role: 'user', text: 'Earlier.' }] as const
  const other = await open({ history })
  const begun = provider.connections.length
  provider.last.goAway('50s')
  await moved(begun)
  expect([handles().at(-1), provider.last.contents.map(({ text }) => text)]).toEqual([false, ['Earlier.']])
  expect(other.of('closed')).toEqual([])
})

it('changes instructions, tools and voice by moving, at once and for the answer that is asked for next', async () => {
  const one = await talked()
  const fields = {
    instructions: 'Be brief.',
    tools: [{ name: 'find', description: 'F.', parameters: {} }],
    voice: 'Puck',
  }
  expect(one.engine.send({ type: 'update', fields })).toEqual({ is: 'accepted' })
  one.ask('hello')
  await one.until('responseDone', 2)
  expect(handles()).toEqual([false, true])
  expect(provider.last.setup).toMatchObject({
    systemInstruction: { parts: [{ text: 'Be brief.' }] },
    tools: [{ functionDeclarations: [{ name: 'find' }] }],
    generationConfig: { speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: 'Puck' } } } },
  })
  expect(provider.last.of('clientContent')).toHaveLength(1)
})

it('sets a session up with what was changed before it began, and begins anew where nothing was said yet', async () => {
  const needs = { apiKey: 'k', baseUrl: provider.baseUrl, defaultModel: 'gemini-3.8-live', clock: systemClock }
  const one = new Watched(createGeminiLive({ ...needs, log: pino({ level: 'silent' }) }))
  opened.push(one)
  one.engine.send({ type: 'update', fields: { instructions: 'First.' } })
  one.engine.start()
  await one.until('ready')
  expect(provider.last.setup.systemInstruction).toEqual({ parts: [{ text: 'First.' }] })
  one.engine.send({ type: 'update', fields: { instructions: 'Second.' } })
  await moved()
  expect(provider.last.setup.systemInstruction).toEqual({ parts: [{ text: 'Second.' }] })
  expect([provider.connections.length, handles(), one.of('ready').length]).toEqual([2, [false, false], 1])
})

it('moves once more when the settings changed on the way', async () => {
  const one = await talked()
  one.engine.send({ type: 'update', fields: { instructions: 'One.' } })
  await eventually(() => provider.connections.length === 2)
  await sleep(1)
  one.engine.send({ type: 'update', fields: { instructions: 'Two.' } })
  one.ask('hello')
  await one.until('responseDone', 2)
  await eventually(() => JSON.stringify(provider.last.received).includes('Two.'))
})

it('listens with the other detector after it moved', async () => {
  provider.hears('hello')
  const one = await talked()
  one.engine.send({ type: 'update', fields: { turnDetection: 'semantic_vad' } })
  await moved()
  await one.speak('Good morning to you.')
  one.silence(900)
  await one.until('responseDone', 2)
  expect(provider.last.asked).not.toContain('activityStart')
})

it('stays where it is when it cannot move, loses nothing of what was said meanwhile, and tries again', async () => {
  const one = await talked()
  provider.silent().last.goAway('50s')
  await eventually(() => provider.connections.length === 2)
  one.ask('hello')
  await sleep(20)
  provider.accept()
  provider.last.drop()
  const { responseId } = await one.until('responseDone', 2)
  expect(one.said(responseId)).toBe('Hello.')
  await eventually(() => provider.connections.length === 3 && provider.connections[0]?.open === false)
  one.ask('hello')
  await one.until('responseDone', 3)
  expect([provider.connections.length, one.of('closed')]).toEqual([3, []])
})

it('gives up settings that the provider does not take, says so once, and keeps talking', async () => {
  const one = await talked()
  provider.closeAfterOpen(1007, 'no')
  one.engine.send({ type: 'update', fields: { instructions: 'Impossible.' } })
  expect(await one.until('error')).toMatchObject({ code: 'update_failed' })
  provider.accept()
  one.ask('hello')
  await one.until('responseDone', 2)
  await sleep(100)
  expect([one.of('error').length, provider.connections.length]).toEqual([1, 4])
})

it('survives the old connection while the new one opens, and is lost when there is no new one', async () => {
  const one = await talked()
  provider.last.goAway('50s')
  await eventually(() => provider.connections.length === 2)
  provider.connections[0]?.drop()
  one.ask('hello')
  await one.until('responseDone', 2)
  provider.silent()
  provider.last.goAway('50s')
  await eventually(() => provider.connections.length === 3)
  provider.connections[1]?.drop()
  await sleep(50)
  expect(one.of('closed')).toEqual([])
  provider.connections[2]?.drop()
  expect(await one.until('closed')).toMatchObject({ cause: 'lost' })
})
