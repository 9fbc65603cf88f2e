import { describe, expect, test } from 'vitest'
import { problems } from '../gateway/protocol/codes.ts'
import type { EndReason, ParleyEnd } from '../gateway/protocol/realtime.ts'
import { endingOf, fateOf, maxTries, pauseMs } from './retry.ts'

const end = (reason: EndReason, problem?: ParleyEnd['problem']): ParleyEnd => ({
  type: 'parley.end',
  event_id: 'e',
  reason,
  ...(problem === undefined ? {} : { problem }),
})
const closed = (code: number, reason = '') => ({ code, reason })

describe('endingOf', () => {
  test('a broken network is tried again at once', () => {
    expect(endingOf(closed(1006), {})).toEqual({ reason: 'lost', retry: 'now' })
  })

  test('an orderly end is not tried again', () => {
    expect(endingOf(closed(1000), { end: end('client_ended') })).toMatchObject({ retry: 'never' })
    expect(endingOf(closed(1000), {})).toMatchObject({ retry: 'never' })
  })

  test('what somebody decided stays decided, although its code advises to come back', () => {
    const timeout = { code: 'timeout', message: 'x', retry: 'backoff' } as const
    expect(endingOf(closed(4408), { end: end('idle', timeout) })).toMatchObject({ reason: 'idle', retry: 'never' })
    for (const reason of ['duration_cap', 'out_of_credit', 'operator', 'revoked'] as const)
      expect(endingOf(closed(4409), { end: end(reason, timeout) }).retry).toBe('never')
  })

  test('a restart and a lost engine are come back from', () => {
    const draining = { code: 'draining', message: 'x', retry: 'now' } as const
    expect(endingOf(closed(1012), { end: end('drain', draining) })).toMatchObject({ retry: 'now', code: 'draining' })
    expect(endingOf(closed(1011), { end: end('engine_failed') })).toMatchObject({ retry: 'backoff' })
  })

  test('a refusal before the session is told by the error event', () => {
    const refused = { code: 'no_slot', message: 'busy', retry: 'backoff', retryAfterMs: 3_000 } as const
    expect(endingOf(closed(4429), { refused })).toEqual({
      reason: 'refused',
      code: 'no_slot',
      message: 'busy',
      retry: 'backoff',
      retryAfterMs: 3_000,
    })
  })

  test('without any word the close reason names the problem, else the number does', () => {
    expect(endingOf(closed(4403, '{"code":"origin_refused"}'), {})).toMatchObject({ code: 'origin_refused' })
    expect(endingOf(closed(4402), {})).toMatchObject({ code: 'out_of_credit', retry: 'never' })
    expect(endingOf(closed(4401), {})).toMatchObject({ code: 'unauthenticated', retry: 'new_token' })
  })

  test('every close code of the table is understood', () => {
    for (const { ws } of Object.values(problems)) {
      const advice = Object.values(problems).flatMap((each) => (each.ws === ws ? [each.retry] : []))
      const ending = endingOf(closed(ws), {})
      expect(ending.code).toBeDefined()
      expect(advice).toContain(ending.retry)
    }
  })
})

describe('pauseMs', () => {
  const lost = { reason: 'lost', retry: 'now' } as const

  test('the first try is spread over a second, later ones come at 1, 2, 4, 7 and 7 s give or take half', () => {
    expect([0, 0.5, 1].map((random) => pauseMs(lost, 0, random))).toEqual([0, 500, 1_000])
    expect([1, 2, 3, 4, 5].map((tries) => pauseMs(lost, tries, 0.5))).toEqual([1_000, 2_000, 4_000, 7_000, 7_000])
    expect(pauseMs(lost, 3, 0)).toBe(2_000)
    expect(pauseMs(lost, 3, 1)).toBe(6_000)
  })

  test('it gives up', () => {
    expect(pauseMs(lost, maxTries, 0.5)).toBeUndefined()
    expect(pauseMs({ reason: 'refused', retry: 'never' }, 0, 0.5)).toBeUndefined()
  })

  test('it does not while the session waits, except for a refusal that will not pass', () => {
    expect(pauseMs(lost, 40, 0.5, true)).toBe(7_000)
    expect(pauseMs({ reason: 'refused', retry: 'never' }, 0, 0.5, true)).toBeUndefined()
  })

  test('a gateway that names a time is not asked earlier', () => {
    expect(pauseMs({ reason: 'refused', retry: 'backoff', retryAfterMs: 9_000 }, 1, 0.5)).toBe(9_000)
  })
})

describe('the session', () => {
  const fate = (code: number, said: Parameters<typeof endingOf>[1] = {}) => fateOf(endingOf(closed(code), said))

  test.each([1001, 1006, 1011, 1012, 1013, 4401, 4408, 4413, 4429, 4503])('waits after close code %i', (code) => {
    expect(fate(code)).toBe('here')
  })

  test('waits when its gateway stops', () => {
    const problem = { code: 'draining', message: 'x', retry: 'now' } as const
    expect(fate(1012, { end: end('drain', problem) })).toBe('here')
  })

  test('is gone when the gateway does not know it', () => {
    expect(fate(4410)).toBe('gone')
    expect(fate(4404, { refused: { code: 'not_found', message: 'x', retry: 'never' } })).toBe('gone')
  })

  test.each([1000, 1009, 4402, 4403, 4409, 4411, 4412])('is over after close code %i', (code) => {
    expect(fate(code)).toBe('over')
  })

  test.each<EndReason>(['engine_failed', 'idle', 'operator', 'internal', 'janitor'])(
    'is over when it ended by %s',
    (reason) => {
      expect(fate(1006, { end: end(reason) })).toBe('over')
    },
  )
})
