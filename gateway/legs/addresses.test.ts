import { expect, test } from 'vitest'
import { ManualClock } from '../../test/harness/clock.ts'
import { Addresses, socketsPerAddress } from './addresses.ts'

test('an address with 200 sockets waits for one to close; others do not notice', () => {
  const addresses = new Addresses(new ManualClock())
  for (let i = 0; i < socketsPerAddress; i++) {
    expect(addresses.ask('a').is).toBe('welcome')
    addresses.opened('a')
  }
  expect(addresses.ask('a')).toEqual({ is: 'crowded', retryAfterMs: 5_000 })
  expect(addresses.ask('b').is).toBe('welcome')
  addresses.closed('a')
  expect(addresses.ask('a').is).toBe('welcome')
})

test('an address that asks faster than 50 times a second after its first 600 is turned away until it slows down', async () => {
  const clock = new ManualClock()
  const addresses = new Addresses(clock)
  for (let i = 0; i < 600; i++) expect(addresses.ask('a').is).toBe('welcome')
  expect(addresses.ask('a')).toEqual({ is: 'flood', retryAfterMs: 1_000 })
  expect(addresses.ask('b').is).toBe('welcome')
  await clock.advance(1_000)
  for (let i = 0; i < 50; i++) expect(addresses.ask('a').is).toBe('welcome')
  expect(addresses.ask('a').is).toBe('flood')
})
