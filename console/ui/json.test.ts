import { expect, test } from 'vitest'
import { differences, parseObject, same } from './json.ts'

test('what differs is told by its path, and nothing else', () => {
  const before = { to: 'ann@example.com', amount: 100, who: { name: 'Ann', tags: ['a'] }, gone: true }
  const after = { amount: 90, to: 'ann@example.com', who: { tags: ['a', 'b'], name: 'Ann' }, fresh: 'x' }
  expect(differences(before, after)).toEqual([
    { field: 'amount', before: 100, after: 90 },
    { field: 'who.tags', before: ['a'], after: ['a', 'b'] },
    { field: 'gone', before: true },
    { field: 'fresh', after: 'x' },
  ])
  expect(differences(before, structuredClone(before))).toEqual([])
})

test('a list, a null and an object are three things', () => {
  expect(same([], {})).toBe(false)
  expect(same(null, undefined)).toBe(false)
  expect(same({ a: [1, { b: null }] }, { a: [1, { b: null }] })).toBe(true)
  expect(same({ a: 1 }, { b: 1 })).toBe(false)
})

test('only a whole JSON object is arguments', () => {
  expect(parseObject('{"a":1}')).toEqual({ a: 1 })
  for (const text of ['', '[1]', 'null', '{"a":', '7']) expect(parseObject(text)).toBeUndefined()
})
