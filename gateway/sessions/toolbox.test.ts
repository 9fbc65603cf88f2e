import { expect, test } from 'vitest'
import { ManualClock } from '../../test/harness/clock.ts'
import type { Engine, EngineCommand } from '../engines/engines.ts'
import { Recorder } from './recorder.ts'
import { Toolbox } from './toolbox.ts'

type Output = { output: string; ok: boolean }

function setup(run: () => Promise<Output>) {
  const clock = new ManualClock()
  const sent: EngineCommand['type'][] = []
  const send: Engine['send'] = (command) => {
    sent.push(command.type)
    return { is: 'accepted' }
  }
  const recorder = new Recorder({
    clock,
    sessionId: 's',
    conversationId: 'c',
    channel: 'api',
    write: async () => ({ fenced: [] }),
    onTurn: () => {},
    onFenced: () => {},
    onStored: () => {},
  })
  let runs = 0
  let counted = 0
  const toolbox = new Toolbox({
    names: new Set(['search']),
    engine: { send },
    recorder,
    run: () => {
      runs++
      return run()
    },
    onRun: () => {
      counted++
    },
    onActivity: () => {},
  })
  return { clock, toolbox, sent, recorder, runs: () => runs, counted: () => counted }
}

const call = { callId: 'call_1', name: 'search', arguments: '{}' }

test('[S13] a repeated call id runs once', async () => {
  const { clock, toolbox, sent, runs } = setup(async () => ({ output: '[]', ok: true }))
  toolbox.call(call)
  toolbox.call(call)
  await clock.advance(0)
  expect(runs()).toBe(1)
  expect(sent).toEqual(['toolResult', 'respond'])
})

test('[S13] a call that was refused has its one output too, and costs nothing', async () => {
  const no = { output: '{"error":{"code":"needs_approval"}}', ok: false }
  const { clock, toolbox, sent, counted, recorder } = setup(async () => no)
  toolbox.call(call)
  await clock.advance(0)
  expect(counted()).toBe(0)
  expect(sent).toEqual(['toolResult', 'respond'])
  expect(recorder.turns.at(-1)?.tool).toMatchObject({ output: no.output, state: 'failed' })
})

test('[S13] the answer waits for the active response and for the slower of two calls', async () => {
  const slow = Promise.withResolvers<{ output: string; ok: boolean }>()
  let first = true
  const { clock, toolbox, sent } = setup(() => {
    if (!first) return slow.promise
    first = false
    return Promise.resolve({ output: '1', ok: true })
  })
  toolbox.responseStarted()
  toolbox.call(call)
  toolbox.call({ ...call, callId: 'call_2' })
  await clock.advance(0)
  toolbox.responseDone()
  expect(sent).toEqual(['toolResult'])
  slow.resolve({ output: '2', ok: true })
  await clock.advance(0)
  expect(sent).toEqual(['toolResult', 'toolResult', 'respond'])
})

test('[S13] a tool that throws gives the model an error to read, and the turn says failed', async () => {
  const { clock, toolbox, sent, recorder } = setup(() => Promise.reject(new Error('secret host name')))
  toolbox.call(call)
  await clock.advance(0)
  expect(sent).toEqual(['toolResult', 'respond'])
  expect(recorder.find('call_1')?.tool).toMatchObject({ state: 'failed' })
  expect(recorder.find('call_1')?.tool?.output).not.toContain('secret')
})

test('[S13] a result that comes after the end is written down and delivered to nobody', async () => {
  const slow = Promise.withResolvers<{ output: string; ok: boolean }>()
  const { clock, toolbox, sent, recorder } = setup(() => slow.promise)
  toolbox.call(call)
  toolbox.close()
  slow.resolve({ output: 'late', ok: true })
  await clock.advance(0)
  expect(sent).toEqual([])
  expect(recorder.find('call_1')?.tool?.output).toBe('late')
})

test('a model that calls tools in circles is told to answer', async () => {
  const { clock, toolbox, runs } = setup(async () => ({ output: '[]', ok: true }))
  for (let i = 0; i < 20; i++) toolbox.call({ ...call, callId: `call_${i}` })
  await clock.advance(0)
  expect(runs()).toBe(8)
})

test('[S48] whether a tool is at work is told once for all that run at the same time, and ends with the session', async () => {
  const clock = new ManualClock()
  const told: boolean[] = []
  const done: ((output: Output) => void)[] = []
  const toolbox = new Toolbox({
    ...{
      names: new Set(['search']),
      engine: { send: () => ({ is: 'accepted' }) },
      onRun: () => {},
      onActivity: () => {},
    },
    recorder: setup(async () => ({ output: '', ok: true })).recorder,
    run: () => new Promise((resolve) => done.push(resolve)),
    onWait: (waits) => told.push(waits),
  })
  toolbox.call(call)
  toolbox.call({ ...call, callId: 'call_2' })
  await clock.advance(0)
  done[0]?.({ output: '1', ok: true })
  await clock.advance(0)
  expect(told).toEqual([true])
  done[1]?.({ output: '2', ok: true })
  await clock.advance(0)
  expect(told).toEqual([true, false])
  toolbox.call({ ...call, callId: 'call_3' })
  toolbox.close()
  expect(told).toEqual([true, false, true, false])
})
