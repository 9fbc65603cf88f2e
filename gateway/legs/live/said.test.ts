import { expect, test } from 'vitest'
import type { LiveEvent } from './live-error.ts'
import { Said } from './said.ts'

function setup() {
  const told: string[] = []
  const state = { nowMs: 0, waits: false }
  const said = new Said({
    nowMs: () => state.nowMs,
    waits: () => state.waits,
    tell: ({ delta, start_ms, end_ms }: LiveEvent) => void told.push(`${delta} ${start_ms}-${end_ms}`),
  })
  const answer = (): void => {
    for (const text of ['We', ' open', ' at', ' nine.']) {
      said.words('a', text, true)
      said.sound('a', 500)
    }
  }
  return { said, told, state, answer }
}

test('words are told when their sound is played, with their place in the session', () => {
  const { said, told, state, answer } = setup()
  answer()
  expect(told).toEqual([])
  state.nowMs = 1_100
  said.played('a', 100, false)
  expect(told).toEqual(['We 1000-1500'])
  state.nowMs = 2_100
  said.played('a', 1_100, false)
  expect(told.slice(1)).toEqual([' open 1500-2000', ' at 2000-2500'])
  said.played('a', 2_000, true)
  expect(told.slice(3)).toEqual([' nine. 2500-3000'])
})

test('of a cut answer no word is told that was not played, not even when it is repeated as a whole', () => {
  const { said, told, answer } = setup()
  answer()
  said.played('a', 100, false)
  said.cut('a')
  said.played('a', 600, true)
  expect(told).toHaveLength(2)
  said.whole('a', 'We open at nine.', true)
  said.words('a', ' And more.', true)
  said.done('a')
  expect(told).toHaveLength(2)
})

test('written words are told at once, late words of what was played too, and a whole text tells what was missing', () => {
  const { said, told, state } = setup()
  said.words('t', 'Hello', false)
  said.whole('t', 'Hello there.', false)
  expect(told).toEqual(['Hello 0-0', ' there. 0-0'])
  said.sound('a', 100)
  state.nowMs = 500
  said.played('a', 100, true)
  said.whole('a', 'Late.', true)
  expect(told[2]).toBe('Late. 500-500')
})

test('an answer waits for the words it answers, and is told in any case at the end', () => {
  const { said, told, state, answer } = setup()
  answer()
  state.waits = true
  said.played('a', 600, false)
  expect(told).toEqual([])
  state.waits = false
  said.release()
  expect(told).toHaveLength(2)
  state.waits = true
  said.played('a', 2_000, true)
  said.close()
  expect(told).toHaveLength(4)
})
