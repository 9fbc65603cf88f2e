import { expect, test } from 'vitest'
import { csv, csvReply } from './csv.ts'

test.each([
  ['=1+1', `"'=1+1"`],
  ['+41 79 000', `"'+41 79 000"`],
  ['-2+3+cmd|calc', `"'-2+3+cmd|calc"`],
  ['@SUM(A1)', `"'@SUM(A1)"`],
  ['\t=1', `"'\t=1"`],
  ['\r=1', `"'\r=1"`],
  ['\n=1', `"'\n=1"`],
  ['  =HYPERLINK("http://x")', `"'  =HYPERLINK(""http://x"")"`],
  ['\u00a0=1', `"'\u00a0=1"`],
  ['\ufeff=1', `"'\ufeff=1"`],
  ['＝1', `"'＝1"`],
  ['\0=1', `"'=1"`],
  ['a,b', '"a,b"'],
  ['a";=1\r\n=2', '"a"";=1\r\n=2"'],
  ['a=b', '"a=b"'],
])('text %j becomes %j: a spreadsheet shows it and runs nothing', (given, cell) => {
  expect(csv([[given]])).toBe(`${cell}\r\n`)
})

test('numbers stay numbers, also below zero, and nothing is an empty cell', () => {
  expect(csv([[-5, 0, null, undefined, 9_007_199_254_740_991]])).toBe('-5,0,,,9007199254740991\r\n')
})

test('the file name holds nothing that could end its header', () => {
  expect(csvReply('a"\r\nx: y', []).headers).toMatchObject({
    'content-disposition': 'attachment; filename="a___x__y.csv"',
    'x-content-type-options': 'nosniff',
  })
})
