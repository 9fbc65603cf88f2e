// How the tools of a server are called here. Pure.

import { createHash } from 'node:crypto'

/** What every engine takes as the name of a function. */
const maxChars = 64
const hashChars = 6

/** `<server>__<tool>`, each name once: whatever a model cannot be told is written differently, and what collides gets a mark. */
export function toolNames(server: string, tools: readonly string[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  const taken = new Set<string>()
  // In an order of their own: a server that lists differently tomorrow must not exchange names.
  for (const tool of [...new Set(tools)].sort()) {
    const plain = `${server}__${tool.replaceAll(/[^a-zA-Z0-9_-]/g, '_')}`
    const name =
      plain.length <= maxChars && isSame(plain, server, tool) && !taken.has(plain) ? plain : marked(plain, tool)
    taken.add(name)
    names.set(tool, name)
  }
  return names
}

const isSame = (name: string, server: string, tool: string) => name === `${server}__${tool}`

/** The mark is of the whole name: `a.b` and `a/b` stay two tools. */
function marked(plain: string, tool: string): string {
  const mark = createHash('sha256').update(tool).digest('hex').slice(0, hashChars)
  return `${plain.slice(0, maxChars - hashChars - 1)}_${mark}`
}
