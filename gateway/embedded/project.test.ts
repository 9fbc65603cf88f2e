import { Long } from 'bson'
import { describe, expect, it } from 'vitest'
import { projector } from './project.ts'
import type { Doc } from './value.ts'

const project = (spec: Doc, doc: Doc): unknown => (projector(spec, {}) ?? ((same: Doc) => same))(doc)
const doc = {
  _id: 1,
  a: 1,
  n: { x: 1, y: 2 },
  list: [
    { k: 1, v: 1 },
    { k: 2, v: 2 },
  ],
  mixed: [1, { k: 1, z: 1 }],
  nums: [1, 2, 3, 4],
}

describe('a projection', () => {
  it.each<[string, Doc, Doc]>([
    ['includes', { a: 1, 'n.x': true }, { _id: 1, a: 1, n: { x: 1 } }],
    ['takes any number for yes', { a: Long.ONE }, { _id: 1, a: 1 }],
    ['includes without _id', { a: 1, _id: 0 }, { a: 1 }],
    ['includes _id alone', { _id: 1 }, { _id: 1 }],
    ['includes inside arrays', { 'list.k': 1 }, { _id: 1, list: [{ k: 1 }, { k: 2 }] }],
    ['drops scalars from arrays it goes into', { 'mixed.k': 1 }, { _id: 1, mixed: [{ k: 1 }] }],
    ['takes nested specifications', { n: { y: 1 } }, { _id: 1, n: { y: 2 } }],
    ['slices and includes', { nums: { $slice: -1 }, a: 1 }, { _id: 1, a: 1, nums: [4] }],
    ['computes', { _id: 0, twice: { $add: ['$a', '$a'] } }, { twice: 2 }],
    ['computes from a path', { _id: 0, y: '$n.y' }, { y: 2 }],
    ['computes into array elements', { _id: 0, 'list.w': '$a' }, { list: [{ w: 1 }, { w: 1 }] }],
    ['leaves out what is computed as missing', { a: 1, gone: '$nothing' }, { _id: 1, a: 1 }],
    ['finds one element', { _id: 0, list: { $elemMatch: { k: 2 } } }, { list: [{ k: 2, v: 2 }] }],
    ['finds no element', { list: { $elemMatch: { k: 9 } } }, { _id: 1 }],
    ['finds a value', { _id: 0, nums: { $elemMatch: { $gt: 2 } } }, { nums: [3] }],
  ])('%s', (_, spec, expected) => {
    expect(project(spec, doc)).toEqual(expected)
  })

  it.each<[string, Doc, Doc]>([
    ['excludes', { a: 0, 'n.x': 0 }, { _id: 1, n: { y: 2 }, s: [1, 2, 3] }],
    ['excludes _id', { _id: 0 }, { a: 1, n: { x: 1, y: 2 }, s: [1, 2, 3] }],
    ['slices and keeps the rest', { s: { $slice: 2 } }, { _id: 1, a: 1, n: { x: 1, y: 2 }, s: [1, 2] }],
    ['slices from before the start', { s: { $slice: [-9, 2] } }, { _id: 1, a: 1, n: { x: 1, y: 2 }, s: [1, 2] }],
    ['slices from the end', { s: { $slice: [-2, 1] } }, { _id: 1, a: 1, n: { x: 1, y: 2 }, s: [2] }],
  ])('%s', (_, spec, expected) => {
    expect(project(spec, { _id: 1, a: 1, n: { x: 1, y: 2 }, s: [1, 2, 3] })).toEqual(expected)
  })

  it('is none when nothing is asked', () => {
    expect(projector({}, {})).toBe(undefined)
    expect(projector(undefined, {})).toBe(undefined)
  })

  it('keeps the order of the document, computed fields last', () => {
    expect(Object.keys(Object(project({ late: '$a', n: 1, a: 1 }, doc)))).toEqual(['_id', 'a', 'n', 'late'])
  })

  it('keeps int64', () => {
    expect(project({ n: 1 }, { n: Long.MAX_VALUE })).toStrictEqual({ n: Long.MAX_VALUE })
  })

  it.each<[string, Doc, number]>([
    ['exclusion among inclusion', { a: 1, n: 0 }, 31254],
    ['inclusion among exclusion', { a: 0, n: 1 }, 31253],
    ['a computed field among exclusion', { a: 0, n: '$a' }, 31253],
    ['a path and one below it', { n: 1, 'n.x': 1 }, 31249],
    ['a path and one above it', { 'n.x': 1, n: 1 }, 31249],
    ['an empty nested specification', { n: {} }, 51270],
    ['positional projection', { 'list.$': 1 }, 238],
    ['$meta', { a: { $meta: 'textScore' } }, 168],
    ['an empty field name', { 'a.': 1 }, 40353],
    ['a $slice of nothing', { s: { $slice: [1, 0] } }, 28724],
  ])('fails for %s', (_, spec, code) => {
    expect(() => projector(spec, {})).toThrow(expect.objectContaining({ code }))
  })
})
