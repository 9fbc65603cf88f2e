import fc from 'fast-check'
import { expect, test } from 'vitest'
import { limits } from '../../protocol/realtime.ts'
import type { Frame } from './channel.ts'
import { Replay } from './replay.ts'

const seqOf = (frame: Frame) => Number(JSON.parse(Buffer.from(frame).toString()).seq)

test('[S16] a frame is numbered as text and as bytes, and says otherwise what it said', () => {
  const replay = new Replay()
  expect(replay.number('{"type":"a"}')).toBe('{"seq":1,"type":"a"}')
  expect(replay.number(Buffer.from(' {"type":"b"}')).toString()).toBe('{"seq":2,"type":"b"}')
})

test('[S16] whatever was sent, acknowledged and forgotten, a client gets all of what it missed or is told of a gap', () => {
  const action = fc.oneof(fc.constant('send' as const), fc.nat(120))
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200 }), fc.nat(220), (actions, taken) => {
      const replay = new Replay()
      let acknowledged = 0
      for (const each of actions) {
        if (each === 'send') replay.number('{"type":"x"}')
        else {
          replay.acknowledge(each)
          if (each <= replay.last) acknowledged = Math.max(acknowledged, each)
          else acknowledged = replay.last
        }
      }
      const missed = replay.after(taken)
      if (taken > replay.last || taken < acknowledged) expect(missed).toBeUndefined()
      else expect(missed?.map(seqOf)).toEqual(Array.from({ length: replay.last - taken }, (_, i) => taken + 1 + i))
    }),
    { numRuns: 1_000 },
  )
})

test('[S16] it is bounded in frames and bytes, and what is left is the newest without a hole', () => {
  const replay = new Replay()
  for (let i = 0; i < limits.replayFrames * 2; i++) replay.number('{"type":"x"}')
  expect(replay.kept.length).toBeLessThanOrEqual(limits.replayFrames)
  const large = `{"type":"${'x'.repeat(1_000)}"}`
  for (let i = 0; i < 2_000; i++) replay.number(large)
  expect(replay.kept.join('').length).toBeLessThanOrEqual(limits.replayBytes)
  const from = replay.last - replay.kept.length
  expect(replay.after(from)).toHaveLength(replay.kept.length)
  expect(replay.after(from - 1)).toBeUndefined()
})

test('[S18] another process goes on with number and frames', () => {
  const first = new Replay()
  for (let i = 0; i < 5; i++) first.number(Buffer.from('{"type":"x"}'))
  first.acknowledge(2)
  const second = new Replay()
  second.restore(first.kept, first.last)
  second.number('{"type":"y"}')
  expect(second.after(3)?.map(seqOf)).toEqual([4, 5, 6])
  expect(second.after(1)).toBeUndefined()
})

test('[S18] what a client acknowledges over the old connection is still there for the new one', () => {
  const replay = new Replay()
  for (let i = 0; i < 5; i++) replay.number('{"type":"x"}')
  replay.acknowledge(2)
  replay.keepAll()
  replay.acknowledge(5)
  expect(replay.after(2)?.map(seqOf)).toEqual([3, 4, 5])
})
