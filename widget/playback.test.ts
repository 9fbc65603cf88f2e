import { beforeEach, expect, test } from 'vitest'
import type { ParleyPlayed } from '../gateway/protocol/realtime.ts'
import { Playback } from './playback.ts'

let reports: ParleyPlayed[]
let playback: Playback
beforeEach(() => {
  reports = []
  playback = new Playback((event) => reports.push(event))
})

const at = (itemId: string, ms: number) => ({ is: 'at', itemId, samples: ms * 24 }) as const
const time = (nowMs: number, latencyMs = 0) => ({ nowMs, latencyMs })

test('a position is reported at most every half second, less what is still on its way to the loudspeaker', () => {
  playback.accept('a')
  for (let ms = 0; ms <= 2_000; ms += 50) playback.event(at('a', ms), time(10_000 + ms, 40))
  expect(reports.map(({ played_ms }) => played_ms)).toEqual([0, 460, 960, 1_460, 1_960])
  expect(reports.every(({ final }) => !final)).toBe(true)
})

test('the end of an item is reported once, whole and final', () => {
  playback.accept('a')
  playback.event({ is: 'ended', itemId: 'a', samples: 1_000 * 24 }, time(1, 40))
  expect(reports).toEqual([{ type: 'parley.played', item_id: 'a', played_ms: 1_000, final: true }])
  expect(playback.open).toEqual([])
})

test('a flush reports what was heard of each item; nothing of them is accepted afterwards', () => {
  playback.accept('a')
  playback.accept('b')
  playback.cut()
  const items = [
    { itemId: 'a', samples: 900 * 24 },
    { itemId: 'b', samples: 0 },
  ]
  playback.event({ is: 'flushed', items }, time(1, 40))
  expect(reports.map(({ item_id, played_ms, final }) => [item_id, played_ms, final])).toEqual([
    ['a', 860, true],
    ['b', 0, true],
  ])
  expect(playback.accept('a')).toBe(false)
  expect(playback.accept('c')).toBe(true)
})

test('a player that does not answer a flush is taken at its last word, once', () => {
  playback.accept('a')
  playback.event(at('a', 700), time(10_000, 40))
  reports.length = 0
  playback.cut()
  playback.giveUp(40)
  playback.giveUp(40)
  expect(reports).toEqual([{ type: 'parley.played', item_id: 'a', played_ms: 660, final: true }])
})

test('asked for an item that was never played, it answers zero; for one played to its end, all of it', () => {
  playback.asked('never')
  playback.accept('a')
  playback.event({ is: 'ended', itemId: 'a', samples: 500 * 24 }, time(1))
  playback.asked('a')
  expect(reports.map(({ item_id, played_ms, final }) => [item_id, played_ms, final])).toEqual([
    ['never', 0, true],
    ['a', 500, true],
    ['a', 500, true],
  ])
  expect(playback.accept('never')).toBe(false)
})

test('asked for an item that is with the player, it waits for the flush', () => {
  playback.accept('a')
  playback.asked('a')
  expect(reports).toEqual([])
})
