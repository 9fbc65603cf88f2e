import { expect, it } from 'vitest'
import { pauseMs, Tries } from './tries.ts'

const middle = () => 0.5
const busy = { code: 'http_503', retryAfterMs: null, hung: false }

it('[E5] tries the present engine twice more, each pause longer, then every other one of the chain', () => {
  const tries = new Tries(2, 1, middle)
  expect(tries.first()).toEqual({ index: 1, delayMs: 0 })
  expect([tries.after(busy), tries.after(busy), tries.after(busy)]).toEqual([
    { index: 1, delayMs: 300 },
    { index: 1, delayMs: 800 },
    { index: 0, delayMs: 0 },
  ])
  expect(tries.hasOther).toBe(false)
  expect([tries.after(busy), tries.after(busy), tries.after(busy)]).toEqual([
    { index: 0, delayMs: 300 },
    { index: 0, delayMs: 800 },
    undefined,
  ])
})

it('[E5] scatters its pauses by half in either direction', () => {
  expect([pauseMs(0, null, () => 0), pauseMs(0, null, () => 1)]).toEqual([150, 450])
  expect([pauseMs(1, null, () => 0), pauseMs(1, null, () => 1)]).toEqual([400, 1_200])
  expect(pauseMs(2, null, middle)).toBeUndefined()
})

it('[E5] waits no longer than 3 s in all while another engine is there', () => {
  const tries = new Tries(2, 0, middle)
  const limited = { code: 'rate_limit_exceeded', retryAfterMs: 2_000, hung: false }
  expect(tries.after(limited)).toMatchObject({ index: 0 })
  expect(tries.after(limited)).toEqual({ index: 1, delayMs: 0 })
  expect(new Tries(2, 0, middle).after({ ...limited, retryAfterMs: 60_000 })).toEqual({ index: 1, delayMs: 0 })
})

it('[E5] repeats neither what is refused for good nor what does not answer at all', () => {
  for (const failure of [
    { ...busy, code: 'invalid_api_key' },
    { ...busy, hung: true },
  ]) {
    expect(new Tries(2, 0, middle).after(failure)).toEqual({ index: 1, delayMs: 0 })
    expect(new Tries(1, 0, middle).after(failure)).toBeUndefined()
  }
})
