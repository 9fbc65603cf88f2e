// `npm run inventory`: every claimed id with the tests that prove it, and whether they pass. Runs them, or reads a report
// that `npm test -- --report FILE` left: `npm run inventory -- --report FILE`. Exits 1 where a claim is not proved.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { claims } from './inventory/claims.ts'
import { idsIn, proofsOf, type Report, reportSchema, tableOf, unclaimed } from './inventory/proof.ts'

const root = join(import.meta.dirname, '..')

const { values } = parseArgs({ options: { report: { type: 'string' } } })
const report = values.report === undefined ? await run() : read(values.report)
const proofs = proofsOf(report, claims)
console.log(tableOf(proofs))
const strangers = unclaimed(report, claims)
if (strangers.length > 0) console.error(`in test names and not claimed: ${strangers.join(', ')}`)
// A file that cannot be loaded has no failed test.
const broken = report.testResults.filter(({ assertionResults }) => assertionResults.length === 0)
for (const { name, message } of broken) console.error(`not loaded: ${name} ${message ?? ''}`)
const isProved = proofs.every(({ outcome }) => outcome === 'pass')
process.exitCode = isProved && strangers.length === 0 ? 0 : 1

function read(file: string): Report {
  return reportSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
}

/** Only the files that name an id, and in them only the tests that do. */
async function run(): Promise<Report> {
  const files: string[] = []
  for await (const file of glob(
    ['gateway/**/*.test.ts', 'console/**/*.test.ts', 'scripts/**/*.test.ts', 'test/**/*.test.ts'],
    {
      cwd: root,
    },
  ))
    if (idsIn(readFileSync(join(root, file), 'utf8')).some((id) => Object.hasOwn(claims, id))) files.push(file)
  const dir = mkdtempSync(join(tmpdir(), 'parley-inventory-'))
  try {
    const out = join(dir, 'report.json')
    const vitest = join(root, 'node_modules/vitest/vitest.mjs')
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${out}`]
    spawnSync(process.execPath, [vitest, 'run', ...reporters, '-t', String.raw`\[[^\]]*S\d{3}-\d+`, ...files], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    return read(out)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
