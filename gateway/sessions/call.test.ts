import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Call, type CallEffect, type CallEvent, step } from './call.ts'

const live: Call = { at: 'live', warned: false }
const only = (call: Call, event: CallEvent) => step(call, event)[1]

test('[S1] a session goes live once, when its engine is ready', () => {
  expect(step({ at: 'opening' }, { is: 'engineReady' })).toEqual([live, [{ do: 'goLive' }]])
  expect(only(live, { is: 'engineReady' })).toEqual([])
})

test('[S2] running out of credit, idling and the duration cap say a closing sentence first', () => {
  for (const [is, why] of [
    ['creditOut', 'out_of_credit'],
    ['idle', 'idle'],
    ['durationCap', 'duration_cap'],
  ] as const) {
    const [ending, effects] = step(live, { is })
    expect(effects).toEqual([{ do: 'sayClosing', why }])
    expect(step(ending, { is: 'closingSaid' })[1]).toMatchObject([{ do: 'finish', why, settle: true }])
  }
})

test('[S3] the first reason stands: what happens during the closing sentence does not change it', () => {
  const ending: Call = { at: 'ending', why: 'out_of_credit' }
  for (const is of ['bye', 'legLost', 'closingTimeout'] as const)
    expect(step(ending, { is })[0]).toEqual({ at: 'ended', why: 'out_of_credit' })
  expect(step(ending, { is: 'idle' })).toEqual([ending, []])
})

test('[S4] a revoked key ends the session without a sentence', () => {
  expect(only(live, { is: 'revoked' })).toEqual([{ do: 'finish', why: 'revoked', problem: 'revoked', settle: true }])
})

test('[S5] a fenced session stops and settles nothing', () => {
  expect(only(live, { is: 'fenced' })).toMatchObject([{ do: 'finish', settle: false }])
})

test('[S6] an engine that refuses at the start and one that is lost later are told apart', () => {
  expect(only({ at: 'opening' }, { is: 'engineClosed', cause: 'lost' })).toMatchObject([{ problem: 'engine_refused' }])
  expect(only(live, { is: 'engineClosed', cause: 'lost' })).toMatchObject([{ problem: 'engine_lost' }])
})

const events: CallEvent[] = [
  ...(
    [
      'engineReady',
      'openTimeout',
      'bye',
      'legLost',
      'operatorEnd',
      'revoked',
      'idle',
      'durationCap',
      'creditLow',
      'creditOut',
      'fenced',
      'drain',
      'closingSaid',
      'closingTimeout',
      'broken',
    ] as const
  ).map((is) => ({ is })),
  ...(['asked', 'refused', 'lost', 'expired'] as const).map((cause) => ({ is: 'engineClosed' as const, cause })),
]

test('[S7] whatever happens in whatever order, a session finishes at most once and hang-up always finishes it', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...events), { maxLength: 40 }), (history) => {
      let call: Call = { at: 'opening' }
      const effects: CallEffect[] = []
      for (const event of [...history, { is: 'legLost' } as const]) {
        const [next, more] = step(call, event)
        call = next
        effects.push(...more)
      }
      expect(call.at).toBe('ended')
      expect(effects.filter((effect) => effect.do === 'finish')).toHaveLength(1)
      expect(effects.at(-1)?.do).toBe('finish')
    }),
    { numRuns: 2000 },
  )
})
