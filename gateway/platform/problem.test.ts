import { MongoNetworkError, MongoServerSelectionError } from 'mongodb'
import { expect, test } from 'vitest'
import { problems } from '../protocol/codes.ts'
import { asProblem, Problem } from './problem.ts'

test('a store that cannot be reached is `unavailable` with a time to come back, not a defect', () => {
  const selection = Object.assign(Object.create(MongoServerSelectionError.prototype), { message: 'no server' })
  for (const error of [new MongoNetworkError('reset'), selection]) {
    expect(asProblem(error)).toMatchObject({ code: 'unavailable', details: { retryAfterMs: 5_000 } })
  }
})

test('anything unknown is `internal`, and its message goes to nobody', () => {
  const problem = asProblem(new Error('password is hunter2'))
  expect(problem.code).toBe('internal')
  expect(JSON.stringify(problem.body('err_1'))).not.toContain('hunter2')
})

test('a Problem stays what it is', () => {
  const problem = new Problem('not_found')
  expect(asProblem(problem)).toBe(problem)
})

test('every close code is one that a client may receive', () => {
  for (const [code, { ws, http }] of Object.entries(problems)) {
    expect([1008, 1009, 1011, 1012, 1013].includes(ws) || (ws >= 4400 && ws < 4600), code).toBe(true)
    expect(http, code).toBeGreaterThanOrEqual(400)
  }
})
