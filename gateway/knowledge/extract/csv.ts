// CSV by csv-parse: each row with the names of its columns.

import { parse } from 'csv-parse/sync'
import type { Extracted } from './chunks.ts'
import { Unreadable } from './unreadable.ts'

const mostRows = 100_000

export function readCsv(text: string): Extracted {
  const rows = parsed(text)
  const [head = [], ...rest] = rows
  if (rest.length > mostRows) throw new Unreadable('too_large', `The table has more than ${mostRows} rows.`)
  const isNamed = rest.length > 0 && head.every((each) => each.length < 80)
  const blocks = (isNamed ? rest : rows).map((row) => ({
    text: row
      .map((cell, i) => (isNamed && head[i] ? `${head[i]}: ${cell}` : cell))
      .filter((_, i) => row[i] !== '')
      .join('; '),
    isRow: true,
  }))
  return { blocks }
}

function parsed(text: string): string[][] {
  try {
    return parse(text, {
      ...{ bom: true, delimiter: delimiterOf(text), relax_column_count: true, relax_quotes: true, trim: true },
      ...{ skip_empty_lines: true, max_record_size: 100_000, to: mostRows + 2 },
    })
  } catch (cause) {
    throw Object.assign(new Unreadable('unreadable', 'The file is no table that can be read as CSV.'), { cause })
  }
}

/** The mark that parts most cells of the first line. */
function delimiterOf(text: string): string {
  const line = text.slice(0, 10_000).split('\n')[0] ?? ''
  const counts = [',', ';', '\t', '|'].map((mark) => ({ mark, count: line.split(mark).length }))
  return counts.toSorted((a, b) => b.count - a.count)[0]?.mark ?? ','
}
