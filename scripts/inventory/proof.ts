// From a report of the tests to what of the claims is proved. Pure.

import { z } from 'zod'

/** What is read of vitest's JSON report. */
export const reportSchema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      /** Why a file could not be loaded. */
      message: z.string().optional(),
      assertionResults: z.array(z.object({ fullName: z.string(), title: z.string(), status: z.string() })),
    }),
  ),
})
export type Report = z.output<typeof reportSchema>

export interface Proof {
  readonly id: string
  readonly name: string
  /** `skipped`: there are tests, and none ran. */
  readonly outcome: 'pass' | 'FAIL' | 'skipped' | 'missing'
  readonly tests: readonly { readonly title: string; readonly status: string }[]
}

/** `[S000-1, S000-2] a sentence` → both. */
export function idsIn(title: string): readonly string[] {
  return [...title.matchAll(/\[([^\]]*)\]/g)].flatMap(([, inside = '']) => inside.match(/\bS\d{3}-\d+\b/g) ?? [])
}

export function proofsOf(report: Report, claims: Readonly<Record<string, string>>): readonly Proof[] {
  const tests = report.testResults.flatMap(({ assertionResults }) =>
    assertionResults.map(({ fullName, title, status }) => ({ title, status, ids: idsIn(fullName) })),
  )
  return Object.entries(claims).map(([id, name]) => {
    const own = tests.filter(({ ids }) => ids.includes(id)).map(({ title, status }) => ({ title, status }))
    return { id, name, outcome: outcomeOf(own.map(({ status }) => status)), tests: own }
  })
}

/** One failed test is one too many, whatever the others say. */
function outcomeOf(statuses: readonly string[]): Proof['outcome'] {
  if (statuses.length === 0) return 'missing'
  if (statuses.includes('failed')) return 'FAIL'
  return statuses.includes('passed') ? 'pass' : 'skipped'
}

/** Ids that stand in test names and are not claimed. */
export function unclaimed(report: Report, claims: Readonly<Record<string, string>>): readonly string[] {
  const named = report.testResults.flatMap(({ assertionResults }) =>
    assertionResults.flatMap(({ fullName }) => idsIn(fullName)),
  )
  return [...new Set(named)].filter((id) => !Object.hasOwn(claims, id)).sort()
}

export function tableOf(proofs: readonly Proof[]): string {
  const wide = Math.max(...proofs.map(({ id }) => id.length))
  const lines = proofs.flatMap(({ id, name, outcome, tests }) => [
    `${id.padEnd(wide)}  ${outcome.padEnd(7)}  ${name}`,
    ...tests.map(({ title, status }) => `${' '.repeat(wide)}  ${mark(status)}        → ${title}`),
  ])
  const passed = proofs.filter(({ outcome }) => outcome === 'pass').length
  return [...lines, `${passed} of ${proofs.length} claimed ids have a passing test and no failing one`].join('\n')
}

function mark(status: string): string {
  if (status === 'passed') return '✓'
  return status === 'failed' ? '✗' : '-'
}
