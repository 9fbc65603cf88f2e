// Child process of mutants.test.ts: one test file of a slice with one fault of the design built in. Argument: the mutant's
// name, and perhaps `none`: without its patches. Prints one line of JSON: the names of the tests that failed, how many ran.

import { join } from 'node:path'
import { startVitest } from 'vitest/node'
import { rareMutants } from './mutants.ts'
import { patched } from './patch.ts'

const [, , name, none] = process.argv
const mutant = rareMutants.find((each) => each.name === name)
if (mutant === undefined) throw new Error(`no mutant is called ${name}`)
const patches = none === 'none' ? [] : mutant.patches

const root = join(import.meta.dirname, '../..')
const applied = new Set<string>()
const plugin = {
  name: 'mutant',
  enforce: 'pre' as const,
  transform: (code: string, id: string) => patched(code, { path: id.split('?')[0] ?? '', patches, applied }),
}
const options = {
  watch: false,
  config: false as const,
  fsModuleCache: false,
  root,
  reporters: [],
  testTimeout: 30_000,
  hookTimeout: 30_000,
}
const vitest = await startVitest('test', [`gateway/${mutant.file}`], options, { plugins: [plugin] })
const tests = vitest.state.getTestModules().flatMap((module) => [...module.children.allTests()])
await vitest.close()
// Failing is what these tests are for.
process.exitCode = 0
if (applied.size !== patches.length) throw new Error('a patch is of a file that is not loaded')
const failed = tests.filter((test) => test.result().state === 'failed').map((test) => test.name)
process.stdout.write(`${JSON.stringify({ failed, ran: tests.length })}\n`)
