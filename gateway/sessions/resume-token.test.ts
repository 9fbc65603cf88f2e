import { expect, test } from 'vitest'
import { checkToken, newResumeToken, ResumeKey } from './resume-token.ts'

test('[S19] a token is good once; the one before only until its successor was shown', () => {
  const first = newResumeToken()
  const key = ResumeKey.first(first)
  expect(key.check(first)).toBe('good')
  const second = key.rotate(first)
  expect([key.check(second), key.check(first)]).toEqual(['good', 'good'])
  key.confirm(first)
  // Words over an older connection do not show that the newer token arrived.
  expect(key.check(first)).toBe('good')
  key.confirm(second)
  expect([key.check(second), key.check(first)]).toEqual(['good', 'stolen'])
  const third = key.rotate(second)
  expect([key.check(first), key.check(second), key.check(third)]).toEqual(['unknown', 'good', 'good'])
})

test('[S19] only hashes are kept, and nothing matches where there is no token', () => {
  const token = newResumeToken()
  expect(JSON.stringify(ResumeKey.first(token).state)).not.toContain(token)
  expect(checkToken(undefined, token)).toBe('unknown')
  expect(newResumeToken()).toHaveLength(43)
})
