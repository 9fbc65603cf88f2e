// Child process of mutants.test.ts: stormy worlds with one fault of the design built in. Arguments: the mutant's name
// (`none`: the program as it is), how many worlds. Prints one line of JSON.

import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { mutants } from './mutants.ts'
import { patched } from './patch.ts'

const [, , name, count] = process.argv
const patches = name === 'none' ? [] : mutants.find((each) => each.name === name)?.patches
if (patches === undefined) throw new Error(`no mutant is called ${name}`)

const applied = new Set<string>()

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (!url.startsWith('file:')) return loaded
    const source = patched(String(loaded.source), { path: fileURLToPath(url), patches, applied })
    return source === undefined ? loaded : { ...loaded, source }
  },
})

const { runSeed } = await import('./world.ts')
if (applied.size !== patches.length) throw new Error('a patch is of a file that is not loaded')

let seed = 0
let breaches: readonly string[] = []
while (seed < Number(count) && breaches.length === 0) breaches = (await runSeed(++seed, { isStorm: true })).breaches
process.stdout.write(`${JSON.stringify({ seed, breaches })}\n`)
