import { Long } from 'bson'
import { describe, expect, it } from 'vitest'
import { sortCmp } from './sort.ts'
import type { Doc } from './value.ts'

const ids = (spec: Doc, docs: Doc[]): unknown[] => docs.toSorted(sortCmp(spec)).map(({ _id }) => _id)

describe('a sort', () => {
  it('goes by several fields, each in its direction', () => {
    const docs = [
      { _id: 1, a: 1, b: 1 },
      { _id: 2, a: Long.ONE, b: 2 },
      { _id: 3, a: 0, b: 9 },
    ]
    expect(ids({ a: -1, b: 1 }, docs)).toEqual([1, 2, 3])
    expect(ids({ a: 1, b: -1 }, docs)).toEqual([3, 2, 1])
  })

  it('takes the least element of an array ascending and the greatest descending', () => {
    const docs = [
      { _id: 1, a: [1, 9] },
      { _id: 2, a: 5 },
      { _id: 3, a: [2, 3] },
    ]
    expect(ids({ a: 1 }, docs)).toEqual([1, 3, 2])
    expect(ids({ a: -1 }, docs)).toEqual([1, 2, 3])
  })

  it('looks into documents in arrays and treats missing as null', () => {
    const docs = [{ _id: 1, a: [{ n: 3 }, { n: 1 }] }, { _id: 2, a: { n: 2 } }, { _id: 3 }, { _id: 4, a: [] }]
    expect(ids({ 'a.n': 1 }, docs)).toEqual([3, 4, 1, 2])
    expect(ids({ 'a.0.n': -1 }, docs)).toEqual([1, 2, 3, 4])
  })

  it('puts an empty array below null', () => {
    const docs = [
      { _id: 1, a: null },
      { _id: 2, a: [] },
      { _id: 3, a: 0 },
    ]
    expect(ids({ a: 1, _id: 1 }, docs)).toEqual([2, 1, 3])
  })

  it.each([0, 2, 'x', { $meta: 'textScore' }])('refuses %j as a direction', (direction) => {
    expect(() => sortCmp({ a: direction })).toThrow(expect.objectContaining({ code: 15975 }))
  })
})
