import { expect, test } from 'vitest'
import { ManualClock } from '../../../test/harness/clock.ts'
import { docxOf, pdfOf, zipOf } from '../../../test/harness/documents.ts'
import { type Clock, systemClock } from '../../platform/clock.ts'
import type { SourceFormat } from '../../protocol/knowledge.ts'
import { chunksOf } from './chunks.ts'
import { readCsv } from './csv.ts'
import { readDocx } from './docx.ts'
import { extract } from './extract.ts'
import { formatOf, textOf } from './formats.ts'
import { readHtml } from './html.ts'
import { readMarkdown } from './markdown.ts'
import { readPdf } from './pdf.ts'
import { checkZip } from './zip.ts'

const nothing = (): void => undefined

test('[knowledge] the passages of a PDF know their page and the title it gives itself', async () => {
  const pdf = pdfOf([['Opening hours', 'Monday to Friday.'], ['The garden is behind the house.']], {
    title: 'Handbook',
  })
  expect(chunksOf(await readPdf(pdf, nothing), 'file.pdf')).toEqual([
    { title: 'Handbook', page: 1, text: 'Opening hours Monday to Friday.' },
    { title: 'Handbook', page: 2, text: 'The garden is behind the house.' },
  ])
})

test('[knowledge] the passages of a Word document stand under their headings, a row of a table with its columns', async () => {
  const docx = docxOf([
    ...[{ heading: 'Returns' }, 'Goods may be sent back within 30 days.', { heading: 'Prices' }],
    {
      rows: [
        ['Item', 'Price'],
        ['Chair', '90'],
        ['Table', '300'],
      ],
    },
  ])
  expect(chunksOf(await readDocx(docx), 'Shop')).toEqual([
    { title: 'Shop', heading: 'Returns', text: 'Goods may be sent back within 30 days.' },
    { title: 'Shop', heading: 'Prices', text: 'Item: Chair; Price: 90\nItem: Table; Price: 300' },
  ])
})

test('[knowledge] of a web page the article is read, neither its menus nor its scripts', () => {
  const article = 'The pool on the roof is open from seven in the morning until ten at night. '.repeat(4)
  const page = `<!doctype html><html><head><title>House rules</title><script>steal()</script></head><body>
    <nav><a href="/">Home</a> <a href="/jobs">Jobs</a></nav>
    <main><article><h1>House rules</h1><h2>Pool</h2><p>${article}</p></article></main></body></html>`
  const chunks = chunksOf(readHtml(page), 'page')
  expect(chunks).toMatchObject([{ title: 'House rules', heading: 'Pool', text: article.trim() }])
  expect(JSON.stringify(chunks)).not.toMatch(/steal|Jobs/)
})

test('[knowledge] Markdown keeps headings, lists, tables and links; front matter is not read', () => {
  const text =
    '---\ndraft: true\n---\n# Guide\n\nHello *there*.\n\n## Rooms\n\n- a [plan](https://a.example/p)\n- quiet\n\n| Room | Beds |\n|---|---|\n| Red | 2 |\n'
  expect(chunksOf(readMarkdown(text), 'guide.md')).toEqual([
    { title: 'Guide', text: 'Hello there.' },
    { title: 'Guide', heading: 'Rooms', text: '- a plan (https://a.example/p)\n- quiet' },
    { title: 'Guide', heading: 'Rooms', text: 'Room: Red; Beds: 2' },
  ])
})

test('[knowledge] each row of a CSV names its columns, whatever parts them', () => {
  const rows = 'name;price;note\n"Chair; oak";90;\nTable;300;heavy\n'
  expect(chunksOf(readCsv(rows), 'prices')).toEqual([
    { title: 'prices', text: 'name: Chair; oak; price: 90\nname: Table; price: 300; note: heavy' },
  ])
})

test('[knowledge] a long section is cut at sentences, and the next passage begins with the end of the one before', () => {
  const sentence = (n: number): string => `This is sentence number ${n} of a long chapter about nothing in particular.`
  const text = Array.from({ length: 60 }, (_, n) => sentence(n)).join(' ')
  const chunks = chunksOf({ blocks: [{ text, headings: ['Chapter'] }] }, 'book')
  expect(chunks.length).toBeGreaterThan(3)
  for (const { text: part } of chunks) {
    expect(part.length).toBeLessThanOrEqual(1_500)
    expect(part).toMatch(/^This is .*\.$/s)
  }
  for (let n = 0; n < 60; n++) expect(chunks.some((chunk) => chunk.text.includes(sentence(n)))).toBe(true)
  const [again] = chunks[1]?.text.split('\n') ?? []
  expect(again).toMatch(/^This is .{50,}\.$/)
  expect(chunks[0]?.text.endsWith(again ?? '-')).toBe(true)
})

