import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type LineGiven, totalsOf } from './totals.ts'

const line = (own: Partial<LineGiven>): LineGiven => ({
  ...{ description: 'Chair', quantity: 1, unitPriceMinor: 0, taxBasisPoints: 0 },
  ...own,
})

test('[S000-24] each line is rounded once, half a unit upwards', () => {
  const given = [
    line({ quantity: 3, unitPriceMinor: 333, taxBasisPoints: 1_900 }),
    line({ quantity: 0.5, unitPriceMinor: 1, taxBasisPoints: 5_000 }),
    line({ quantity: 2.675, unitPriceMinor: 100 }),
  ]
  expect(totalsOf(given)).toMatchObject({
    lines: [
      { netMinor: 999, taxMinor: 190 },
      { netMinor: 1, taxMinor: 1 },
      { netMinor: 268, taxMinor: 0 },
    ],
    ...{ netMinor: 1_268, taxMinor: 191, totalMinor: 1_459 },
  })
})

test('[S000-24] totals are exact: they are the sum of the lines, and no line is off by more than half a unit', () => {
  const any = fc.record({
    quantity: fc.integer({ min: 1, max: 1_000_000 }).map((each) => each / 1_000),
    unitPriceMinor: fc.integer({ min: 0, max: 10_000_000 }),
    taxBasisPoints: fc.integer({ min: 0, max: 10_000 }),
  })
  fc.assert(
    fc.property(fc.array(any, { minLength: 1, maxLength: 30 }), (given) => {
      const totals = totalsOf(given.map(line))
      if (totals === undefined) return
      const sum = (of: (each: { netMinor: number; taxMinor: number }) => number) =>
        totals.lines.reduce((all, each) => all + of(each), 0)
      expect(totals.netMinor).toBe(sum((each) => each.netMinor))
      expect(totals.taxMinor).toBe(sum((each) => each.taxMinor))
      expect(totals.totalMinor).toBe(totals.netMinor + totals.taxMinor)
      for (const each of totals.lines) {
        // In thousandths of a unit, and ten-thousandths: whole numbers again.
        const exactNet = Math.round(each.quantity * 1_000) * each.unitPriceMinor
        const netOff = each.netMinor * 1_000 - exactNet
        expect(netOff > -500 && netOff <= 500).toBe(true)
        const taxOff = BigInt(each.taxMinor) * 10_000n - BigInt(each.netMinor) * BigInt(each.taxBasisPoints)
        expect(taxOff > -5_000n && taxOff <= 5_000n).toBe(true)
      }
    }),
    { numRuns: 500 },
  )
})

test('what is beyond what numbers can tell exactly is refused', () => {
  expect(totalsOf([line({ quantity: 1_000_000, unitPriceMinor: 100_000_000_000 })])).toBeUndefined()
})
