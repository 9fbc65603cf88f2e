import fc from 'fast-check'
import { expect, it } from 'vitest'
import { backendUsage, LiveMeters } from './meters.ts'

type Report = { readonly session: string; readonly seconds: number; readonly final: boolean }

const total = (meters: object) => Object.values(meters).reduce((sum: number, value: number) => sum + value, 0)

/** What the provider sends: growing snapshots of some sessions, each ended with its greatest figure. */
const truth = fc.uniqueArray(
  fc.record({
    session: fc.stringMatching(/^live_[a-z]{2}$/),
    steps: fc.array(fc.integer({ min: 0, max: 90_000 }), { maxLength: 6 }),
    final: fc.integer({ min: 0, max: 5_000 }),
  }),
  { selector: ({ session }) => session, minLength: 1, maxLength: 4 },
)

it('books what the provider charges, however its reports repeat, overtake each other and come after the end', () => {
  fc.assert(
    fc.property(truth, fc.infiniteStream(fc.nat()), (sessions, dice) => {
      const reports = sessions.flatMap(({ session, steps, final }): Report[] => {
        let ms = 0
        const snapshots = steps.map((step) => {
          ms += step
          return { session, seconds: ms / 1000, final: false }
        })
        return [...snapshots, { session, seconds: (ms + final) / 1000, final: true }]
      })
      const shuffled = [...reports, ...reports]
        .map((report) => ({ report, at: dice.next().value ?? 0 }))
        .sort((a, b) => a.at - b.at)
      const meters = new LiveMeters()
      let last = 0
      for (const { report } of shuffled) {
        const seconds = meters.seconds(report.session, report.seconds, report.final)?.['live.seconds']
        if (seconds !== undefined) expect(seconds).toBeGreaterThanOrEqual(last)
        last = seconds ?? last
      }
      const charged = reports.filter(({ final }) => final).reduce((sum, { seconds }) => sum + seconds, 0)
      expect(meters.totals['live.seconds'] ?? 0).toBeCloseTo(charged, 6)
    }),
  )
})

it('takes nothing back, and believes nobody after the end', () => {
  const meters = new LiveMeters()
  meters.seconds('live_a', 61.2, false)
  expect(meters.seconds('live_a', 60, true)).toBeUndefined()
  expect(meters.seconds('live_a', 600, false)).toBeUndefined()
  expect(meters.totals).toEqual({ 'live.seconds': 61.2 })
})

const usages = fc.array(
  fc.record({
    id: fc.integer({ min: 1, max: 8 }).map((n) => `resp_${n}`),
    input: fc.nat(20_000),
    cached: fc.nat(20_000),
    output: fc.nat(4_000),
  }),
  { maxLength: 20 },
)

it('splits the tokens of the backend into meters that sum to the provider’s total, once for each response', () => {
  fc.assert(
    fc.property(usages, (responses) => {
      const meters = new LiveMeters()
      const counted = new Map<string, number>()
      for (const { id, input, cached, output } of responses) {
        const usage = {
          input_tokens: input,
          input_tokens_details: { cached_tokens: Math.min(cached, input) },
          output_tokens: output,
          output_tokens_details: { reasoning_tokens: Math.min(7, output) },
          total_tokens: input + output,
        }
        meters.backend(id, 'gpt-6-luna', backendUsage.parse(usage))
        if (!counted.has(id)) counted.set(id, input + output)
      }
      expect(total(meters.totals)).toBe(total(Object.fromEntries(counted)))
    }),
  )
})

it('keeps the models apart, the desk beside the backend, and its names within what the ledger takes', () => {
  const meters = new LiveMeters()
  meters.backend('a', 'gpt-6-luna', backendUsage.parse({ input_tokens: 10, output_tokens: 2 }))
  meters.desk('gpt-realtime-2.1', { 'input.text.tokens': 5, 'input.cached.text.tokens': 1 })
  expect(meters.desk('gpt-realtime-2.1', { 'input.text.tokens': 7, 'input.cached.text.tokens': 1 })).toEqual({
    'work.gpt-6-luna.input.text.tokens': 10,
    'work.gpt-6-luna.output.text.tokens': 2,
    'work.gpt-realtime-2_1.input.text.tokens': 7,
    'work.gpt-realtime-2_1.input.cached.text.tokens': 1,
  })
  const long = meters.desk('Org/Ä'.repeat(40), { 'input.cached.audio.tokens': 1 })
  for (const name of Object.keys(long)) expect(name).toMatch(/^[a-z][a-z0-9_.-]{0,63}$/)
})

it('never counts more cached tokens than came in', () => {
  const meters = new LiveMeters()
  const usage = { input_tokens: 10, input_tokens_details: { cached_tokens: 50 }, output_tokens: 0 }
  expect(meters.backend('a', 'm', backendUsage.parse(usage))).toEqual({ 'work.m.input.cached.text.tokens': 10 })
})
