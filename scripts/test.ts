// `npm test`: builds what the browser tests need, runs every suite, says which extra suites did not run and why, and
// ends with one line `N passed, N failed`. `--report FILE` keeps vitest's report, for `npm run inventory`.

import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { buildFrontEnds } from './build.ts'

const root = join(import.meta.dirname, '..')
const extra = [
  ['TEST_MONGODB_URI', 'the db suites on a real MongoDB'],
  ['TEST_REDIS_URL', 'the Redis contract on a real Redis'],
] as const

const report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numTotalTests: z.number(),
  success: z.boolean(),
})

const { keep, rest } = readArguments(process.argv.slice(2))
await buildFrontEnds(false)
const dir = mkdtempSync(join(tmpdir(), 'parley-test-'))
try {
  const out = join(dir, 'report.json')
  const run = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${out}`,
      ...rest,
    ],
    { cwd: root, stdio: 'inherit' },
  )
  if (keep !== undefined) copyFileSync(out, keep)
  const { numPassedTests, numFailedTests, numTotalTests, success } = report.parse(JSON.parse(readFileSync(out, 'utf8')))
  const skipped = numTotalTests - numPassedTests - numFailedTests
  for (const [name, what] of extra)
    if ((process.env[name] ?? '') === '') console.log(`not run: ${what} (${name} is not set)`)
  if (skipped > 0) console.log(`${skipped} tests did not run; their suites say why above`)
  // A suite that cannot load has no failed test but is a failure.
  const failed = numFailedTests === 0 && (!success || run.status !== 0) ? 1 : numFailedTests
  console.log(`${numPassedTests} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
} finally {
  rmSync(dir, { recursive: true, force: true })
}

/** `--report FILE` is ours, everything else vitest's. */
function readArguments(given: readonly string[]): { keep: string | undefined; rest: readonly string[] } {
  const at = given.indexOf('--report')
  if (at < 0) return { keep: undefined, rest: given }
  const keep = given[at + 1]
  if (keep === undefined) throw new Error('--report needs a file')
  return { keep, rest: given.filter((_each, i) => i !== at && i !== at + 1) }
}
