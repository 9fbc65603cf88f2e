import { expect, test } from 'vitest'
import { invitationOf, safeBack, tokenOf } from './sign-in-link.ts'

test('the token is read from the fragment with or without its sign', () => {
  expect(tokenOf('#token=abc')).toBe('abc')
  expect(tokenOf('token=a%2Bb')).toBe('a+b')
  expect(tokenOf('#token=')).toBeUndefined()
  expect(tokenOf('')).toBeUndefined()
  expect(tokenOf('#invitation=abc')).toBeUndefined()
  expect(invitationOf('#invitation=abc')).toBe('abc')
})

test('signing in never leads out of the console', () => {
  expect(safeBack('/console/history?tenant=acme')).toBe('/console/history?tenant=acme')
  expect(safeBack('https://evil.example/console/')).toBe('/console/')
  expect(safeBack('//evil.example/console/')).toBe('/console/')
  expect(safeBack('/consoleevil')).toBe('/console/')
  expect(safeBack('/console/sign-in?back=x')).toBe('/console/')
  expect(safeBack(undefined)).toBe('/console/')
})
