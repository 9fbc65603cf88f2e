// A mutant's patches put into the source of a file as it is loaded.

import { join } from 'node:path'
import type { Patch } from './mutants.ts'

const gateway = join(import.meta.dirname, '../../gateway')

export interface Patching {
  readonly path: string
  readonly patches: readonly Patch[]
  /** What was put in. */
  readonly applied: Set<string>
}

/** Undefined: none is for this file. Throws when one does not fit exactly one place. */
export function patched(source: string, { path, patches, applied }: Patching): string | undefined {
  const mine = patches.filter(({ file }) => path === join(gateway, file))
  if (mine.length === 0) return undefined
  let code = source
  for (const { file, find, replace } of mine) {
    const pieces = code.split(find)
    if (pieces.length !== 2) throw new Error(`the patch fits ${pieces.length - 1} places of ${file}: ${find}`)
    code = pieces.join(replace)
    applied.add(find)
  }
  return code
}
