import { performance } from 'node:perf_hooks'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkSchema, formats, type JsonObject } from './schema.ts'
import { validatorOf } from './validator.ts'

const object = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more })
const issuesOf = (schema: unknown) => {
  const checked = checkSchema(schema)
  return 'issues' in checked ? checked.issues.map((each) => each.path) : []
}
function checkedOf(schema: unknown): JsonObject {
  const checked = checkSchema(schema)
  if ('issues' in checked) throw new Error(JSON.stringify(checked.issues))
  return checked.schema
}
const took = (run: () => unknown): number => {
  const startedAt = performance.now()
  run()
  return performance.now() - startedAt
}
const deep = (depth: number): object => (depth === 0 ? { type: 'string' } : object({ a: deep(depth - 1) }))

test.each([
  ['a list', [], ['']],
  ['no object', { type: 'string' }, ['type']],
  ['an address elsewhere', object({ a: { $ref: 'https://evil.example/schema.json' } }), ['properties.a.$ref']],
  ['a file', object({ a: { $ref: 'file:///etc/passwd' } }), ['properties.a.$ref']],
  ['the schema itself', object({ a: { $ref: '#' } }), ['properties.a.$ref']],
  ['a circle', object({ a: { $ref: '#/$defs/a' } }, { $defs: { a: { $ref: '#/$defs/a' } } }), ['properties.a.$ref']],
  ['an id', object({ a: { $id: 'https://evil.example' } }), ['properties.a.$id']],
  ['a dynamic reference', object({ a: { $dynamicRef: '#x' } }), ['properties.a.$dynamicRef']],
  ['names by pattern', object({}, { patternProperties: { '(a+)+$': {} } }), ['patternProperties']],
  ['a back reference', object({ a: { type: 'string', pattern: '(a)\\1' } }), ['properties.a.pattern']],
  ['a look-ahead', object({ a: { type: 'string', pattern: 'a(?=b)' } }), ['properties.a.pattern']],
  ['a broken pattern', object({ a: { type: 'string', pattern: '(' } }), ['properties.a.pattern']],
  ['an unknown format', object({ a: { type: 'string', format: 'regex' } }), ['properties.a.format']],
  ['every item with every other', object({ a: { type: 'array', uniqueItems: true } }), ['properties.a.uniqueItems']],
  ['a dot in a name', object({ 'a.b': {} }), ['properties.a.b']],
  ['a name of objects', object(JSON.parse('{"__proto__":{}}')), ['properties.__proto__']],
  ['code', object({ a: { $data: '1/b' } }), ['properties.a.$data']],
])('a schema with %s is refused where it stands', (_what, schema, paths) => {
  expect(issuesOf(schema)).toEqual(paths)
})

test('a schema is bounded in size and depth, references written out', () => {
  expect(issuesOf(deep(9))).toEqual([])
  expect(issuesOf(deep(12)).length).toBeGreaterThan(0)
  const wide = Object.fromEntries(Array.from({ length: 600 }, (_, n) => [`f${n}`, { type: 'string' }]))
  expect(issuesOf(object(wide)).length).toBeGreaterThan(0)
  const laughs = Object.fromEntries(
    Array.from({ length: 8 }, (_, n) => [
      `d${n}`,
      object({ a: { $ref: `#/$defs/d${n + 1}` }, b: { $ref: `#/$defs/d${n + 1}` } }),
    ]),
  )
  const bomb = object({ a: { $ref: '#/$defs/d0' } }, { $defs: { ...laughs, d8: { type: 'string' } } })
  expect(took(() => expect(issuesOf(bomb).length).toBeGreaterThan(0))).toBeLessThan(1_000)
  expect(issuesOf({ ...object({}), description: 'x'.repeat(40_000) })).toEqual([''])
})

test('a reference to a definition is written out and holds', () => {
  const check = validatorOf(
    checkedOf(
      object(
        { home: { $ref: '#/$defs/place' } },
        { $defs: { place: object({ city: { type: 'string' } }, { required: ['city'] }) } },
      ),
    ),
  )
  expect(check({ home: { city: 'Oslo' } })).toEqual([])
  expect(check({ home: {} }).map((each) => each.path)).toEqual(['data.home.city'])
})

test('[S001-10] no pattern and no format keeps the validator busy, whatever text it is given', () => {
  const evil = ['(a+)+$', '(a|aa)+$', '([a-z]+)*x', '(.*.*.*)=.*', '^(\\w+\\s?)*$', 'a{1,500}b{1,500}c', '(x+x+)+y']
  const texts = ['a', 'x', 'ab ', '!', '1:', 'a@', '::', '-.'].map((each) => each.repeat(60_000 / each.length))
  for (const pattern of evil) {
    const check = validatorOf(checkedOf(object({ a: { type: 'string', pattern } })))
    for (const text of texts)
      expect(
        took(() => check({ a: `${text}!` })),
        `${pattern} ${text.slice(0, 3)}`,
      ).toBeLessThan(2_000)
  }
  for (const format of formats) {
    const check = validatorOf(checkedOf(object({ a: { type: 'string', format } })))
    for (const text of texts)
      expect(
        took(() => check({ a: text })),
        `${format} ${text.slice(0, 3)}`,
      ).toBeLessThan(2_000)
  }
})

test('data that cannot be stored is refused before it is looked at', () => {
  const check = validatorOf(checkedOf(object({})))
  const nest = (depth: number): object => (depth === 0 ? {} : { a: nest(depth - 1) })
  for (const data of [
    { $where: 1 },
    { 'a.b': 1 },
    JSON.parse('{"__proto__":{"x":1}}'),
    { a: [{ '': 1 }] },
    nest(20),
    { a: 'x'.repeat(70_000) },
  ])
    expect(check(data)).toHaveLength(1)
  expect(check({ anything: { goes: [1, null, { x: true }] } })).toEqual([])
})

test('whatever a schema is, it is refused or compiled, and nothing is thrown', () => {
  const words = ['type', 'properties', 'items', 'enum', 'pattern', 'anyOf', 'required', 'minLength', 'const', 'format']
  const leaf = fc.constantFrom<unknown>('string', 'object', 'array', 'date', '[a-z]+', 3, -1, null, true, ['a'])
  const { node } = fc.letrec<{ node: unknown; value: unknown }>((tie) => ({
    node: fc.dictionary(fc.constantFrom(...words, '$ref', 'not', 'additionalProperties'), tie('value'), { maxKeys: 4 }),
    value: fc.oneof({ maxDepth: 3 }, leaf, tie('node'), fc.array(tie('node'), { maxLength: 2 })),
  }))
  let compiled = 0
  fc.assert(
    fc.property(node, fc.jsonValue(), (schema, data) => {
      const checked = checkSchema({ type: 'object', properties: { a: schema } })
      if ('issues' in checked) return
      compiled++
      validatorOf(checked.schema)({ a: data })
    }),
    { numRuns: 300 },
  )
  expect(compiled).toBeGreaterThan(10)
})
