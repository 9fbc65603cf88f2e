import { expect, test } from 'vitest'
import { ApiProblem, inWords, isSignedOut, issuesOf, mayRetry, problemOf, unreachable } from './problem.ts'

test('a problem body is kept, and its own message wins over the general words', () => {
  const problem = problemOf(409, { code: 'conflict', message: 'This key was already revoked.', retry: 'never' })
  expect(problem.body.code).toBe('conflict')
  expect(inWords(problem)).toBe('This key was already revoked.')
})

test('the general visitor words are replaced by words for operators', () => {
  const problem = problemOf(403, { code: 'forbidden', message: 'This is not allowed here.', retry: 'never' })
  expect(inWords(problem)).toBe('Your role in this tenant does not allow this.')
})

test('a body that is no problem still becomes a typed problem by its status', () => {
  expect(problemOf(404, '<html>').body.code).toBe('not_found')
  expect(problemOf(502, undefined).body.code).toBe('internal')
  expect(problemOf(418, { code: 'teapot', message: 'x' }).body.code).toBe('internal')
})

test('field issues and the log id are told', () => {
  const problem = new ApiProblem(400, {
    code: 'invalid',
    message: '',
    retry: 'never',
    id: 'err_1',
    issues: [{ path: 'label', message: 'too long' }],
  })
  expect(inWords(problem)).toBe('label: too long (reference err_1)')
})

test('only 401 signs the operator out, and only passing trouble is retried', () => {
  expect(isSignedOut(problemOf(401, null))).toBe(true)
  expect(isSignedOut(problemOf(403, null))).toBe(false)
  expect(mayRetry(unreachable())).toBe(true)
  expect(mayRetry(problemOf(404, null))).toBe(false)
  expect(mayRetry(new Error('x'))).toBe(false)
})

test('a refusal is read as the gateway sends it, with the fields of the body by their own names', () => {
  const problem = problemOf(400, {
    error: {
      code: 'invalid',
      message: 'Invalid body: body.config.maxTokens: Too big: expected number to be <=200000',
      retry: 'never',
      issues: [{ path: 'body.config.maxTokens', message: 'Too big: expected number to be <=200000' }],
    },
  })
  expect(problem.body.code).toBe('invalid')
  expect(issuesOf(problem)).toEqual([{ path: 'config.maxTokens', message: 'At most 200,000, please.' }])
  expect(inWords(problem)).toBe('config.maxTokens: At most 200,000, please.')
})
