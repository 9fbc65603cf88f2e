// A program called `pocketsphinx` that answers as the real one does, with words that the test knows were spoken: one line for
// each stretch of speech, in their order. For machines without a recogniser; what is heard as speech is still the gateway's.

import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

export async function standInRecogniser(lines: readonly string[]): Promise<AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-sphinx-'))
  await writeFile(join(folder, 'lines'), `${lines.join('\n')}\n`)
  const program = join(folder, 'pocketsphinx')
  const script = [
    '#!/bin/sh',
    '[ "$1" = single ] || exit 0',
    `cd "${folder}"`,
    'n=$(cat count 2>/dev/null || echo 0); n=$((n + 1)); echo $n > count',
    'line=$(sed -n "$' + '{n}p" lines)',
    'printf \'{"t":"%s"}\\n\' "$line"',
  ]
  await writeFile(program, `${script.join('\n')}\n`)
  await chmod(program, 0o755)
  const before = process.env.PATH
  process.env.PATH = `${folder}${delimiter}${before ?? ''}`
  return {
    async [Symbol.asyncDispose]() {
      process.env.PATH = before
      await rm(folder, { recursive: true, force: true })
    },
  }
}