test('[knowledge] what a file is, its first bytes say before its name does', () => {
  const called = (name: string, type = '') => ({ name, type })
  expect(formatOf(pdfOf([['a']]), called('a.txt'))).toBe('pdf')
  expect(formatOf(docxOf(['a']), called('a.pdf'))).toBe('docx')
  expect(formatOf(Buffer.from('a,b'), called('a.csv'))).toBe('csv')
  expect(formatOf(Buffer.from('# a'), called('page', 'text/markdown; charset=utf-8'))).toBe('markdown')
  expect(formatOf(Buffer.from('<!DOCTYPE html><p>a'), called('page'))).toBe('html')
  expect(formatOf(Buffer.from('plain'), called('page'))).toBe('text')
  expect(() => formatOf(Buffer.from('no pdf'), called('a', 'application/pdf'))).toThrow('no PDF')
  expect(() => formatOf(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0]), called('a.png'))).toThrow('not read')
  expect(() => formatOf(Buffer.from('\xd0\xcf\x11\xe0', 'latin1'), called('a.doc'))).toThrow('Old Word')
  expect(textOf(Buffer.from('\xff\xfeh\0i\0', 'latin1'))).toBe('hi')
  expect(textOf(Buffer.from('caf\xe9', 'latin1'))).toBe('café')
})

test('[knowledge] an archive that unpacks to more than it says is found out before a library gets it', () => {
  const bomb = zipOf([['word/document.xml', Buffer.alloc(30_000_000)]], 1_000)
  expect(bomb.length).toBeLessThan(100_000)
  expect(() => checkZip(bomb, 10_000_000)).toThrow('unpacks to more')
  expect(() => checkZip(bomb.subarray(0, bomb.length - 30), 10_000_000)).toThrow('damaged')
  expect(checkZip(docxOf(['a']), 1_000_000)).toContain('word/document.xml')
})

const read = (bytes: Uint8Array, format: SourceFormat, over: { clock?: Clock; signal?: AbortSignal } = {}) =>
  extract(over.clock ?? systemClock, {
    ...{ bytes, format, name: 'x', onProgress: nothing },
    signal: over.signal ?? new AbortController().signal,
  })

test('[knowledge] the process that reads gives passages, or says in plain words why it cannot', async () => {
  expect(await read(Buffer.from('# A\n\ntext'), 'markdown')).toEqual([{ title: 'A', text: 'text' }])
  const wrong = async (bytes: Uint8Array, format: SourceFormat) =>
    read(bytes, format).then(
      () => 'read',
      ({ code, message }) => `${code}: ${message}`,
    )
  expect(await wrong(pdfOf([['a']]).subarray(0, 200), 'pdf')).toBe('unreadable: The PDF is damaged.')
  expect(await wrong(Buffer.from('   '), 'text')).toBe('empty: There is no text in it.')
  const rows = Buffer.from(`a,b\n${'1,2\n'.repeat(1_000_000)}`)
  expect(await wrong(rows, 'csv')).toBe('too_large: The table has more than 100000 rows.')
  expect(await wrong(Buffer.from('word '.repeat(3_000_000)), 'text')).toMatch(/^too_large: It is too long/)
}, 120_000)

test('[knowledge] a document that takes too long is given up in plain words', async () => {
  const clock = new ManualClock()
  const reading = read(Buffer.from('[a]('.repeat(2_000_000)), 'markdown', { clock })
  const told = expect(reading).rejects.toMatchObject({ code: 'too_slow' })
  await clock.advance(120_000)
  await told
})

test('[knowledge] a reading that nobody wants any more ends at once, and its process with it', async () => {
  const stop = new AbortController()
  const reading = read(Buffer.from('word '.repeat(3_000_000)), 'markdown', { signal: stop.signal })
  setTimeout(() => stop.abort(new Error('enough')), 50)
  await expect(reading).rejects.toThrow('enough')
})
