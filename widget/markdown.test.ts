import { expect, test } from 'vitest'
import { parseMarkdown } from './markdown.ts'

const text = (value: string) => ({ is: 'text', text: value })

test('plain text is one paragraph per empty line, with its line breaks', () => {
  expect(parseMarkdown('One\ntwo\n\nthree')).toEqual([
    { is: 'paragraph', lines: [[text('One')], [text('two')]] },
    { is: 'paragraph', lines: [[text('three')]] },
  ])
})

test('bold, italic and code', () => {
  expect(parseMarkdown('a **b** *c* _d_ `e*f*`')).toEqual([
    {
      is: 'paragraph',
      lines: [
        [
          text('a '),
          { is: 'strong', text: 'b' },
          text(' '),
          { is: 'emphasis', text: 'c' },
          text(' '),
          { is: 'emphasis', text: 'd' },
          text(' '),
          { is: 'code', text: 'e*f*' },
        ],
      ],
    },
  ])
})

test('stars and underscores inside words and sums are left alone', () => {
  for (const source of ['2*3*4 cm', 'snake_case_name', '5 * 3', 'a ** b'])
    expect(parseMarkdown(source)).toEqual([{ is: 'paragraph', lines: [[text(source)]] }])
})

test('lists, also right after a sentence', () => {
  expect(parseMarkdown('Rooms:\n- garden\n- **harbour**\n\n1. one\n2) two')).toEqual([
    { is: 'paragraph', lines: [[text('Rooms:')]] },
    { is: 'list', ordered: false, items: [[text('garden')], [{ is: 'strong', text: 'harbour' }]] },
    { is: 'list', ordered: true, items: [[text('one')], [text('two')]] },
  ])
})

test('a sentence right after a list stands after it', () => {
  expect(parseMarkdown('- one\nWhich?').map(({ is }) => is)).toEqual(['list', 'paragraph'])
})

test('a heading is bold, a fence is code and swallows no text behind it', () => {
  expect(parseMarkdown('## Prices\n```js\na **b**\n```\nend')).toEqual([
    { is: 'paragraph', lines: [[{ is: 'strong', text: 'Prices' }]] },
    { is: 'code', text: 'a **b**' },
    { is: 'paragraph', lines: [[text('end')]] },
  ])
  expect(parseMarkdown('```\nstill being writ')).toEqual([{ is: 'code', text: 'still being writ' }])
})

test('links to the web, to mail and to telephones', () => {
  const links = (source: string) =>
    parseMarkdown(source).flatMap((block) =>
      block.is === 'paragraph' ? block.lines.flat().filter((part) => part.is === 'link') : [],
    )
  expect(links('[shop](https://shop.example/a?b=1), see https://x.example/y.')).toEqual([
    { is: 'link', text: 'shop', href: 'https://shop.example/a?b=1' },
    { is: 'link', text: 'https://x.example/y', href: 'https://x.example/y' },
  ])
  expect(links('[write](mailto:a@b.example) [call](tel:+4930)')).toHaveLength(2)
})

test('nothing that could run becomes a link', () => {
  for (const source of ['[x](javascript:alert(1))', '[x](data:text/html,1)', 'javascript:alert(1)', '[x](//evil)'])
    expect(JSON.stringify(parseMarkdown(source))).not.toContain('"link"')
})

test('angle brackets are text', () => {
  expect(parseMarkdown('<img src=x onerror=alert(1)>')).toEqual([
    { is: 'paragraph', lines: [[text('<img src=x onerror=alert(1)>')]] },
  ])
})
