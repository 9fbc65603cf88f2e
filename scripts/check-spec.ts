// Every rule id of a SPEC.md stands in at least one test name, and every [X9] in a test name is a rule of some SPEC.

import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const rules = new Map<string, string>()
for await (const file of glob('gateway/**/SPEC.md', { cwd: root })) {
  for (const match of readFileSync(join(root, file), 'utf8').matchAll(/^(?:- )?\*\*([A-Z]\d+)\*\*/gm))
    rules.set(match[1] ?? '', file)
}
const proved = new Set<string>()
const unknown: string[] = []
for (const pattern of ['gateway/**/*.test.ts', 'test/**/*.test.ts', 'widget/**/*.test.ts']) {
  for await (const file of glob(pattern, { cwd: root })) {
    const names = readFileSync(join(root, file), 'utf8').matchAll(
      /\b(?:test|it)(?:\.\w+(?:\([^)]*\))?)?\(\s*(['"`])(.*?)\1/gs,
    )
    for (const [, , name = ''] of names) {
      for (const [, id = ''] of name.matchAll(/\[([A-Z]\d+)\]/g)) {
        if (rules.has(id)) proved.add(id)
        else unknown.push(`${file}: [${id}] is no rule`)
      }
    }
  }
}
const unproved = [...rules].filter(([id]) => !proved.has(id)).map(([id, file]) => `${file}: ${id} has no test`)
for (const line of [...unknown, ...unproved]) console.error(line)
if (rules.size === 0) throw new Error('no SPEC.md was read')
console.log(`rules: ${rules.size}, all with a test: ${unproved.length === 0}`)
process.exitCode = unknown.length + unproved.length === 0 ? 0 : 1
