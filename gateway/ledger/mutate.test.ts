import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { systemClock } from '../platform/clock.ts'
import { Problem } from '../platform/problem.ts'
import { answerInTime, isLostReply } from './mutate.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('[L1] a store that does not answer for 5 s counts as a lost reply, and as unavailable for who asked', async () => {
  const outcome = answerInTime(new Promise<never>(() => {}), systemClock).catch((error: unknown) => error)
  await vi.advanceTimersByTimeAsync(4_999)
  expect(vi.getTimerCount()).toBe(1)
  await vi.advanceTimersByTimeAsync(1)
  const error = await outcome
  expect(error).toMatchObject({ code: 'unavailable' })
  expect(isLostReply(error)).toBe(true)
})

test('[L1] an answer in time is passed on and leaves no timer', async () => {
  expect(await answerInTime(Promise.resolve(7), systemClock)).toBe(7)
  await vi.advanceTimersByTimeAsync(0)
  expect(vi.getTimerCount()).toBe(0)
})

test('[L1] refusals, conflicts and programming errors are not tried again', () => {
  expect(isLostReply(new Problem('conflict'))).toBe(false)
  expect(isLostReply(new Problem('unavailable'))).toBe(false)
  expect(isLostReply(new TypeError('x'))).toBe(false)
  expect(isLostReply(Object.assign(new Error('x'), { name: 'MongoServerError' }))).toBe(false)
  expect(isLostReply(Object.assign(new Error('x'), { name: 'MongoNetworkTimeoutError' }))).toBe(true)
})
