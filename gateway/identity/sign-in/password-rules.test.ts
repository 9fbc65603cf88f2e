import { expect, test } from 'vitest'
import { passwordFault } from './password-rules.ts'

test.each([
  ['too short', 'plum-tin-h1'],
  ['too long', 'plum-tin-harbour'.repeat(9)],
  ['of few characters', 'abababababababab'],
  ['with the address in it', 'My-Margaret-2026'],
])('a password %s is refused', (_why, password) => {
  expect(passwordFault(password, 'margaret@example.com')).toBeDefined()
})

test('a long one of ordinary words is taken', () => {
  expect(passwordFault('plum tin harbour', 'margaret@example.com')).toBeUndefined()
})
