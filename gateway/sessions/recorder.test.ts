import { expect, test } from 'vitest'
import { ManualClock } from '../../test/harness/clock.ts'
import type { Turn } from '../protocol/turn.ts'
import { Recorder } from './recorder.ts'

function setup(write: (turns: readonly Turn[]) => Promise<void>) {
  const clock = new ManualClock()
  const errors: unknown[] = []
  const recorder = new Recorder({
    clock,
    sessionId: 'sess_1',
    conversationId: 'conv_1',
    channel: 'widget',
    write,
    onTurn: () => {},
    onWriteError: (error) => errors.push(error),
  })
  return { clock, recorder, errors }
}

test('[S8] a turn keeps the place at which its speech began, also when its words come last', async () => {
  const { clock, recorder } = setup(async () => {})
  recorder.begin('user', 'user', true)
  await clock.advance(500)
  recorder.begin('agent', 'agent', true)
  recorder.change('agent', { text: 'Hello', state: 'final' })
  await clock.advance(500)
  recorder.change('user', { text: 'Hi', state: 'final' })
  expect(recorder.turns.map((turn) => turn.itemId)).toEqual(['user', 'agent'])
})

test('[S8] a clock that jumps back does not reorder', () => {
  const { clock, recorder } = setup(async () => {})
  recorder.begin('first', 'user', true)
  clock.jump(-3_600_000)
  recorder.begin('second', 'agent', true)
  expect(recorder.turns.map((turn) => turn.itemId)).toEqual(['first', 'second'])
})

test('[S12] writes that fail are tried again, in order and with nothing lost', async () => {
  let down = true
  const stored = new Map<string, string>()
  const { clock, recorder, errors } = setup(async (turns) => {
    if (down) throw new Error('store down')
    for (const turn of turns) stored.set(turn.itemId, turn.text)
  })
  recorder.begin('a', 'user', false)
  recorder.change('a', { text: 'one', state: 'final' })
  await clock.advance(2_000)
  recorder.change('a', { text: 'two' })
  expect(errors.length).toBeGreaterThan(1)
  down = false
  await clock.advance(2_000)
  expect(stored).toEqual(new Map([['a', 'two']]))
})

test('[S12] live text is written at most once a second, a decision at once', async () => {
  let writes = 0
  const { clock, recorder } = setup(async () => {
    writes++
  })
  recorder.begin('a', 'agent', true)
  for (let i = 0; i < 50; i++) {
    recorder.append('a', 'x')
    await clock.advance(10)
  }
  expect(writes).toBe(0)
  recorder.change('a', { state: 'final' })
  await clock.advance(0)
  expect(writes).toBe(1)
})

test('noise that turned out to be no words leaves no turn', () => {
  const { recorder } = setup(async () => {})
  recorder.begin('noise', 'user', true)
  recorder.drop('noise')
  expect(recorder.turns).toEqual([])
})
