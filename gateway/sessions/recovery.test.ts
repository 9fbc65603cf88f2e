import { expect, test } from 'vitest'
import type { Turn } from '../protocol/turn.ts'
import { mended, recoveryOf } from './recovery.ts'

let seq = 0
function turn(role: Turn['role'], state: Turn['state'], text: string, tool?: Turn['tool']): Turn {
  const at = '2026-01-01T00:00:00.000Z'
  const ids = {
    id: `turn_${++seq}`,
    sessionId: 's',
    conversationId: 'c',
    channel: 'widget',
    itemId: `item_${seq}`,
  } as const
  return {
    ...ids,
    role,
    state,
    seq,
    text,
    voice: false,
    createdAt: at,
    updatedAt: at,
    ...(tool === undefined ? {} : { tool }),
  }
}
const call = (state: 'running' | 'ok', output?: string): Turn['tool'] => ({
  name: 'book',
  callId: 'call_1',
  arguments: '{"day":3}',
  state,
  ...(output === undefined ? {} : { output }),
})

test('[S17] a question nobody answered is answered, a sentence that broke off goes on, what was said is not said again', () => {
  const question = turn('user', 'final', 'When?')
  const whole = turn('agent', 'final', 'At nine.')
  expect(recoveryOf([question], false).goOnAfter).toBe('')
  expect(recoveryOf([question, turn('agent', 'partial', 'At ni')], true)).toMatchObject({
    voice: true,
    goOnAfter: 'At ni',
  })
  expect(recoveryOf([question, whole], false).goOnAfter).toBeUndefined()
  expect(recoveryOf([question, turn('agent', 'interrupted', 'At')], false).goOnAfter).toBeUndefined()
  expect(recoveryOf([], false).goOnAfter).toBeUndefined()
})

test('[S9][S17] of speech that was cut with its owner only what was played was heard, and it goes on from there', () => {
  const question = turn('user', 'final', 'When?')
  const spoken = { voice: true, audio: { sentMs: 2_000, playedMs: 1_000 } }
  const broken = { ...turn('agent', 'partial', 'At nine on each day.'), ...spoken }
  expect(recoveryOf([question, broken], true)).toMatchObject({ goOnAfter: 'At nine on' })
  expect(mended([broken])).toMatchObject([{ state: 'interrupted', text: 'At nine on', unheard: 'each day.' }])
  const begun = { ...broken, audio: { sentMs: 0, playedMs: 0 } }
  expect([recoveryOf([begun], true).goOnAfter, mended([begun])[0]?.unheard]).toEqual(['', 'At nine on each day.'])
})

test('[S21] an answer that was complete and not yet played when its owner died is said anew from where the player was', () => {
  const spoken = { voice: true, audio: { sentMs: 2_000, playedMs: 500 } }
  const answer = { ...turn('agent', 'final', 'At nine.'), ...spoken }
  const unplayed = { itemId: answer.itemId, text: 'At nine.', sentMs: 2_000, playedMs: 500 }
  expect(recoveryOf([answer], true)).toMatchObject({ goOnAfter: undefined, unplayed })
  expect(recoveryOf([answer], false).unplayed).toBeUndefined()
  expect(recoveryOf([{ ...answer, audio: { sentMs: 2_000, playedMs: 2_000 } }], true).unplayed).toBeUndefined()
  expect(recoveryOf([answer, turn('user', 'final', 'And?')], true).unplayed).toBeUndefined()
})

test('[S21] a rest that was owed when its owner died is owed by the next, unless the person has had a word since', () => {
  const cut: Turn = {
    ...turn('agent', 'interrupted', 'At nine'),
    voice: true,
    unheard: 'on each day.',
    audio: { sentMs: 2_000, playedMs: 900 },
  }
  const unplayed = { itemId: cut.itemId, text: 'At nine on each day.', sentMs: 2_000, playedMs: 900 }
  expect(recoveryOf([cut], true)).toMatchObject({ goOnAfter: undefined, unplayed })
  expect(recoveryOf([cut, turn('user', 'final', 'Stop.')], true).unplayed).toBeUndefined()
})

test('[S17] the model is told what became of tool calls, and not to repeat one whose outcome nobody knows', () => {
  const question = turn('user', 'final', 'Book it')
  const done = recoveryOf([question, turn('tool', 'final', '', call('ok', '{"id":7}'))], false)
  expect(done).toMatchObject({ goOnAfter: '', notes: ['The tool call book({"day":3}) gave: {"id":7}'] })
  const lost = recoveryOf([question, turn('tool', 'partial', '', call('running'))], false)
  expect(lost.goOnAfter).toBe('')
  expect(lost.notes[0]).toContain('do not repeat it')
  const spoken = recoveryOf(
    [question, turn('agent', 'final', 'One moment.'), turn('tool', 'final', '', call('ok', '1'))],
    false,
  )
  expect(spoken.goOnAfter).toBe('')
})

test('[S17] nothing stays half open: cut speech is interrupted, a message is final, a running tool has failed', () => {
  const before = [
    turn('user', 'partial', 'Hel'),
    turn('agent', 'partial', 'Good m'),
    turn('tool', 'partial', '', call('running')),
    turn('user', 'final', 'x'),
  ]
  const after = mended(before)
  expect(after.map((each) => [each.state, each.tool?.state])).toEqual([
    ['final', undefined],
    ['interrupted', undefined],
    ['final', 'failed'],
    ['final', undefined],
  ])
  expect(after[3]).toBe(before[3])
})
