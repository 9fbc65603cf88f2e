import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type UsageMetadata, usageMetadata } from './events.ts'
import { UsageMeters } from './meters.ts'

const report = (value: unknown): UsageMetadata => usageMetadata.parse(value)
const sumOf = (meters: object | undefined): number =>
  Object.values(meters ?? {}).reduce((sum: number, amount) => sum + Number(amount), 0)

/** As a user saw it on the wire of gemini-3.8-live: the details leave 25 tokens open, thoughts are not in the total. */
const seen = {
  promptTokenCount: 522,
  responseTokenCount: 42,
  totalTokenCount: 564,
  promptTokensDetails: [
    { modality: 'TEXT', tokenCount: 332 },
    { modality: 'AUDIO', tokenCount: 165 },
  ],
  responseTokensDetails: [{ modality: 'AUDIO', tokenCount: 42 }],
  thoughtsTokenCount: 136,
}

it('puts every token of a turn on exactly one meter, what the details leave open and thoughts included', () => {
  const meters = new UsageMeters().report(report(seen))
  expect(meters).toEqual({
    'input.text.tokens': 332 + 25,
    'input.audio.tokens': 165,
    'output.text.tokens': 136,
    'output.audio.tokens': 42,
  })
})

it('takes cached tokens out of the prompt, never more of a kind than there is', () => {
  const cached = { promptTokenCount: 40, promptTokensDetails: [{ modality: 'AUDIO', tokenCount: 30 }] }
  const told = { ...cached, cachedContentTokenCount: 25, cacheTokensDetails: [{ modality: 'AUDIO', tokenCount: 8 }] }
  expect(new UsageMeters().report(report(told))).toEqual({
    'input.cached.text.tokens': 10,
    'input.cached.audio.tokens': 15,
    'input.audio.tokens': 15,
  })
})

it('adds turn to turn: each prompt is the whole context again', () => {
  const meters = new UsageMeters()
  meters.report(report(seen))
  meters.begins()
  expect(sumOf(meters.report(report(seen)))).toBe(2 * (522 + 42 + 136))
})

it('counts a report that comes again, late or grown, once', () => {
  const meters = new UsageMeters()
  meters.report(report({ ...seen, responseTokenCount: 10, responseTokensDetails: undefined }))
  expect(sumOf(meters.report(report(seen)))).toBe(700)
  expect(meters.report(report(seen))).toBeUndefined()
  expect(meters.report(report({ promptTokenCount: 3 }))).toBeUndefined()
})

it('knows nothing of a turn that was not reported: no meter, not a zero', () => {
  const meters = new UsageMeters()
  expect(meters.known).toBe(false)
  expect(meters.report(report({}))).toBeUndefined()
  expect(meters.report(report({ promptTokenCount: 0 }))).toBeUndefined()
  expect(meters.report(report(seen))).toBeDefined()
  meters.begins()
  expect(meters.known).toBe(false)
})

const count = fc.integer({ min: 0, max: 100_000 })
const turn = fc.record({
  text: count,
  audio: count,
  open: count,
  cached: count,
  out: count,
  thoughts: count,
  tools: count,
})
type Turn = Record<'text' | 'audio' | 'open' | 'cached' | 'out' | 'thoughts' | 'tools', number>

/** What the provider would bill of the turn, as one number. */
function billed({ text, audio, open, out, thoughts, tools }: Turn): number {
  return text + audio + open + out + thoughts + tools
}

/** A report in the middle of the turn: a share of everything. */
function partly({ text, audio, open, cached, out, thoughts, tools }: Turn, share: number): UsageMetadata {
  const of = (amount: number) => Math.floor(amount * share)
  const prompt = of(text) + of(audio) + of(open)
  return report({
    promptTokenCount: prompt,
    promptTokensDetails: [
      { modality: 'TEXT', tokenCount: of(text) },
      { modality: 'AUDIO', tokenCount: of(audio) },
    ],
    cachedContentTokenCount: Math.min(prompt, of(cached)),
    responseTokenCount: of(out),
    responseTokensDetails: [{ modality: 'AUDIO', tokenCount: of(out) }],
    thoughtsTokenCount: of(thoughts),
    toolUsePromptTokenCount: of(tools),
  })
}

it('books what the provider bills, whatever comes twice, late or out of order within a turn', () => {
  const stream = fc.array(fc.tuple(turn, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 })), {
    maxLength: 12,
  })
  fc.assert(
    fc.property(stream, fc.infiniteStream(fc.nat()), (turns, chance) => {
      const meters = new UsageMeters()
      let booked = 0
      for (const [each, shares] of turns) {
        meters.begins()
        // The final report stands anywhere among the others, and comes once more at the end.
        const reports = [...shares, ...shares.slice(0, 2)].map((share) => partly(each, share))
        const at = (chance.next().value ?? 0) % (reports.length + 1)
        for (const one of [...reports.slice(0, at), partly(each, 1), ...reports.slice(at), partly(each, 1)]) {
          const totals = meters.report(one)
          if (totals === undefined) continue
          const sum = sumOf(totals)
          expect(sum).toBeGreaterThanOrEqual(booked)
          for (const amount of Object.values(totals)) expect(amount).toBeGreaterThan(0)
          booked = sum
        }
      }
      expect(booked).toBe(turns.reduce((sum, [each]) => sum + billed(each), 0))
    }),
  )
})

it('flags each turn that worked and was never reported, once, and none that was or had nothing to do', () => {
  const turns = fc.array(fc.record({ works: fc.boolean(), told: fc.boolean() }), { maxLength: 12 })
  fc.assert(
    fc.property(turns, (all) => {
      const meters = new UsageMeters()
      let unknown = 0
      for (const { works, told } of all) {
        meters.begins()
        if (works) meters.worked()
        const totals = told ? meters.report(report(seen)) : undefined
        if (totals !== undefined) expect(totals['unknown.usages'] ?? 0).toBe(unknown)
        if (works && !told) unknown++
      }
      const last = all.at(-1)
      const isOpen = last?.works === true && !last.told
      expect(meters.close()?.['unknown.usages']).toBe(isOpen ? unknown : undefined)
      expect(meters.close()).toBeUndefined()
    }),
  )
})
