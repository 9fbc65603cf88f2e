import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ReceiptLine } from '../protocol/rest.ts'
import { checkLines, cutLines, mergeLines, sumLines } from './lines.ts'

const meters = ['session.seconds', 'input.text.tokens', 'output.audio.tokens', 'tool.calls', 'a']
const line = (meter: string) =>
  fc
    .record({ quantity: fc.nat(1_000_000), amountMicro: fc.nat(2 ** 40) })
    .map((figures): ReceiptLine => ({ meter, unit: 'token', priceMicroPerMillion: 7, ...figures }))
const bill = fc.uniqueArray(fc.constantFrom(...meters)).chain((names) => fc.tuple(...names.map(line)))

test('[L8] cut lines sum to exactly min(used, limit), none grows and quantities stay', () => {
  fc.assert(
    fc.property(bill, fc.nat(2 ** 42), (lines, limit) => {
      const cut = cutLines(checkLines(lines), limit)
      expect(sumLines(cut)).toBe(Math.min(sumLines(lines), limit))
      for (const each of cut) {
        const before = lines.find((one) => one.meter === each.meter)
        expect(each.amountMicro).toBeLessThanOrEqual(before?.amountMicro ?? -1)
        expect(each.amountMicro).toBeGreaterThanOrEqual(0)
        expect(each.quantity).toBe(before?.quantity)
      }
    }),
    { numRuns: 1_000 },
  )
})

test('[L8] the same bill is cut the same way in whatever order its lines come', () => {
  fc.assert(
    fc.property(bill, fc.nat(2 ** 41), (lines, limit) => {
      expect(cutLines(checkLines([...lines].reverse()), limit)).toEqual(cutLines(checkLines(lines), limit))
    }),
  )
})

test('[L8] time is paid first', () => {
  const lines = ['a', 'session.seconds'].map((meter) => ({
    meter,
    unit: 'second' as const,
    quantity: 1,
    priceMicroPerMillion: 1,
    amountMicro: 10,
  }))
  expect(cutLines(checkLines(lines), 12).map(({ meter, amountMicro }) => [meter, amountMicro])).toEqual([
    ['session.seconds', 10],
    ['a', 2],
  ])
})

test('[L7] merging is commutative, idempotent and never loses usage', () => {
  fc.assert(
    fc.property(bill, bill, (a, b) => {
      const merged = mergeLines(a, b)
      expect(mergeLines(b, a)).toEqual(merged)
      expect(mergeLines(merged, a)).toEqual(merged)
      expect(sumLines(merged)).toBeGreaterThanOrEqual(Math.max(sumLines(a), sumLines(b)))
    }),
    { numRuns: 1_000 },
  )
})

test('[L13] fractions, negatives, amounts beyond 2^53 and a meter twice are refused', () => {
  const good: ReceiptLine = { meter: 'a', unit: 'token', quantity: 1, priceMicroPerMillion: 1, amountMicro: 1 }
  expect(checkLines([good])).toEqual([good])
  for (const bad of [0.5, -1, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => checkLines([{ ...good, amountMicro: bad }])).toThrow(/whole number/)
    expect(() => checkLines([{ ...good, quantity: bad }])).toThrow(/whole number/)
  }
  expect(() => checkLines([good, good])).toThrow(/meter/)
  expect(() => checkLines([{ ...good, meter: '$where' }])).toThrow(/meter/)
  const huge = { ...good, amountMicro: Number.MAX_SAFE_INTEGER }
  expect(() => checkLines([huge, { ...huge, meter: 'b' }])).toThrow(/sum/)
})
