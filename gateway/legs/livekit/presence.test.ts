import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Presence, type PresenceEffect, type PresenceEvent, step } from './presence.ts'

function run(...events: PresenceEvent[]): { effects: PresenceEffect[]; at: Presence } {
  let at: Presence = { at: 'expected' }
  const effects: PresenceEffect[] = []
  for (const event of events) {
    const [next, more] = step(at, event)
    at = next
    effects.push(...more)
  }
  return { effects, at }
}

const joined: PresenceEvent = { is: 'callerJoined' }
const lost: PresenceEvent = { is: 'callerGone', how: 'lost' }
const left: PresenceEvent = { is: 'callerGone', how: 'left' }

test('the session begins with the caller, once', () => {
  expect(run(joined, joined)).toEqual({ effects: ['begin'], at: { at: 'here' } })
})

test('nobody came: over without having begun; whoever is there is not affected', () => {
  expect(run({ is: 'nobodyCame' }).effects).toEqual(['bye'])
  expect(run(joined, { is: 'nobodyCame' }).effects).toEqual(['begin'])
})

test('who leaves on purpose ends it, who is lost is waited for and taken back', () => {
  expect(run(joined, left)).toEqual({ effects: ['begin', 'bye'], at: { at: 'over' } })
  expect(run(joined, lost, joined)).toEqual({ effects: ['begin', 'lose', 'return'], at: { at: 'here' } })
  expect(run(joined, lost, lost, left).effects).toEqual(['begin', 'lose', 'bye'])
})

test('events of a caller who was never seen change nothing', () => {
  expect(run(lost, left)).toEqual({ effects: [], at: { at: 'expected' } })
})

test('a room that is lost is joined again, and the caller who is still in it was away only for so long', () => {
  const back: PresenceEvent = { is: 'roomBack', callerHere: true }
  expect(run(joined, { is: 'roomLost' }, back).effects).toEqual(['begin', 'lose', 'rejoin', 'return'])
  expect(run(joined, lost, { is: 'roomLost' }, { is: 'roomBack', callerHere: false }, joined).effects).toEqual([
    'begin',
    'lose',
    'rejoin',
    'return',
  ])
  expect(run({ is: 'roomLost' }).effects).toEqual(['bye'])
})

test('whatever comes in whatever order: it begins at most once, ends at most once, and nothing follows the end', () => {
  const event = fc.constantFrom<PresenceEvent>(
    joined,
    lost,
    left,
    { is: 'nobodyCame' },
    { is: 'roomLost' },
    { is: 'roomBack', callerHere: true },
    { is: 'roomBack', callerHere: false },
    { is: 'roomOver' },
    { is: 'ended' },
  )
  fc.assert(
    fc.property(fc.array(event, { maxLength: 20 }), (events) => {
      const { effects, at } = run(...events)
      const count = (effect: PresenceEffect): number => effects.filter((each) => each === effect).length
      expect(count('begin')).toBeLessThanOrEqual(1)
      expect(count('bye')).toBeLessThanOrEqual(1)
      // A loss and a return take turns, and both need a beginning.
      const turns = effects.filter((each) => each === 'lose' || each === 'return')
      expect(turns.every((each, i) => each === (i % 2 === 0 ? 'lose' : 'return'))).toBe(true)
      if (turns.length > 0) expect(effects[0]).toBe('begin')
      if (effects.includes('bye')) {
        expect(effects.at(-1)).toBe('bye')
        expect(at).toEqual({ at: 'over' })
      }
    }),
    { numRuns: 2_000 },
  )
})
