import { expect, test } from 'vitest'
import { readValue, writeValue } from './rule-values.ts'

test('values of conditions come back as they were', () => {
  for (const value of ['open', 'actor.id', '5', 'true', '"quoted"', '', 5, -1.5, true, false, null])
    expect(readValue(writeValue(value))).toBe(value)
})
