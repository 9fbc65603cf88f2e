import { expect, test } from 'vitest'
import { ManualClock } from '../../test/harness/clock.ts'
import type { Turn } from '../protocol/turn.ts'
import { Recorder } from './recorder.ts'

function setup(
  write: (turns: readonly Turn[]) => Promise<{ fenced: readonly string[] }>,
  before: readonly Turn[] = [],
) {
  const clock = new ManualClock()
  const stored: string[] = []
  const fences: string[] = []
  const recorder = new Recorder({
    clock,
    sessionId: 'sess_1',
    conversationId: 'conv_1',
    channel: 'widget',
    write,
    onTurn: () => {},
    onStored: (itemIds) => void stored.push(...itemIds),
    onFenced: () => void fences.push('fenced'),
    before,
  })
  return { clock, recorder, stored, fences }
}

test('[S8] a turn keeps the place at which its speech began, also when its words come last', async () => {
  const { clock, recorder } = setup(async () => ({ fenced: [] }))
  recorder.begin('user', 'user', true)
  await clock.advance(500)
  recorder.begin('agent', 'agent', true)
  recorder.change('agent', { text: 'Hello', state: 'final' })
  await clock.advance(500)
  recorder.change('user', { text: 'Hi', state: 'final' })
  expect(recorder.turns.map((turn) => turn.itemId)).toEqual(['user', 'agent'])
})

test('[S8] a clock that jumps back does not reorder', () => {
  const { clock, recorder } = setup(async () => ({ fenced: [] }))
  recorder.begin('first', 'user', true)
  clock.jump(-3_600_000)
  recorder.begin('second', 'agent', true)
  expect(recorder.turns.map((turn) => turn.itemId)).toEqual(['first', 'second'])
})

test('[S12] a turn is told as stored when it is durable as decided, and not before', async () => {
  const writes: PromiseWithResolvers<{ fenced: string[] }>[] = []
  const { clock, recorder, stored } = setup(() => {
    const write = Promise.withResolvers<{ fenced: string[] }>()
    writes.push(write)
    return write.promise
  })
  recorder.begin('a', 'user', false)
  recorder.change('a', { text: 'one', state: 'final' })
  recorder.append('b', 'no turn yet')
  await clock.advance(5_000)
  expect([stored, recorder.isStored('a')]).toEqual([[], false])
  writes[0]?.resolve({ fenced: [] })
  await clock.advance(0)
  expect([stored, recorder.isStored('a')]).toEqual([['a'], true])
  expect(await recorder.settle(1_000)).toBe(true)
})

test('[S12] a store that takes nothing does not keep later turns from the writer', async () => {
  const seen: string[] = []
  const { recorder } = setup((turns) => {
    seen.push(...turns.map((turn) => turn.itemId))
    return new Promise(() => {})
  })
  for (const itemId of ['a', 'b', 'c']) {
    recorder.begin(itemId, 'user', false)
    recorder.change(itemId, { text: itemId, state: 'final' })
  }
  expect(seen).toEqual(['a', 'b', 'c'])
})

test('[S20] a turn that belongs to another process ends the session here', async () => {
  const { clock, recorder, fences } = setup(async () => ({ fenced: ['turn'] }))
  recorder.begin('a', 'user', false)
  recorder.change('a', { text: 'one', state: 'final' })
  await clock.advance(0)
  expect(fences).toEqual(['fenced'])
})

test('[S17] a new owner goes on behind the turns of the one before', async () => {
  const { recorder: first } = setup(async () => ({ fenced: [] }))
  first.begin('a', 'user', false)
  first.change('a', { text: 'one', state: 'final' })
  const { recorder } = setup(async () => ({ fenced: [] }), first.turns)
  recorder.begin('b', 'agent', false)
  expect(recorder.turns.map((turn) => turn.itemId)).toEqual(['a', 'b'])
  expect([recorder.count, recorder.isStored('a'), recorder.lastText]).toEqual([1, true, 'one'])
})

test('[S17] an item that two owners of a session begin is one turn, and another session has its own', () => {
  const idIn = (sessionId: string): string =>
    new Recorder({
      ...{ clock: new ManualClock(), sessionId, conversationId: 'conv_1', channel: 'widget' },
      ...{ write: async () => ({ fenced: [] }), onTurn: () => {}, onStored: () => {}, onFenced: () => {} },
    }).begin('item_1', 'user', false).id
  expect(idIn('sess_1')).toBe(idIn('sess_1'))
  expect(idIn('sess_1')).not.toBe(idIn('sess_2'))
  expect(idIn('sess_1')).toMatch(/^turn_[0-9a-z]{19}$/)
})

test('[S12] live text is written at most once a second, a decision at once', async () => {
  let writes = 0
  const { clock, recorder } = setup(async () => {
    writes++
    return { fenced: [] }
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
  const { recorder } = setup(async () => ({ fenced: [] }))
  recorder.begin('noise', 'user', true)
  recorder.drop('noise')
  expect(recorder.turns).toEqual([])
})

test('[S38] a message is counted once by its item, with its first word, and noise is none', () => {
  const { recorder } = setup(async () => ({ fenced: [] }))
  recorder.begin('said', 'user', true)
  expect(recorder.messages).toBe(0)
  recorder.append('said', 'Hel')
  recorder.change('said', { text: 'Hello', state: 'final' })
  recorder.begin('answer', 'agent', true)
  recorder.change('answer', { text: 'Hi', state: 'final' })
  expect(recorder.messages).toBe(1)
  // Heard anew by another engine, under another item.
  recorder.begin('lost', 'user', true)
  recorder.drop('lost')
  recorder.begin('again', 'user', true)
  recorder.change('again', { text: 'There', state: 'final' })
  expect(recorder.messages).toBe(2)
  const next = setup(async () => ({ fenced: [] }), recorder.turns).recorder
  next.begin('again', 'user', false)
  next.change('again', { text: 'There', state: 'final' })
  expect(next.messages).toBe(2)
})
