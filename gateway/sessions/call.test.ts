import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Call, type CallEffect, type CallEvent, step } from './call.ts'

const live: Call = { at: 'live', warned: false, away: false }
const only = (call: Call, event: CallEvent) => step(call, event)[1]

test('[S1] a session goes live once, when its engine is ready', () => {
  expect(step({ at: 'opening', away: false }, { is: 'engineReady' })).toEqual([live, [{ do: 'goLive' }]])
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
  for (const event of [
    { is: 'bye' },
    { is: 'legLost', canReturn: true },
    { is: 'closingTimeout' },
    { is: 'release' },
  ] as const)
    expect(step(ending, event)[0]).toEqual({ at: 'ended', why: 'out_of_credit' })
  expect(step(ending, { is: 'idle' })).toEqual([ending, []])
})

test('[S4] a revoked key ends the session without a sentence', () => {
  expect(only(live, { is: 'revoked' })).toEqual([{ do: 'finish', why: 'revoked', problem: 'revoked', settle: true }])
})

test('[S5] a fenced session stops and settles nothing', () => {
  expect(only(live, { is: 'fenced' })).toMatchObject([{ do: 'finish', settle: false }])
})

test('[S6] an engine that refuses at the start and one that is lost later are told apart', () => {
  expect(only({ at: 'opening', away: false }, { is: 'engineClosed', cause: 'lost' })).toMatchObject([
    { problem: 'engine_refused' },
  ])
  expect(only(live, { is: 'engineClosed', cause: 'lost' })).toMatchObject([{ problem: 'engine_lost' }])
})

const events: CallEvent[] = [
  ...(
    [
      'engineReady',
      'openTimeout',
      'bye',
      'legBack',
      'windowOver',
      'stolen',
      'release',
      'operatorEnd',
      'revoked',
      'idle',
      'durationCap',
      'creditLow',
      'creditOut',
      'fenced',
      'closingSaid',
      'closingTimeout',
      'broken',
    ] as const
  ).map((is) => ({ is })),
  ...[true, false].flatMap((canReturn) => [
    { is: 'legLost' as const, canReturn },
    { is: 'drain' as const, canReturn },
  ]),
  ...(['asked', 'refused', 'lost', 'expired'] as const).map((cause) => ({ is: 'engineClosed' as const, cause })),
]

test('[S7] whatever happens in whatever order, a session finishes or is handed over once, and the loss of a client that cannot return always ends it', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...events), { maxLength: 40 }), (history) => {
      let call: Call = { at: 'opening', away: false }
      const effects: CallEffect[] = []
      for (const event of [...history, { is: 'legLost', canReturn: false } as const]) {
        const [next, more] = step(call, event)
        call = next
        effects.push(...more)
      }
      expect(call.at).toBe('ended')
      expect(effects.filter((effect) => effect.do === 'finish' || effect.do === 'handOver')).toHaveLength(1)
      expect(['finish', 'handOver']).toContain(effects.at(-1)?.do)
    }),
    { numRuns: 2000 },
  )
})

test('[S16] a client that can return is waited for, and its session ends when nobody came back in time', () => {
  const [away, effects] = step(live, { is: 'legLost', canReturn: true })
  expect(effects).toEqual([{ do: 'awaitReturn' }])
  expect(only(away, { is: 'legLost', canReturn: true })).toEqual([])
  expect(step(away, { is: 'legBack' })).toEqual([live, [{ do: 'welcomeBack' }]])
  expect(only(away, { is: 'windowOver' })).toMatchObject([
    { do: 'finish', why: 'client_gone', problem: 'gone', settle: true },
  ])
  expect(only(live, { is: 'windowOver' })).toEqual([])
})

test('[S16] nobody is there to hear a closing sentence: the end comes at once', () => {
  const away: Call = { at: 'live', warned: false, away: true }
  for (const is of ['creditOut', 'idle', 'durationCap'] as const)
    expect(only(away, { is })).toMatchObject([{ do: 'finish', settle: true }])
})

test('[S18] a process that stops asks its clients to move, and hands over those who are away already', () => {
  expect(only(live, { is: 'drain', canReturn: true })).toEqual([{ do: 'sayGoingAway' }])
  expect(only({ ...live, away: true }, { is: 'drain', canReturn: true })).toEqual([{ do: 'handOver' }])
  expect(only(live, { is: 'drain', canReturn: false })).toMatchObject([{ do: 'finish', why: 'drain', settle: true }])
  expect(only(live, { is: 'release' })).toEqual([{ do: 'handOver' }])
})
