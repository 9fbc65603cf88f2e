import { expect, test } from 'vitest'
import { type Clock, systemClock } from '../platform/clock.ts'
import { createLocalGate } from './local-gate.ts'

function rig() {
  let nowMs = 0
  const clock: Clock = { ...systemClock, now: () => 1_800_000_000_000, monotonicMs: () => nowMs }
  const gate = createLocalGate(clock)
  let n = 0
  const ask = { tenantId: 'ten_a', plan: 'free' as const, keyId: 'key_1', ip: '203.0.113.7' as string | undefined }
  return {
    gate,
    ask,
    pass: (ms: number) => {
      nowMs += ms
    },
    enter: (over: Partial<typeof ask> = {}) =>
      gate.enter({ ...ask, ...over }, { tenantId: 'ten_a', sessionId: `s${n++}` }),
    session: (id: string) => ({ tenantId: 'ten_a', sessionId: id }),
  }
}

test('[U7] alone, a process admits half of the sessions of the plan', () => {
  const { enter, gate, session } = rig()
  expect([enter(), enter(), enter()].map(({ is }) => is)).toEqual(['taken', 'taken', 'no_slot'])
  gate.leave(session('s0'))
  gate.leave(session('s0'))
  expect([enter(), enter()].map(({ is }) => is)).toEqual(['taken', 'no_slot'])
})

test('[U7] sessions admitted before Redis went away count, until nobody heard of them for a lease', () => {
  const { enter, gate, session, pass } = rig()
  gate.note(session('early_1'))
  gate.note(session('early_2'))
  expect(enter().is).toBe('no_slot')
  pass(20_000)
  gate.note(session('early_2'))
  pass(20_000)
  expect([enter(), enter()].map(({ is }) => is)).toEqual(['taken', 'no_slot'])
})

test('[U7] alone, the burst is half and comes back at half speed; what is given back can be taken again', () => {
  const { gate, ask, pass } = rig()
  let n = 0
  const burst = () => {
    let taken = 0
    for (; taken < 1_000; taken++) {
      const session = { tenantId: 'ten_a', sessionId: `b${n++}` }
      const answer = gate.enter({ ...ask, ip: undefined }, session)
      gate.leave(session)
      if (answer.is !== 'taken') break
    }
    return taken
  }
  expect(burst()).toBe(30)
  pass(8_000)
  expect(burst()).toBe(2)
  pass(4_000)
  const answer = gate.enter({ ...ask, ip: undefined }, { tenantId: 'ten_a', sessionId: 'x' })
  if (answer.is === 'taken') answer.giveBack()
  gate.leave({ tenantId: 'ten_a', sessionId: 'x' })
  expect(burst()).toBe(1)
})

test('[U4] what is given back is the tenant’s token, not the visitor’s', () => {
  const { gate, ask } = rig()
  let refused = 0
  for (let i = 0; i < 40; i++) {
    const session = { tenantId: 'ten_a', sessionId: `v${i}` }
    const answer = gate.enter(ask, session)
    gate.leave(session)
    if (answer.is === 'taken') answer.giveBack()
    else refused++
  }
  expect(refused).toBe(10)
  expect(gate.enter({ ...ask, ip: '203.0.113.8' }, { tenantId: 'ten_a', sessionId: 'other' }).is).toBe('taken')
})

test('[U7] a flood of addresses does not fill the memory, and other tenants are not affected', () => {
  const { gate, ask } = rig()
  for (let i = 0; i < 30_000; i++) {
    gate.enter(
      { ...ask, plan: 'enterprise', ip: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` },
      { tenantId: 'ten_a', sessionId: 's' },
    )
  }
  expect(gate.enter({ ...ask, tenantId: 'ten_b' }, { tenantId: 'ten_b', sessionId: 's' }).is).toBe('taken')
})

test('[U7] alone, the day is half too, requests and starts are counted apart, and each limit says its own name', () => {
  const { gate, ask, pass } = rig()
  const request = { ...ask, ip: undefined }
  let taken = 0
  const codes = new Set<string>()
  for (let second = 0; second < 20_000; second += 4) {
    const answer = gate.rate(request, 'request')
    if (answer.is === 'taken') taken++
    else codes.add(answer.code)
    pass(4_000)
  }
  // The clock's wall time stands still: it is one day.
  expect([taken, [...codes]]).toEqual([500, ['rate_day']])
  expect(gate.rate(request, 'start').is).toBe('taken')
  const exhaust = (over: Partial<typeof ask>) => {
    for (;;) {
      const answer = gate.rate({ ...ask, tenantId: 'ten_b', ...over }, 'start')
      if (answer.is === 'refused') return answer
    }
  }
  expect(exhaust({})).toEqual({ is: 'refused', code: 'rate_visitor', retryAfterMs: 4_000 })
  expect(exhaust({ tenantId: 'ten_c', ip: undefined }).code).toBe('rate_key')
  expect(exhaust({ tenantId: 'ten_c', ip: undefined, keyId: 'key_2' }).code).toBe('rate_tenant')
})
