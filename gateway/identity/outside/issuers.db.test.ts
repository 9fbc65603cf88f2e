import { afterAll, beforeAll, expect, test } from 'vitest'
import { FakeClerk } from '../../../test/harness/fake-clerk.ts'
import { systemClock } from '../../platform/clock.ts'
import { createIssuers } from './issuers.ts'

let provider: FakeClerk
beforeAll(async () => {
  provider = await FakeClerk.start()
})
afterAll(() => provider[Symbol.asyncDispose]())

const issuersOf = (own: { audience?: string; cooldownMs?: number } = {}) =>
  createIssuers({
    issuers: [
      { issuer: provider.issuer, parties: [], ...(own.audience === undefined ? {} : { audience: own.audience }) },
    ],
    clock: systemClock,
    cooldownMs: own.cooldownMs ?? 0,
  })

test('[S001-33] keys that a provider exchanged are fetched with the first token of the new one; the old ones’ tokens end', async () => {
  const issuers = issuersOf()
  const old = await provider.token('user_1')
  expect(await issuers.verify(old)).toMatchObject({ externalId: `${provider.issuer}|user_1` })
  await provider.rotate()
  expect(await issuers.verify(await provider.token('user_1'))).toBeDefined()
  expect(await issuers.verify(old)).toBeUndefined()
})

test('[S001-33] a token meant for somebody else is refused, one without an audience too', async () => {
  const issuers = issuersOf({ audience: 'parley' })
  expect(await issuers.verify(await provider.token('u', { aud: 'parley' }))).toBeDefined()
  expect(await issuers.verify(await provider.token('u', { aud: ['x', 'parley'] }))).toBeDefined()
  expect(await issuers.verify(await provider.token('u', { aud: 'other' }))).toBeUndefined()
  expect(await issuers.verify(await provider.token('u'))).toBeUndefined()
})

test('the keys are asked for once, whatever the number of tokens', async () => {
  const issuers = issuersOf({ cooldownMs: 30_000 })
  const before = provider.asked
  const token = await provider.token('u')
  await Promise.all(Array.from({ length: 20 }, () => issuers.verify(token)))
  expect(provider.asked - before).toBe(1)
})

test('a provider that cannot be reached is no refusal: it throws, and the next token tries again', async () => {
  let isUp = false
  const issuers = createIssuers({
    issuers: [{ issuer: provider.issuer, parties: [] }],
    clock: systemClock,
    fetch: (...given) => (isUp ? fetch(...given) : Promise.reject(new TypeError('fetch failed'))),
  })
  const token = await provider.token('u')
  await expect(issuers.verify(token)).rejects.toThrow('fetch failed')
  isUp = true
  expect(await issuers.verify(token)).toBeDefined()
})
