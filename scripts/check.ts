// `npm run check`: types, lint, layers, unused code, generated documents, route cases, rule ids, front-end budgets. Runs all, then fails.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const bin = (name: string): string => join(root, 'node_modules/.bin', name)

const steps: readonly (readonly [name: string, command: string, args: readonly string[]])[] = [
  ['types: gateway', bin('tsc'), ['-p', 'tsconfig.gateway.json']],
  ['types: widget', bin('tsc'), ['-p', 'widget/tsconfig.json']],
  ['types: console', bin('tsc'), ['-p', 'console/tsconfig.json']],
  ['types: API page', bin('tsc'), ['-p', 'api-docs/tsconfig.json']],
  ['lint', bin('biome'), ['check', '--error-on-warnings', '.']],
  ['layers', process.execPath, ['scripts/check-layers.ts']],
  ['unused', bin('knip'), []],
  ['documents', process.execPath, ['scripts/docs.ts', '--check']],
  ['routes', process.execPath, ['scripts/check-routes.ts']],
  ['API client', process.execPath, ['scripts/api-client.ts', '--check']],
  ['rule ids', process.execPath, ['scripts/check-spec.ts']],
  ['front ends', process.execPath, ['scripts/build.ts']],
  ['budgets', process.execPath, ['scripts/check-size.ts']],
]

let failed = 0
for (const [name, command, args] of steps) {
  const started = performance.now()
  const run = spawnSync(command, [...args], { cwd: root, encoding: 'utf8' })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const ok = run.status === 0
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`)
  if (!ok) {
    failed++
    console.log(`${run.stdout}\n${run.stderr}`)
  }
}
console.log(`check: ${steps.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
