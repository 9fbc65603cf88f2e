import { expect, test } from 'vitest'
import { networkOf } from './network.ts'

test('[U5] an IPv4 visitor is an address, an IPv6 visitor a /64, however it is written', () => {
  expect(networkOf('203.0.113.7')).toBe('203.0.113.7')
  expect(networkOf('::ffff:203.0.113.7')).toBe('203.0.113.7')
  const net = networkOf('2001:db8:0:12::1')
  for (const same of ['2001:0db8:0000:0012:ffff:ffff:ffff:ffff', '2001:DB8:0:12:0:0:0:9', '2001:db8:0:12::%eth0']) {
    expect(networkOf(same)).toBe(net)
  }
  expect(networkOf('2001:db8:0:13::1')).not.toBe(net)
  expect(networkOf('::1')).toBe('0:0:0:0::/64')
  expect(networkOf('fe80::')).toBe('fe80:0:0:0::/64')
})

test('[U5] what is no address is one visitor', () => {
  for (const odd of ['', 'evil', '1.2.3', '999.1.1.1', ':::', 'a'.repeat(10_000)])
    expect(networkOf(odd)).toBe('unknown')
})
