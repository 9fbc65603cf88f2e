import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonical, changesOf, hashOf, objectOf } from './arguments.ts'

test('[A1] arguments have one spelling, whatever the order of their fields', () => {
  const shuffled = (value: object) => Object.fromEntries(Object.entries(value).toReversed())
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      expect(canonical(shuffled(value))).toBe(canonical(value))
      // JSON has no minus zero.
      expect(canonical(JSON.parse(canonical(value)))).toBe(canonical(value))
    }),
  )
  expect(canonical({ b: [{ d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[{"c":2,"d":1}]}')
})

test('[A1] the hash is of tool, arguments and session: none of them can be exchanged', () => {
  const call = { tool: 'refund', args: '{"amount":5}', session: 'sess_1' }
  const hashes = [
    call,
    { ...call, tool: 'refunds' },
    { ...call, args: '{"amount":50}' },
    { ...call, session: 'sess_2' },
  ]
  expect(new Set(hashes.map(hashOf)).size).toBe(4)
  expect(hashOf(call)).toMatch(/^[0-9a-f]{64}$/)
})

test('[A6] what a person changed is told path by path', () => {
  const before = { amount: 5, to: { name: 'Ada', iban: 'DE1' }, items: [1, 2], note: 'x' }
  const after = { amount: 4, to: { name: 'Ada', iban: 'DE2' }, items: [1], urgent: true }
  expect(changesOf(before, after)).toEqual([
    { path: 'amount', before: 5, after: 4 },
    { path: 'to.iban', before: 'DE1', after: 'DE2' },
    { path: 'items', before: [1, 2], after: [1] },
    { path: 'note', before: 'x' },
    { path: 'urgent', after: true },
  ])
  expect(changesOf(before, structuredClone(before))).toEqual([])
})

test('what is no object is none', () => {
  expect([objectOf(''), objectOf('{"a":1}'), objectOf('[1]'), objectOf('"x"'), objectOf('{')]).toEqual([
    ...[{}, { a: 1 }, undefined, undefined, undefined],
  ])
})
