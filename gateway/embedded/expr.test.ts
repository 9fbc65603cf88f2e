import { Double, Long } from 'bson'
import { describe, expect, it } from 'vitest'
import { Aggregator, demote, mingoOpts, wrap } from './expr.ts'
import type { Doc } from './value.ts'

const long = (text: string): Long => Long.fromString(text)
function aggregate(pipeline: Doc[], docs: Doc[]): unknown[] {
  try {
    return new Aggregator(pipeline, mingoOpts()).run(docs.map((doc) => demote(doc)))
  } catch (error) {
    throw wrap(error)
  }
}

describe('a reading pipeline', () => {
  const docs = [
    { _id: 1, org: 'a', micro: long('5000000000'), n: 2_000_000_000 },
    { _id: 2, org: 'a', micro: long('7'), n: 2_000_000_000 },
    { _id: 3, org: 'b', micro: long('9007199254740993'), n: 1 },
  ]

  it('sums money exactly, int64 beyond 2^53 included', () => {
    const total = { $group: { _id: '$org', micro: { $sum: '$micro' }, n: { $sum: '$n' }, count: { $sum: 1 } } }
    expect(aggregate([total], docs)).toEqual([
      { _id: 'a', micro: 5_000_000_007, n: long('4000000000'), count: 2 },
      { _id: 'b', micro: long('9007199254740993'), n: 1, count: 1 },
    ])
    expect(aggregate([{ $group: { _id: null, n: { $sum: '$micro' } } }], docs.slice(1))).toEqual([
      { _id: null, n: long('9007199254741000') },
    ])
  })

  it('finds extremes and averages by value', () => {
    const group = { _id: null, max: { $max: '$micro' }, min: { $min: '$micro' }, avg: { $avg: '$n' } }
    expect(aggregate([{ $group: group }], docs)).toEqual([
      { _id: null, max: long('9007199254740993'), min: 7, avg: 4_000_000_001 / 3 },
    ])
  })

  it('groups equal numbers of different types together', () => {
    const mixed = [{ k: 5 }, { k: long('5') }, { k: new Double(5) }]
    expect(aggregate([{ $group: { _id: '$k', n: { $sum: 1 } } }], mixed)).toEqual([{ _id: 5, n: 3 }])
  })

  it.each<[string, Doc, number]>([
    ['an unknown stage', { $geoNear: {} }, 40324],
    ['a stage that writes', { $out: 'x' }, 40324],
    ['an expression outside the subset', { $project: { a: { $sin: 1 } } }, 168],
    ['an accumulator outside the subset', { $group: { _id: null, a: { $stdDevPop: '$n' } } }, 168],
    ['an undefined variable', { $project: { a: '$$nobody' } }, 17276],
  ])('fails for %s', (_, stage, code) => {
    expect(() => aggregate([stage], docs)).toThrow(expect.objectContaining({ code }))
  })
})
