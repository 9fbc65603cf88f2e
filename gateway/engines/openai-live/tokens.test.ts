import fc from 'fast-check'
import { expect, it } from 'vitest'
import { clipped, piecesOf, tokensOf } from './tokens.ts'

it('counts each word, each three letters of it, each number and each sign', () => {
  expect(tokensOf('The quick brown fox.')).toBe(1 + 2 + 2 + 1 + 1)
  expect(tokensOf('+49 170 1234567')).toBe(1 + 1 + 1 + 1 + 1 + 3)
  expect(tokensOf('お電話')).toBe(3)
  expect(tokensOf('')).toBe(0)
})

it('cuts any text into pieces that are short enough, and loses nothing but white space', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), fc.integer({ min: 2, max: 60 }), (text, limit) => {
      const pieces = piecesOf(text, limit)
      for (const piece of pieces) expect(tokensOf(piece)).toBeLessThanOrEqual(limit)
      expect(pieces.join('').replace(/\s/gu, '')).toBe(text.replace(/\s/gu, ''))
    }),
  )
})

it('keeps words whole, and the beginning when only one piece is wanted', () => {
  expect(piecesOf('one two three four', 3)).toEqual(['one two', 'three', 'four'])
  expect(clipped('one two three four', 3)).toBe('one two')
  expect(clipped('  ', 3)).toBe('')
})
