import { expect, test } from 'vitest'
import { z } from 'zod'
import { issueText } from './issue-text.ts'

function told(schema: z.ZodType, value: unknown): string {
  return issueText(schema.safeParse(value).error?.issues[0]?.message ?? '')
}

test('what schemas refuse is said in words', () => {
  expect(told(z.string().min(1), '')).toBe('This may not be empty.')
  expect(told(z.string().max(1_200), 'x'.repeat(1_201))).toBe('At most 1,200 characters, please.')
  expect(told(z.int().max(200_000), 900_000)).toBe('At most 200,000, please.')
  expect(told(z.number().min(0), -1)).toBe('At least 0, please.')
  expect(told(z.array(z.string()).max(2), ['a', 'b', 'c'])).toBe('2 entries are the limit here.')
  expect(told(z.string().regex(/^a$/), 'b')).toBe('This is not in the form that is expected here.')
  expect(told(z.email(), 'b')).toBe('This is not an e-mail address.')
  expect(told(z.int(), 1.5)).toBe('A whole number, please.')
  expect(issueText('each channel once at most')).toBe('each channel once at most')
})
