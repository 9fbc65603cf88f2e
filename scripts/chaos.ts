// `npm run chaos -- <scenario> [--count N] [--seed S] [--trace DIR]`: real gateways, real faults, and an oracle that compares
// everything. `--trace` writes what every process and client did.

import { parseArgs } from 'node:util'
import { table } from '../test/chaos/report.ts'
import { scenarios } from '../test/chaos/scenarios.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string' },
    seed: { type: 'string' },
    quiet: { type: 'boolean', default: false },
    trace: { type: 'string' },
  },
})
const names = positionals.length === 0 ? [] : positionals
if (names.length === 0 || names.some((name) => scenarios[name] === undefined)) {
  console.error(
    `npm run chaos -- <scenario>… [--count N] [--seed S] [--quiet] [--trace DIR]\nscenarios: ${Object.keys(scenarios).join(', ')}`,
  )
  process.exit(2)
}
// So that the gateways end with this process: they are ended in its exit.
process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))

const seed = Number(values.seed ?? Date.now() % 1_000_000)
const count = values.count === undefined ? undefined : Number(values.count)
let failed = 0
for (const name of names) {
  const run = scenarios[name]
  if (run === undefined) continue
  const startedAt = performance.now()
  const say = (line: string): void => {
    if (!values.quiet) console.log(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(7)} s  ${line}`)
  }
  const report = await run({ seed, count, say, traceDir: values.trace })
  console.log(table(`\nchaos ${name}, seed ${seed}, ${((performance.now() - startedAt) / 1000).toFixed(0)} s`, report))
  failed += report.checks.filter(({ ok }) => !ok).length
}
process.exit(failed === 0 ? 0 : 1)
