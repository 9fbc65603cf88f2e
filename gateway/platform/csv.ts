// Tables as CSV (RFC 4180) that a spreadsheet opens without running anything in it. Pure.

import type { RouteReply } from './http.ts'

export type CsvCell = string | number | null | undefined

/** Spreadsheets take text that begins like this, blanks before it or not, for a formula, whoever wrote it. */
const formula = /^\s*[=+\-@\t\r\n＝＋－＠]/u

export function csv(rows: readonly (readonly CsvCell[])[]): string {
  return rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('')
}

/** As a file to save. `name` is ours: letters, digits, `_`, `-`. */
export function csvReply(name: string, rows: readonly (readonly CsvCell[])[]): RouteReply {
  const headers = {
    'content-type': 'text/csv; charset=utf-8; header=present',
    'content-disposition': `attachment; filename="${name.replaceAll(/[^\w-]/g, '_')}.csv"`,
    'x-content-type-options': 'nosniff',
  }
  return { text: csv(rows), headers }
}

function cell(value: CsvCell): string {
  if (value === undefined || value === null) return ''
  // Numbers are ours and stay numbers, a minus in front included.
  if (typeof value === 'number') return String(value)
  // A NUL ends the text for some readers and hides the rest from a check.
  const text = value.replaceAll('\0', '')
  return `"${(formula.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
}
