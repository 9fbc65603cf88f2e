import { expect, test } from 'vitest'
import { compileSchema } from './json-schema.ts'

test('each pattern of a schema is its own', () => {
  const of = (pattern: string) => ({ type: 'string', pattern })
  const check = compileSchema(
    { properties: { code: of('^[A-Z]{3}$'), url: of('^https://'), word: of('^[a-z]+$') } },
    [],
  )
  expect(check({ code: 'USD', url: 'https://a.example/', word: 'sofa' })).toEqual([])
  const wrong = check({ code: 'sofa', url: 'USD', word: 'https://a.example/' })
  expect(wrong.map(({ instancePath }) => instancePath)).toEqual(['/code', '/url', '/word'])
})
