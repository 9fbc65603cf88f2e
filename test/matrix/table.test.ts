// The README tells what works where: the same table as the matrix is tried against, in both directions.

import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { expected, rowsOf } from './cells.ts'

test('the table in the README and the cells of the matrix are the same', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const table = /<!-- matrix -->\n([\s\S]*?)\n<!-- \/matrix -->/.exec(readme)?.[1]
  expect(table?.split('\n')).toEqual(rowsOf(expected))
})
