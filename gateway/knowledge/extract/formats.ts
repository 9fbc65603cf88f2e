// What a source is read as: by its first bytes, then by what it was called.

import type { SourceFormat } from '../../protocol/knowledge.ts'
import { Unreadable } from './unreadable.ts'

const byType: ReadonlyMap<string, SourceFormat> = new Map([
  ['application/pdf', 'pdf'],
  ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'docx'],
  ['text/html', 'html'],
  ['application/xhtml+xml', 'html'],
  ['text/markdown', 'markdown'],
  ['text/x-markdown', 'markdown'],
  ['text/csv', 'csv'],
  ['text/tab-separated-values', 'csv'],
])

const byEnding: ReadonlyMap<string, SourceFormat> = new Map([
  ...(['html', 'htm', 'xhtml'] as const).map((each) => [each, 'html'] as const),
  ...(['md', 'markdown', 'mdx'] as const).map((each) => [each, 'markdown'] as const),
  ...(['csv', 'tsv'] as const).map((each) => [each, 'csv'] as const),
  ...(['txt', 'text', 'log'] as const).map((each) => [each, 'text'] as const),
])

const known = 'PDF, DOCX, HTML, Markdown, CSV and text are read.'

/** Throws Unreadable for what is none of them. */
export function formatOf(bytes: Uint8Array, called: { readonly name: string; readonly type: string }): SourceFormat {
  const start = Buffer.from(bytes.subarray(0, 1_024)).toString('latin1')
  if (bytes.length === 0) throw new Unreadable('empty', 'The file is empty.')
  if (start.slice(0, 1_024).includes('%PDF-')) return 'pdf'
  if (start.startsWith('PK\x03\x04')) return 'docx'
  if (start.startsWith('\xd0\xcf\x11\xe0'))
    throw new Unreadable('unsupported', 'Old Word files are not read. Save it as DOCX or PDF.')
  const type = called.type.split(';')[0]?.trim().toLowerCase() ?? ''
  const ending = /\.([a-z]+)$/i.exec(called.name)?.[1]?.toLowerCase() ?? ''
  const format = byEnding.get(ending) ?? byType.get(type)
  if (format === 'pdf' || format === 'docx')
    throw new Unreadable('unreadable', `The file is no ${format.toUpperCase()}.`)
  if (isBinary(bytes)) throw new Unreadable('unsupported', `This kind of file is not read. ${known}`)
  if (format !== undefined) return format
  return /^[^a-z]{0,20}<(!doctype html|html|head|body)\b/i.test(start) ? 'html' : 'text'
}

/** Zeros in the beginning, in a text that does not say it is UTF-16. */
function isBinary(bytes: Uint8Array): boolean {
  return !isUtf16(bytes) && bytes.subarray(0, 4_096).includes(0)
}

const isUtf16 = ([a, b]: Uint8Array): boolean => (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)

/** UTF-16 with its mark, else UTF-8, else what was in use before. */
export function textOf(bytes: Uint8Array): string {
  if (isUtf16(bytes)) return new TextDecoder(bytes[0] === 0xff ? 'utf-16le' : 'utf-16be').decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('windows-1252').decode(bytes)
  }
}
