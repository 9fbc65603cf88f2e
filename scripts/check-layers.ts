// Runs the direction rule, and tests the checker: it must have read a real number of modules, and a planted
// violation must fail.

import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const root = join(import.meta.dirname, '..')
/** Far below today's count, far above zero. */
const leastModules = 100

const report = z.object({
  summary: z.object({
    totalCruised: z.number(),
    error: z.number(),
    violations: z.array(z.object({ from: z.string(), to: z.string(), rule: z.object({ name: z.string() }) })),
  }),
})

function cruise(paths: readonly string[]): z.infer<typeof report>['summary'] {
  const run = spawnSync(
    process.execPath,
    [join(root, 'node_modules/.bin/depcruise'), '--config', 'scripts/layers.cjs', '--output-type', 'json', ...paths],
    { cwd: root, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 },
  )
  if (run.stdout === '') throw new Error(`dependency-cruiser said nothing: ${run.stderr}`)
  return report.parse(JSON.parse(run.stdout)).summary
}

const summary = cruise(['gateway', 'widget', 'console', 'api-docs'])
for (const { from, to, rule } of summary.violations) console.error(`${rule.name}: ${from} → ${to}`)
if (summary.totalCruised < leastModules)
  throw new Error(`only ${summary.totalCruised} modules were read: the checker is blind`)
if (summary.error > 0) process.exit(1)

// Built at run time so that no formatter or compiler ever meets the violation.
const planted = join(root, 'gateway/ledger/planted-violation.ts')
try {
  mkdirSync(join(root, 'gateway/ledger'), { recursive: true })
  writeFileSync(planted, ["import '../sessions/", "sessions.ts'\n"].join(''))
  const caught = cruise(['gateway/ledger']).violations.some((each) => each.from.endsWith('planted-violation.ts'))
  if (!caught) throw new Error('a planted violation passed: the rules have no teeth')
} finally {
  rmSync(planted, { force: true })
}
console.log(`layers: ${summary.totalCruised} modules, no violation; a planted one was caught`)
