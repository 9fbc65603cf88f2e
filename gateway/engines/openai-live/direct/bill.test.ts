import fc from 'fast-check'
import { expect, it } from 'vitest'
import { LiveMeters } from '../meters.ts'

it('books what the provider charges, whatever it tells in whatever order', () => {
  const report = fc.double({ min: 0, max: 4_000, noNaN: true })
  const session = fc.record({
    /** Grow in truth; come doubled and in any order. */
    reports: fc.array(report, { maxLength: 12 }),
    final: fc.option(report, { nil: undefined }),
    ownSeconds: report,
    late: fc.array(report, { maxLength: 3 }),
  })
  fc.assert(
    fc.property(fc.array(session, { minLength: 1, maxLength: 4 }), (sessions) => {
      const meters = new LiveMeters()
      let expected = 0
      let unconfirmed = 0
      for (const [i, { reports, final, ownSeconds, late }] of sessions.entries()) {
        const id = `live_${i}`
        meters.seconds(id, 15, false)
        for (const each of [...reports, ...reports.toReversed()]) meters.seconds(id, each, false)
        const told = Math.max(15, ...reports)
        if (final === undefined) {
          meters.unconfirmed(id, ownSeconds)
          unconfirmed++
          expected += Math.max(told, ownSeconds)
        } else {
          meters.seconds(id, final, true)
          expected += Math.max(told, final)
        }
        for (const each of late) meters.seconds(id, each + 10_000, false)
        for (const each of late) meters.seconds(id, each + 10_000, true)
      }
      expect(meters.totals['live.seconds']).toBeCloseTo(expected, 6)
      expect(meters.totals['unknown.usages'] ?? 0).toBe(unconfirmed)
    }),
  )
})
