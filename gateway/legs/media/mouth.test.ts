import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../../test/harness/clock.ts'
import type { Timer } from '../../platform/clock.ts'
import { Mouth } from './mouth.ts'
import { samplesPerMs } from './sink.ts'

/** Timers that a busy process runs late: what falls due meanwhile runs once, at the end. */
class StallClock extends ManualClock {
  stallMs = 0
  override monotonicMs(): number {
    return super.monotonicMs() + this.stallMs
  }
}

interface Played {
  readonly itemId: string
  readonly ms: number
  readonly final: boolean
}

function setup(
  options: { delayMs?: number; way?: { delayMs: number }; continuous?: boolean; clear?: () => number } = {},
) {
  const clock = new StallClock()
  const frames: { readonly atMs: number; readonly first: number; readonly last: number }[] = []
  const played: Played[] = []
  const said: string[] = []
  const sink = {
    get delayMs() {
      return options.way?.delayMs ?? options.delayMs ?? 0
    },
    continuous: options.continuous ?? false,
    play: (frame: Int16Array) =>
      void frames.push({ atMs: clock.monotonicMs(), first: frame[0] ?? 0, last: frame.at(-1) ?? 0 }),
    ...(options.clear === undefined ? {} : { clear: options.clear }),
  }
  const mouth = new Mouth(clock, sink, {
    played: (itemId, ms, final) => void played.push({ itemId, ms, final }),
    started: (id) => void said.push(`started ${id}`),
    stopped: (id) => void said.push(`stopped ${id}`),
    cleared: (id) => void said.push(`cleared ${id}`),
    slow: (slow) => void said.push(`slow ${slow}`),
    overflow: () => void said.push('overflow'),
  })
  /** Every sample is `level`. */
  const push = (itemId: string, ms: number, level = 1): void => {
    const samples = new Int16Array(ms * samplesPerMs).fill(level)
    mouth.push({ itemId, responseId: 'r', pcm: new Uint8Array(samples.buffer) })
  }
  const heard = (): number => frames.filter((frame) => frame.first !== 0).length * 10
  const lastOf = (itemId: string): Played | undefined => played.findLast((each) => each.itemId === itemId)
  return { clock, frames, played, said, mouth, push, heard, lastOf }
}

