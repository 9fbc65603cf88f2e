import fc from 'fast-check'
import { expect, test } from 'vitest'
import { billOf, laterUsage, type PriceSnapshot, type UsageSoFar } from './bill.ts'

const price: PriceSnapshot = {
  id: 'p',
  engine: 'e',
  secondMicro: 5_000,
  meterMicroPerMillion: { 'input.text.tokens': 60_000_000, 'output.audio.tokens': 960_000_000, 'tool.calls': 500_000 },
  costUsdMicroPerMillion: { 'input.text.tokens': 4_000_000, 'output.audio.tokens': 64_000_000 },
  holdSecondMicro: 100_000,
}
const usage: fc.Arbitrary<UsageSoFar> = fc.record({
  seconds: fc.double({ min: 0, max: 100_000, noNaN: true }),
  meters: fc.record(
    { 'input.text.tokens': fc.nat(10_000_000), 'output.audio.tokens': fc.nat(10_000_000) },
    { requiredKeys: [] },
  ),
  toolCalls: fc.nat(1_000),
})

test('[U1] time, meters and tool calls each make a line; lines sum to the total; tokens are counted', () => {
  const bill = billOf(price, {
    seconds: 61.9,
    meters: { 'input.text.tokens': 1_001, 'output.audio.tokens': 20 },
    toolCalls: 3,
  })
  expect(bill).toEqual({
    lines: [
      {
        meter: 'session.seconds',
        quantity: 61,
        unit: 'second',
        priceMicroPerMillion: 5_000_000_000,
        amountMicro: 305_000,
      },
      {
        meter: 'input.text.tokens',
        quantity: 1_001,
        unit: 'token',
        priceMicroPerMillion: 60_000_000,
        amountMicro: 60_060,
      },
      {
        meter: 'output.audio.tokens',
        quantity: 20,
        unit: 'token',
        priceMicroPerMillion: 960_000_000,
        amountMicro: 19_200,
      },
      { meter: 'tool.calls', quantity: 3, unit: 'call', priceMicroPerMillion: 500_000, amountMicro: 1 },
    ],
    totalMicro: 384_261,
    tokens: 1_021,
    costUsdMicro: 5_284,
  })
})

test('[U1] whatever the usage, lines are whole numbers rounded down that sum to the total', () => {
  fc.assert(
    fc.property(usage, (used) => {
      const bill = billOf(price, used)
      for (const line of bill.lines) {
        expect(Number.isSafeInteger(line.amountMicro)).toBe(true)
        const exact = (line.quantity * line.priceMicroPerMillion) / 1_000_000
        expect(line.amountMicro).toBeLessThanOrEqual(exact)
        expect(line.amountMicro).toBeGreaterThan(exact - 1)
      }
      expect(bill.lines.reduce((sum, line) => sum + line.amountMicro, 0)).toBe(bill.totalMicro)
    }),
    { numRuns: 1_000 },
  )
})

test('[U1] more usage never makes a smaller bill, line or cost', () => {
  fc.assert(
    fc.property(usage, usage, (a, b) => {
      const both: UsageSoFar = {
        seconds: a.seconds + b.seconds,
        toolCalls: a.toolCalls + b.toolCalls,
        meters: Object.fromEntries(
          (['input.text.tokens', 'output.audio.tokens'] as const).map((meter) => [
            meter,
            (a.meters[meter] ?? 0) + (b.meters[meter] ?? 0),
          ]),
        ),
      }
      const [less, more] = [billOf(price, a), billOf(price, both)]
      expect(more.totalMicro).toBeGreaterThanOrEqual(less.totalMicro)
      expect(more.costUsdMicro).toBeGreaterThanOrEqual(less.costUsdMicro ?? 0)
      for (const line of less.lines) {
        const later = more.lines.find((each) => each.meter === line.meter)
        expect(later?.amountMicro).toBeGreaterThanOrEqual(line.amountMicro)
      }
    }),
    { numRuns: 1_000 },
  )
})

test('[U1] nonsense from a provider is no usage or a capped one, and the bill stays exact', () => {
  const nonsense = {
    seconds: Number.NaN,
    toolCalls: -1,
    meters: { 'input.text.tokens': -5, 'output.audio.tokens': Infinity },
  }
  const bill = billOf(price, nonsense)
  expect(bill.lines.map((line) => [line.meter, line.quantity])).toEqual([
    ['session.seconds', 0],
    ['output.audio.tokens', 1e12],
  ])
  expect(Number.isSafeInteger(bill.totalMicro)).toBe(true)
})

test('[U3] one used meter without a known cost makes the whole cost unknown; an unused one does not', () => {
  const used = (n: number): UsageSoFar => ({ seconds: 1, toolCalls: 0, meters: { 'speech.characters': n } })
  expect(billOf(price, used(1)).costUsdMicro).toBeNull()
  expect(billOf(price, used(0)).costUsdMicro).toBe(0)
  expect(billOf({ ...price, costUsdMicroPerMillion: null }, used(0)).costUsdMicro).toBeNull()
})

test('[U3] names every object has are no prices', () => {
  const meters = { constructor: 5, toString: 5 } as UsageSoFar['meters']
  expect(billOf(price, { seconds: 1, toolCalls: 0, meters })).toMatchObject({ totalMicro: 5_000, costUsdMicro: null })
})

test('[U1] a tool has a line of its own under a name the ledger takes; the same name told twice is one line', () => {
  const rates = { 'tool.book.calls': 2e12, 'tool.*.calls': 1e12 }
  const tools = { book: 2, Book: 1, ['x'.repeat(64)]: 1, 'über/alles': 1, idle: 0 }
  const used = { seconds: 1, meters: {}, toolCalls: 7, tools, messages: 4 }
  const bill = billOf({ ...price, meterMicroPerMillion: rates }, used)
  expect(bill.lines.slice(1).map(({ meter, quantity, amountMicro }) => [meter, quantity, amountMicro])).toEqual([
    ['tool._ber_alles.calls', 1, 1_000_000],
    ['tool.book.calls', 3, 6_000_000],
    [`tool.${'x'.repeat(50)}.calls`, 1, 1_000_000],
  ])
  for (const { meter, unit } of bill.lines.slice(1)) {
    expect(meter).toMatch(/^[a-z][a-z0-9_.-]{0,63}$/)
    expect(unit).toBe('call')
  }
  // Two were not named, and neither they nor messages have a price here; none of it costs dollars.
  expect(bill.totalMicro).toBe(5_000 + 8_000_000)
  expect(bill.costUsdMicro).toBe(0)
})

test('[U1] of two reports about one session the greater figure counts, each by itself', () => {
  const checkpoint = { seconds: 9, toolCalls: 1, meters: { 'input.text.tokens': 5 }, tools: { find: 1 }, messages: 2 }
  const beat = { seconds: 12, toolCalls: 2, meters: { 'output.audio.tokens': 7 }, tools: { find: 1, book: 1 } }
  const later = {
    ...{ seconds: 12, toolCalls: 2, messages: 2, tools: { find: 1, book: 1 } },
    meters: { 'input.text.tokens': 5, 'output.audio.tokens': 7 },
  }
  expect(laterUsage(checkpoint, beat)).toEqual(later)
  expect(laterUsage(beat, checkpoint)).toEqual(later)
})
