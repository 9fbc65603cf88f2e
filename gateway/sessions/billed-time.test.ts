import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ManualClock } from '../../test/harness/clock.ts'
import { BilledTime, freeGapLimitMs, type TimeBefore } from './billed-time.ts'

const none = { seconds: 0, freeGapMs: 0 }

function live(before: TimeBefore = none) {
  const clock = new ManualClock()
  const time = new BilledTime(clock, before)
  time.start()
  return { clock, time, leave: () => time.away(clock.monotonicMs()) }
}

test('[S30] an absence costs its first 5 s, then nothing until the client is back', async () => {
  const { clock, time, leave } = live()
  await clock.advance(10_000)
  leave()
  await clock.advance(4_000)
  expect(time.seconds).toBe(14)
  await clock.advance(26_000)
  expect([time.seconds, time.freeGapMs]).toEqual([15, 25_000])
  time.back()
  await clock.advance(5_000)
  expect([time.seconds, time.freeGapMs]).toEqual([20, 25_000])
})

test('[S30] short absences are charged whole', async () => {
  const { clock, time, leave } = live()
  for (let i = 0; i < 10; i++) {
    leave()
    await clock.advance(5_000)
    time.back()
    await clock.advance(1_000)
  }
  expect([time.seconds, time.freeGapMs]).toEqual([60, 0])
})

test('[S30] BILL-04: coming back every 44 s is free for 60 s in all, by whatever process', async () => {
  let before = none
  let wallMs = 0
  for (let owner = 0; owner < 5; owner++) {
    const { clock, time, leave } = live(before)
    for (let i = 0; i < 10; i++) {
      leave()
      await clock.advance(44_000)
      time.back()
      await clock.advance(1_000)
    }
    wallMs += clock.monotonicMs()
    before = { seconds: time.seconds, freeGapMs: time.freeGapMs }
  }
  expect(before).toEqual({ seconds: (wallMs - freeGapLimitMs) / 1000, freeGapMs: freeGapLimitMs })
})

test('[S30] of a long absence what goes beyond 60 s is charged when the client is back', async () => {
  const { clock, time, leave } = live()
  leave()
  await clock.advance(120_000)
  expect([time.seconds, time.freeGapMs]).toEqual([5, freeGapLimitMs])
  time.back()
  expect([time.seconds, time.freeGapMs]).toEqual([60, freeGapLimitMs])
})

test('[S30] who stays away pays its first 5 s, however long the session waited', async () => {
  const { clock, time, leave } = live()
  await clock.advance(10_000)
  leave()
  await clock.advance(120_000)
  time.stop()
  await clock.advance(120_000)
  expect(time.seconds).toBe(15)
})

test('[S30] who is connected and does not answer is charged beyond 60 s, and so is who then leaves', async () => {
  const { clock, time } = live()
  time.asleep(clock.monotonicMs())
  await clock.advance(120_000)
  expect(time.seconds).toBe(60)
  time.away(clock.monotonicMs())
  await clock.advance(120_000)
  time.stop()
  expect(time.seconds).toBe(60)
})

test('[S31] an absence noticed late takes nothing back that was told, and is free all the same', async () => {
  const { clock, time } = live()
  await clock.advance(10_000)
  const lastByteAtMs = clock.monotonicMs()
  await clock.advance(20_000)
  expect(time.seconds).toBe(30)
  time.away(lastByteAtMs)
  expect([time.seconds, time.freeGapMs]).toEqual([30, 15_000])
  time.away(clock.monotonicMs())
  time.back()
  await clock.advance(10_000)
  expect(time.seconds).toBe(30)
  await clock.advance(10_000)
  expect(time.seconds).toBe(35)
})

test('[S31] whatever the client does, seconds never shrink, are never more than passed, never 60 s less', async () => {
  const step = fc.record({
    ms: fc.integer({ min: 0, max: 90_000 }),
    deed: fc.constantFrom('away', 'asleep', 'late', 'back', 'look', 'takeover'),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      let { clock, time } = live()
      let passedMs = 0
      let owners = 1
      let isGone = false
      let last = 0
      for (const { ms, deed } of steps) {
        await clock.advance(ms)
        passedMs += ms
        if (deed === 'away') time.away(clock.monotonicMs())
        if (deed === 'asleep') time.asleep(clock.monotonicMs())
        if (deed === 'late') time.away(clock.monotonicMs() - 20_000)
        if (deed === 'back') time.back()
        // An owner that lets go knows that the client is back.
        if (deed === 'takeover') {
          time.back()
          owners++
          const before = { seconds: time.seconds, freeGapMs: time.freeGapMs }
          ;({ clock, time } = live(before))
        }
        expect(time.seconds).toBeGreaterThanOrEqual(last)
        expect(time.seconds).toBeLessThanOrEqual(passedMs / 1000 + owners)
        isGone = deed === 'away' || deed === 'late' || (isGone && deed !== 'back' && deed !== 'takeover')
        if (!isGone) expect(time.seconds).toBeGreaterThanOrEqual((passedMs - freeGapLimitMs) / 1000 - 0.001)
        expect(time.freeGapMs).toBeLessThanOrEqual(freeGapLimitMs)
        last = time.seconds
      }
    }),
    { numRuns: 300 },
  )
})

test('[S31] a session that changes its owner often is charged each started second once', async () => {
  let before: TimeBefore = none
  let wallMs = 0
  for (let owner = 0; owner < 20; owner++) {
    const { clock, time } = live(before)
    await clock.advance(7_300)
    wallMs += 7_300
    before = { seconds: time.seconds, freeGapMs: time.freeGapMs, aheadMs: time.aheadMs }
  }
  expect(before.seconds).toBe(Math.ceil(wallMs / 1000))
})

test('[S31] an absence that was noticed late is worked off by the next owner', async () => {
  const { clock, time } = live()
  await clock.advance(30_000)
  expect(time.seconds).toBe(30)
  time.away(clock.monotonicMs() - 20_000)
  const next = live({ seconds: time.seconds, freeGapMs: time.freeGapMs, aheadMs: time.aheadMs })
  await next.clock.advance(15_000)
  expect(next.time.seconds).toBe(30)
  await next.clock.advance(5_000)
  expect(next.time.seconds).toBe(35)
})

test('[S32] who breaks off before each heartbeat pays every started second', async () => {
  let billed = 0
  for (let i = 0; i < 20; i++) {
    const { clock, time } = live()
    await clock.advance(4_900)
    time.stop()
    await clock.advance(60_000)
    billed += time.seconds
  }
  expect(billed).toBe(100)
})
