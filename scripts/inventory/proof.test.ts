import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { claims } from './claims.ts'
import { proofsOf, type Report, tableOf, unclaimed } from './proof.ts'

const dir = mkdtempSync(join(tmpdir(), 'parley-inventory-test-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const reportOf = (tests: Readonly<Record<string, string>>): Report => ({
  testResults: [
    {
      name: 'x.test.ts',
      assertionResults: Object.entries(tests).map(([title, status]) => ({ title, fullName: `suite ${title}`, status })),
    },
  ],
})

const outcomes = (tests: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    proofsOf(reportOf(tests), { 'S900-1': 'One', 'S900-10': 'Ten' }).map(({ id, outcome }) => [id, outcome]),
  )

test('an id is proved by a passing test that carries it, not by one of an id that begins alike', () => {
  expect(outcomes({ '[S900-10] ten': 'passed' })).toEqual({ 'S900-1': 'missing', 'S900-10': 'pass' })
  expect(outcomes({ '[S900-1, S900-10] both': 'passed' })).toEqual({ 'S900-1': 'pass', 'S900-10': 'pass' })
  expect(outcomes({ '[S900-1] a': 'passed', '[S900-1][S900-10] b': 'failed' })).toEqual({
    ...{ 'S900-1': 'FAIL', 'S900-10': 'FAIL' },
  })
  expect(outcomes({ '[S900-1] a': 'skipped', 'S900-10 without brackets': 'passed' })).toEqual({
    ...{ 'S900-1': 'skipped', 'S900-10': 'missing' },
  })
})

test('the table tells each id, its tests and the sum; an id nobody claims is told', () => {
  const report = reportOf({ '[S900-1] a sentence': 'passed', '[S999-1] a stranger': 'passed' })
  const table = tableOf(proofsOf(report, { 'S900-1': 'One', 'S900-2': 'Two' }))
  expect(table).toContain('S900-1  pass     One')
  expect(table).toContain('→ [S900-1] a sentence')
  expect(table).toContain('S900-2  missing  Two')
  expect(table).toContain('1 of 2 claimed ids')
  expect(unclaimed(report, { 'S900-1': 'One' })).toEqual(['S999-1'])
})

test('the script exits 0 when a report proves every claim, 1 when one is missing, failed, skipped or nobody’s', () => {
  const all = Object.fromEntries(Object.keys(claims).map((id) => [`[${id}] works`, 'passed']))
  const exit = (tests: Readonly<Record<string, string>>): number | null => {
    const file = join(dir, 'report.json')
    writeFileSync(file, JSON.stringify(reportOf(tests)))
    return spawnSync(process.execPath, ['scripts/inventory.ts', '--report', file], { encoding: 'utf8' }).status
  }
  const { '[S001-1] works': _missing, ...some } = all
  expect(exit(all)).toBe(0)
  expect(exit(some)).toBe(1)
  expect(exit({ ...all, '[S001-1] works': 'failed' })).toBe(1)
  expect(exit({ ...all, '[S001-1] works': 'skipped' })).toBe(1)
  expect(exit({ ...all, '[S999-1] works': 'passed' })).toBe(1)
})
