import { expect, test } from 'vitest'
import { slugOf } from './slug.ts'

test('a name becomes a slug that the API takes', () => {
  expect(slugOf('Front desk')).toBe('front-desk')
  expect(slugOf('Zoë’s Desk!')).toBe('zoes-desk')
  expect(slugOf('  --  ')).toBe('')
  expect(slugOf(`${'long '.repeat(20)}`)).toMatch(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/)
})
