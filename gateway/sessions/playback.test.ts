import { expect, test } from 'vitest'
import { Playback } from './playback.ts'

test('[S11] a position beyond what was sent counts as what was sent, and positions never go back', () => {
  const playback = new Playback()
  playback.sent('a', 1000, 0)
  playback.played('a', 5000, false)
  expect(playback.heard('a')?.playedMs).toBe(1000)
  playback.played('a', 10, false)
  expect(playback.heard('a')?.playedMs).toBe(1000)
  playback.played('a', Number.NaN, true)
  expect(playback.isFinal('a')).toBe(false)
})

test('an item is unfinished until all of it was sent and played', () => {
  const playback = new Playback()
  playback.sent('a', 1000, 0)
  playback.played('a', 1000, false)
  expect(playback.unfinished()).toEqual(['a'])
  playback.audioDone('a')
  expect(playback.unfinished()).toEqual([])
})

test('without a player that reports, real time since the first audio is the bound', () => {
  const playback = new Playback()
  playback.sent('a', 3000, 100)
  playback.inferPlayed(1100)
  expect(playback.heard('a')?.playedMs).toBe(1000)
  playback.inferPlayed(60_000)
  expect(playback.heard('a')?.playedMs).toBe(3000)
})
