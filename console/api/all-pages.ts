import type { Page } from '../../gateway/protocol/rest.ts'

/** Every page of a list that is short by its nature (agents, people, roles, keys), so that screens may count and filter it. */
export async function allPages<T>(read: (cursor: string | undefined) => Promise<Page<T>>): Promise<readonly T[]> {
  const all: T[] = []
  let cursor: string | undefined
  do {
    const page = await read(cursor)
    all.push(...page.items)
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  return all
}
