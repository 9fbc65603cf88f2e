import fc from 'fast-check'
import { expect, it } from 'vitest'
import { CascadeMeters } from '../cascade/meters.ts'
import { Tally, type Tokens } from './tally.ts'

const count = fc.nat({ max: 100_000 })
/** One completion as a provider tells it: figures that grow, some told twice, some late, some never to the end. */
const completion = fc
  .record({
    input: count,
    cachedShare: fc.nat({ max: 100 }),
    output: count,
    steps: fc.nat({ max: 4 }),
    ends: fc.boolean(),
    told: fc.boolean(),
    shuffle: fc.infiniteStream(fc.nat()),
  })
  .map(({ input, cachedShare, output, steps, ends, told, shuffle }) => {
    const whole: Tokens = { input, cached: Math.floor((input * cachedShare) / 100), output }
    const parts = Array.from(
      { length: steps },
      (_, i): Tokens => ({ ...whole, output: Math.floor((output * i) / (steps + 1)) }),
    )
    const all = told ? [...parts, whole, ...(steps % 2 === 0 ? [whole] : [])] : []
    return {
      whole,
      told: all
        .map((each) => ({ each, at: shuffle.next().value ?? 0 }))
        .sort((a, b) => a.at - b.at)
        .map(({ each }) => each),
      ends,
    }
  })

it('books exactly what was told, whatever the order, and flags what was not', () => {
  fc.assert(
    fc.property(fc.array(completion, { maxLength: 8 }), (completions) => {
      const meters = new CascadeMeters()
      for (const { told, ends } of completions) {
        const tally = new Tally()
        tally.accepted()
        for (const each of told) tally.told(each)
        if (ends) tally.ended()
        meters.completion(tally)
      }
      const sum = (of: (tokens: Tokens) => number) =>
        completions.reduce((total, { whole, told }) => total + (told.length > 0 ? of(whole) : 0), 0)
      const totals = meters.totals
      expect((totals['input.text.tokens'] ?? 0) + (totals['input.cached.text.tokens'] ?? 0)).toBe(
        sum(({ input }) => input),
      )
      expect(totals['input.cached.text.tokens'] ?? 0).toBe(sum(({ cached }) => cached))
      expect(totals['output.text.tokens'] ?? 0).toBe(sum(({ output }) => output))
      const untold = completions.filter(({ told, ends }) => !ends || told.length === 0).length
      expect(totals['unknown.usages'] ?? 0).toBe(untold)
    }),
  )
})

it('a request that was refused is charged by nobody', () => {
  const meters = new CascadeMeters()
  meters.completion(new Tally())
  expect(meters.totals).toEqual({})
})

it('never counts cached tokens beyond the input, nor below zero', () => {
  const meters = new CascadeMeters()
  const tally = new Tally()
  tally.accepted()
  tally.told({ input: 10, cached: 25, output: 1 })
  tally.ended()
  meters.completion(tally)
  expect(meters.totals).toEqual({ 'input.cached.text.tokens': 10, 'output.text.tokens': 1 })
})

it('counts recognition as the provider does, and by the length of the audio where it does not', () => {
  const meters = new CascadeMeters()
  meters.transcription({ text: 'a', usage: { is: 'tokens', input: 14, output: 3 } }, 2)
  meters.transcription({ text: 'b', usage: { is: 'seconds', seconds: 3 } }, 2)
  meters.transcription({ text: 'c' }, 2.5)
  expect(meters.totals).toEqual({
    'transcription.input.tokens': 14,
    'transcription.output.tokens': 3,
    'transcription.seconds': 5.5,
  })
})
