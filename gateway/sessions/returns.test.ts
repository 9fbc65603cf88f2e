import { expect, test } from 'vitest'
import { Returns } from './returns.ts'

test('[S19] connections that come back for one session take turns, and the newest makes those before it give up', async () => {
  const returns = new Returns()
  const first = Promise.withResolvers<void>()
  const told: string[] = []
  const one = returns.next('s', async (isPassed) => {
    await first.promise
    return `first, ${isPassed() ? 'passed' : 'newest'}`
  })
  const two = returns.next('s', async () => told.push('second'))
  const three = returns.next('s', async (isPassed) => `third, ${isPassed() ? 'passed' : 'newest'}`)
  const other = returns.next('other', async () => 'other')
  expect(await other).toBe('other')
  first.resolve()
  await expect(two).rejects.toMatchObject({ code: 'replaced' })
  expect([await one, await three, told]).toEqual(['first, passed', 'third, newest', []])
})

test('[S19] a return that fails lets the next one begin', async () => {
  const returns = new Returns()
  const broken = returns.next('s', async () => {
    throw new Error('no store')
  })
  const next = returns.next('s', async () => 'next')
  await expect(broken).rejects.toThrow('no store')
  expect(await next).toBe('next')
  expect(await returns.next('s', async () => 'later')).toBe('later')
})
