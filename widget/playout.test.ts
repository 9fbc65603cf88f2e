import { describe, expect, test } from 'vitest'
import { Playout, type PlayoutEvent } from './playout.ts'

const quantum = 128

class Player {
  readonly events: PlayoutEvent[] = []
  readonly out: number[] = []
  readonly playout: Playout
  readonly #deviceHz: number

  constructor(deviceHz = 24_000) {
    this.#deviceHz = deviceHz
    this.playout = new Playout(deviceHz, (event) => this.events.push(event))
  }

  render(ms: number): void {
    for (let left = (ms * this.#deviceHz) / 1000; left > 0; left -= quantum) {
      const block = new Float32Array(quantum)
      this.playout.render(block)
      this.out.push(...block)
    }
  }

  of<K extends PlayoutEvent['is']>(is: K): Extract<PlayoutEvent, { is: K }>[] {
    return this.events.filter((event): event is Extract<PlayoutEvent, { is: K }> => event.is === is)
  }
}

const pcm = (ms: number, value = 8_000): Int16Array => new Int16Array(ms * 24).fill(value)

test.each([24_000, 44_100, 48_000])('every sample of an item is played and counted at %i Hz', (deviceHz) => {
  const player = new Player(deviceHz)
  for (let i = 0; i < 5; i++) player.playout.push('a', pcm(40))
  player.playout.end('a')
  player.render(400)
  expect(player.of('started')).toEqual([{ is: 'started', itemId: 'a', samples: 0 }])
  expect(player.of('ended')).toEqual([{ is: 'ended', itemId: 'a', samples: 200 * 24 }])
  const loud = player.out.filter((sample) => Math.abs(sample) > 0.1).length
  expect(Math.abs(loud - 0.2 * deviceHz)).toBeLessThan(0.006 * deviceHz)
  expect(player.events.at(-1)).toEqual({ is: 'quiet' })
})

test('a player that is held fades out, stays where it is, and goes on there; a flush ends the hold', () => {
  const player = new Player()
  player.playout.push('a', pcm(400))
  player.render(100)
  player.playout.held = true
  player.render(200)
  expect(Math.max(...player.out.slice(-150 * 24))).toBe(0)
  const at = player.of('at').at(-1)?.samples ?? 0
  expect(at).toBeLessThan(110 * 24)
  player.playout.held = false
  player.playout.end('a')
  player.render(500)
  expect(player.of('ended')).toEqual([{ is: 'ended', itemId: 'a', samples: 400 * 24 }])
  player.playout.held = true
  player.playout.push('b', pcm(200))
  player.playout.flush()
  player.playout.push('c', pcm(200))
  player.playout.end('c')
  player.render(300)
  expect(player.of('ended').at(-1)?.itemId).toBe('c')
})

describe('prebuffer', () => {
  test('playing begins only when 80 ms are there', () => {
    const player = new Player()
    player.playout.push('a', pcm(70))
    player.render(100)
    expect(player.events).toEqual([])
    player.playout.push('a', pcm(20))
    player.render(10)
    expect(player.of('started')).toHaveLength(1)
  })

  test('a short item whose end is known does not wait', () => {
    const player = new Player()
    player.playout.push('a', pcm(30))
    player.playout.end('a')
    player.render(60)
    expect(player.of('ended')).toEqual([{ is: 'ended', itemId: 'a', samples: 720 }])
  })

  test('each gap makes the next wait longer, up to 400 ms', () => {
    const player = new Player()
    for (let i = 0; i < 8; i++) {
      player.playout.push('a', pcm(420))
      player.render(600)
    }
    expect(player.of('gap').map(({ prebufferMs }) => prebufferMs)).toEqual([120, 180, 270, 400, 400, 400, 400, 400])
    expect(player.of('ended')).toEqual([])
  })
})

describe('flush', () => {
  test('stops within 5 ms, reports what was played, and the rest is never heard', () => {
    const player = new Player()
    player.playout.push('a', pcm(1_000))
    player.render(200)
    const before = player.out.length
    player.playout.flush()
    player.render(200)
    const [flushed] = player.of('flushed')
    expect(flushed?.items.map(({ itemId }) => itemId)).toEqual(['a'])
    const playedMs = (flushed?.items[0]?.samples ?? 0) / 24
    expect(playedMs).toBeGreaterThan(195)
    expect(playedMs).toBeLessThan(212)
    expect(Math.max(...player.out.slice(before + 5 * 24 + 1).map(Math.abs))).toBe(0)
    expect(player.of('ended')).toEqual([])
  })

  test('fades instead of clicking: no step is larger than the ramp', () => {
    const player = new Player()
    player.playout.push('a', pcm(1_000, 32_000))
    player.render(200)
    const from = player.out.length - 1
    player.playout.flush()
    player.render(20)
    const steps = player.out.slice(from).map((sample, i, all) => Math.abs(sample - (all[i - 1] ?? sample)))
    expect(Math.max(...steps)).toBeLessThan(0.02)
  })

  test('an item that waits for its prebuffer is dropped at once and was not heard', () => {
    const player = new Player()
    player.playout.push('a', pcm(40))
    player.render(10)
    player.playout.flush()
    expect(player.of('flushed')).toEqual([{ is: 'flushed', items: [{ itemId: 'a', samples: 0 }] }])
    player.render(100)
    expect(Math.max(...player.out.map(Math.abs))).toBe(0)
  })

  test('reports every item that was queued, also those not begun', () => {
    const player = new Player()
    player.playout.push('a', pcm(300))
    player.playout.push('b', pcm(300))
    player.render(150)
    player.playout.flush()
    player.render(20)
    const items = player.of('flushed')[0]?.items ?? []
    expect(items.map(({ itemId }) => itemId)).toEqual(['a', 'b'])
    expect(items[1]?.samples).toBe(0)
  })

  test('the next answer, pushed while the old one still fades, is played whole', () => {
    const player = new Player()
    player.playout.push('a', pcm(500))
    player.render(200)
    player.playout.flush()
    player.playout.push('b', pcm(200))
    player.playout.end('b')
    player.render(400)
    expect(player.of('ended')).toEqual([{ is: 'ended', itemId: 'b', samples: 200 * 24 }])
  })

  test('with nothing queued it answers too, so that nobody waits', () => {
    const player = new Player()
    player.playout.flush()
    expect(player.of('flushed')).toEqual([{ is: 'flushed', items: [] }])
  })
})

test('the next item ends the one before, even when its end was never told', () => {
  const player = new Player()
  player.playout.push('a', pcm(100))
  player.playout.push('b', pcm(100))
  player.playout.end('b')
  player.render(300)
  expect(player.of('ended').map(({ itemId, samples }) => [itemId, samples])).toEqual([
    ['a', 2_400],
    ['b', 2_400],
  ])
  expect(player.of('started').map(({ itemId }) => itemId)).toEqual(['a', 'b'])
})

test('positions are reported about every 50 ms and never run ahead of the sound', () => {
  const player = new Player()
  player.playout.push('a', pcm(1_000))
  player.render(500)
  const positions = player.of('at').map(({ samples }) => samples / 24)
  expect(positions.length).toBeGreaterThanOrEqual(8)
  expect(positions).toEqual(positions.toSorted((a, b) => a - b))
  expect(positions.at(-1)).toBeLessThanOrEqual(500)
})
