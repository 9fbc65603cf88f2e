import { describe, expect, it } from 'vitest'
import { float, floatText, glob, integer, numberText, rankRange, scoreRange, sum } from './arguments.ts'

describe('numbers', () => {
  it('reads integers and refuses everything else', () => {
    expect([integer('0'), integer('-12'), integer('+3'), integer('9007199254740991')]).toEqual([0, -12, 3, 2 ** 53 - 1])
    for (const word of ['', ' 1', '1.5', '1e3', 'abc', '0x10', '9007199254740993']) {
      expect(() => integer(word)).toThrow(/not an integer/)
    }
  })

  it('refuses a sum that would lose digits', () => {
    expect(() => sum(Number.MAX_SAFE_INTEGER, 1)).toThrow(/overflow/)
  })

  it('reads floats and infinities, and refuses words', () => {
    expect([float('1.5'), float('-inf'), float('+inf'), float('1e3')]).toEqual([1.5, -Infinity, Infinity, 1000])
    for (const word of ['', ' ', 'nan', 'x1']) expect(() => float(word)).toThrow(/not a valid float/)
  })

  it('prints sums of fractions without their binary rest and never with an exponent', () => {
    expect([0.1 + 0.2, 3, 1e21, 1e-7, -2.5].map(floatText)).toEqual([
      '0.3',
      '3',
      '1000000000000000000000',
      '0.0000001',
      '-2.5',
    ])
    expect(() => floatText(Infinity)).toThrow(/NaN or Infinity/)
    expect([1e21, -Infinity, 1.25].map(numberText)).toEqual(['1000000000000000000000', '-inf', '1.25'])
  })
})

describe('ranges', () => {
  it('takes ranks from both ends, clipped to the sequence', () => {
    const items = ['a', 'b', 'c']
    const cases: [string, string, string][] = [
      ['0', '-1', 'abc'],
      ['-2', '-1', 'bc'],
      ['1', '1', 'b'],
      ['-9', '9', 'abc'],
      ['2', '1', ''],
      ['0', '-9', ''],
      ['5', '9', ''],
    ]
    for (const [first, last, expected] of cases) expect(rankRange(first, last)(items).join('')).toBe(expected)
  })

  it('takes scores between bounds, open ones excluded', () => {
    expect([1, 2, 3].filter(scoreRange('(1', '3'))).toEqual([2, 3])
    expect([1, 2, 3].filter(scoreRange('-inf', '(3'))).toEqual([1, 2])
    expect(() => scoreRange('x', '1')).toThrow(/min or max is not a float/)
  })
})

describe('glob', () => {
  it('matches as Redis does', () => {
    const matches: [string, string, boolean][] = [
      ['*', 'any\nthing', true],
      ['a?c', 'abc', true],
      ['a?c', 'ac', false],
      ['h[ae]llo', 'hallo', true],
      ['h[^e]llo', 'hello', false],
      ['h[a-c]llo', 'hbllo', true],
      ['lit\\*', 'lit*', true],
      ['lit\\*', 'lits', false],
      ['a.c', 'abc', false],
      ['{t:1}:(x)|$', '{t:1}:(x)|$', true],
      ['open[', 'open[', true],
      ['abc', 'xabc', false],
    ]
    for (const [pattern, word, expected] of matches)
      expect([pattern, word, glob(pattern).test(word)]).toEqual([pattern, word, expected])
  })
})
