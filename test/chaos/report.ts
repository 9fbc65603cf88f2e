// What a run shows: figures, checks with their limits, and every finding in words.

import type { Finding, Rule } from './oracle.ts'
import { type ClientRecord, percentile } from './record.ts'

export interface Check {
  readonly name: string
  /** It says how fast, not whether: the test suite, which shares its machine, does not judge by it. */
  readonly timed?: true
  readonly value: string
  readonly ok: boolean
}

export interface Report {
  readonly facts: readonly (readonly [name: string, value: string])[]
  readonly checks: readonly Check[]
  readonly findings: readonly Finding[]
}

const ruleNames: Readonly<Record<Rule, string>> = {
  lost: 'committed turns lost',
  doubled: 'turns or answers doubled',
  misplaced: 'turns out of order',
  unanswered: 'questions without a whole answer',
  view: 'differences between what a client shows and what is stored',
  wire: 'breaches of the wire contract (holes in numbers, errors)',
  balance: 'wrong balances',
  settlement: 'sessions not settled exactly once',
  receipt: 'receipts that differ from their entry',
  hold: 'holds left 120 s after the end',
  billing: 'bills outside what was served',
}

export function checksOf(findings: readonly Finding[]): Check[] {
  return Object.entries(ruleNames).map(([rule, name]) => {
    const count = findings.filter((finding) => finding.rule === rule).length
    return { name, value: String(count), ok: count === 0 }
  })
}

export function atMost(name: string, value: number | undefined, limit: number): Check {
  const shown = value === undefined ? 'never happened' : `${Math.round(value)} ms`
  const ok = value !== undefined && value <= limit
  return { name: `${name} (at most ${limit} ms)`, value: shown, ok, timed: true }
}

export function none(name: string, found: readonly string[]): Check {
  return { name, value: String(found.length), ok: found.length === 0 }
}

/** Milliseconds from the loss (or from when the network was back) to `parley.session`. */
export function comebackMs(clients: readonly ClientRecord[], kind: ClientRecord['kind']): number[] {
  return clients
    .filter((client) => client.kind === kind)
    .flatMap((client) => client.comebacks)
    .flatMap(({ moved, backAtMs, lostAtMs, possibleAtMs = 0 }) =>
      moved || backAtMs === undefined ? [] : backAtMs - Math.max(lostAtMs, possibleAtMs),
    )
}

/** The same to the first sound, where speech was cut off and went on. */
export function soundMs(clients: readonly ClientRecord[]): number[] {
  return clients
    .filter((client) => client.kind === 'voice')
    .flatMap((client) => client.comebacks)
    .flatMap(({ moved, midAnswer, became, firstFrameAtMs, lostAtMs, possibleAtMs = 0 }) =>
      moved || !midAnswer || became === 'new' || firstFrameAtMs === undefined
        ? []
        : firstFrameAtMs - Math.max(lostAtMs, possibleAtMs),
    )
}

export function spread(values: readonly number[]): string {
  const at = (share: number): string => `${Math.round(percentile(values, share) ?? Number.NaN)}`
  return values.length === 0 ? 'none' : `p50 ${at(0.5)}, p95 ${at(0.95)}, max ${at(1)} ms of ${values.length}`
}

export function table(title: string, report: Report): string {
  const lines = [title]
  const width = Math.max(
    ...[...report.facts.map(([name]) => name), ...report.checks.map(({ name }) => name)].map((name) => name.length),
  )
  for (const [name, value] of report.facts) lines.push(`       ${name.padEnd(width)}  ${value}`)
  for (const { name, value, ok } of report.checks)
    lines.push(`  ${ok ? 'ok  ' : 'FAIL'} ${name.padEnd(width)}  ${value}`)
  const most = 60
  for (const { rule, what } of report.findings.slice(0, most)) lines.push(`    ${rule}: ${what}`)
  if (report.findings.length > most) lines.push(`    … and ${report.findings.length - most} more`)
  const failed = report.checks.filter(({ ok }) => !ok).length
  lines.push(`${report.checks.length - failed} passed, ${failed} failed`)
  return lines.join('\n')
}