describe('a mouth', () => {
  test('hands over at real time what came at once, 40 ms ahead of it', async () => {
    const { clock, push, heard } = setup()
    push('a', 10_000)
    expect(heard()).toBe(40)
    for (const atMs of [1_000, 3_000, 9_000]) {
      await clock.advance(atMs - clock.monotonicMs())
      expect(heard()).toBe(atMs + 40)
    }
    await clock.advance(2_000)
    expect(heard()).toBe(10_000)
  })

  test('does not drift, whatever its timers do', async () => {
    const { clock, push, heard } = setup()
    push('a', 60_000)
    for (let i = 0; i < 400; i++) {
      await clock.advance(100)
      // Each tenth of a second a timer is late by a few milliseconds, which the next ones must not be.
      clock.stallMs += (i * 7) % 13
    }
    await clock.advance(40)
    expect(Math.abs(heard() - clock.monotonicMs() - 40)).toBeLessThanOrEqual(20)
  })

  test('a process that stood still catches up a tenth of a second and plays the rest later', async () => {
    const { clock, push, heard } = setup()
    push('a', 10_000)
    await clock.advance(1_000)
    const before = heard()
    clock.stallMs = 3_000
    await clock.advance(20)
    expect(heard() - before).toBe(120)
    await clock.advance(1_000)
    expect(heard() - before).toBe(1_120)
    await clock.advance(9_000)
    expect(heard()).toBe(10_000)
  })

  test('tells how far it was heard: what was sent, less the way to the ear', async () => {
    const { clock, push, mouth, lastOf, said } = setup({ delayMs: 160 })
    push('a', 1_000)
    mouth.complete('a')
    await clock.advance(500)
    expect(lastOf('a')).toMatchObject({ ms: 340, final: false })
    await clock.advance(600)
    expect(lastOf('a')).toMatchObject({ final: false })
    mouth.responseDone('r')
    expect(said).toEqual(['started r'])
    await clock.advance(200)
    expect(lastOf('a')).toEqual({ itemId: 'a', ms: 1_000, final: true })
    expect(said).toEqual(['started r', 'stopped r'])
  })

  test('a position never goes back and never passes what came', async () => {
    const { clock, push, mouth, played } = setup({ delayMs: 60 })
    push('a', 333)
    await clock.advance(250)
    push('a', 211)
    await clock.advance(2_000)
    push('a', 100)
    mouth.complete('a')
    await clock.advance(2_000)
    const positions = played.map(({ ms }) => ms)
    expect(positions).toEqual(positions.toSorted((a, b) => a - b))
    expect(positions.at(-1)).toBe(644)
  })

  test('voids at once what the sink has not got, and says the last position', async () => {
    const { clock, push, mouth, heard, lastOf, said } = setup({ delayMs: 60 })
    push('a', 5_000)
    await clock.advance(1_000)
    const sent = heard()
    mouth.flush('a')
    expect(lastOf('a')).toEqual({ itemId: 'a', ms: 940, final: true })
    expect(said).toEqual(['started r', 'cleared r'])
    await clock.advance(3_000)
    expect(heard()).toBe(sent)
    mouth.responseDone('r')
    expect(said).toEqual(['started r', 'cleared r'])
    expect(mouth.queuedMs).toBe(0)
  })

  test('what a sink takes back was not heard', async () => {
    const way = { delayMs: 220, queuedMs: 200 }
    const clear = (): number => {
      way.delayMs -= way.queuedMs
      return way.queuedMs
    }
    const { clock, push, mouth, lastOf } = setup({ way, clear })
    push('a', 5_000)
    await clock.advance(1_000)
    mouth.flush('a')
    expect(lastOf('a')).toEqual({ itemId: 'a', ms: 780, final: true })
  })

  test('cutting one item leaves the next; the answer is cleared when nothing of it is left', async () => {
    const { clock, push, mouth, heard, said } = setup()
    push('a', 1_000)
    push('b', 1_000, 2)
    await clock.advance(500)
    mouth.flush('a')
    expect(said).toEqual(['started r'])
    const before = heard()
    await clock.advance(300)
    expect(heard() - before).toBe(300)
    mouth.flush('b')
    expect(said).toEqual(['started r', 'cleared r'])
  })

  test('an item that waits for its turn is not over, though nothing more comes of it', async () => {
    const { clock, push, mouth, lastOf } = setup()
    push('a', 1_000)
    push('b', 500, 2)
    mouth.responseDone('r')
    await clock.advance(900)
    expect(lastOf('b')).toBeUndefined()
    await clock.advance(1_000)
    expect(lastOf('b')).toEqual({ itemId: 'b', ms: 500, final: true })
  })

  test('an answer that comes whole before its first sound is sent still starts and stops', async () => {
    const { clock, push, mouth, said } = setup({ continuous: true })
    push('a', 100)
    mouth.complete('a')
    mouth.responseDone('r')
    await clock.advance(500)
    expect(said).toEqual(['started r', 'stopped r'])
  })

  test('a gap in the engine’s audio is silence, and the piece that is shorter than a frame waits for its rest', async () => {
    const { clock, push, mouth, frames, lastOf } = setup({ continuous: true })
    push('a', 105)
    await clock.advance(500)
    expect(frames.filter(({ first }) => first !== 0)).toHaveLength(10)
    expect(frames.filter(({ first }) => first === 0).length).toBeGreaterThan(35)
    push('a', 5)
    await clock.advance(40)
    expect(frames.filter(({ first, last }) => first !== 0 && last !== 0)).toHaveLength(11)
    push('a', 4)
    mouth.complete('a')
    await clock.advance(300)
    expect(lastOf('a')).toEqual({ itemId: 'a', ms: 114, final: true })
  })

  test('between sentences a sink that needs it gets silence at the same pace, another nothing', async () => {
    const quiet = setup()
    await quiet.clock.advance(1_000)
    expect(quiet.frames).toHaveLength(0)
    const going = setup({ continuous: true })
    await going.clock.advance(1_000)
    expect(going.frames).toHaveLength(104)
    going.mouth.close()
    await going.clock.advance(1_000)
    expect(going.frames).toHaveLength(104)
  })

  test('asks the engine to stop at two minutes, to go on at less, and takes nothing beyond four', async () => {
    const { clock, push, mouth, said } = setup()
    for (let s = 0; s < 121; s++) push('a', 1_000)
    expect(said).toEqual(['started r', 'slow true'])
    await clock.advance(22_000)
    expect(said).toEqual(['started r', 'slow true', 'slow false'])
    for (let s = 0; s < 142; s++) push('a', 1_000)
    expect(said.slice(3)).toEqual(['slow true'])
    push('a', 1_000)
    expect(said.slice(3)).toEqual(['slow true', 'overflow'])
    mouth.flush('a')
    expect(said.slice(5)).toEqual(['slow false', 'cleared r'])
  })

  test('a connection that is lost leaves the last position behind and plays no more', async () => {
    const { clock, push, mouth, heard, lastOf, said } = setup()
    push('a', 5_000)
    await clock.advance(990)
    mouth.close()
    expect(lastOf('a')).toMatchObject({ ms: 990, final: false })
    const before = heard()
    push('a', 1_000)
    await clock.advance(1_000)
    expect(heard()).toBe(before)
    expect(said).toEqual(['started r'])
  })
})

// The clock of the tests keeps no timer that was cancelled.
test('an idle mouth keeps no timer', async () => {
  const timers = new Set<Timer>()
  class Counting extends ManualClock {
    override every(ms: number, run: () => void): Timer {
      const timer = super.every(ms, run)
      const counted = {
        cancel: () => {
          timers.delete(counted)
          timer.cancel()
        },
      }
      timers.add(counted)
      return counted
    }
  }
  const clock = new Counting()
  const ignore = (): void => {}
  const mouth = new Mouth(
    clock,
    { delayMs: 0, continuous: false, play: ignore },
    { played: ignore, started: ignore, stopped: ignore, cleared: ignore, slow: ignore, overflow: ignore },
  )
  mouth.push({ itemId: 'a', responseId: 'r', pcm: new Uint8Array(480 * 10) })
  expect(timers.size).toBe(1)
  mouth.complete('a')
  mouth.responseDone('r')
  await clock.advance(1_000)
  expect(timers.size).toBe(0)
})
