// Which entities a caller may not see, for whoever tells of entities without asking for them: the log of events.

import type { AuthContext } from '../platform/access.ts'
import type { RecordsDeps } from './caller-records.ts'
import { otherNouns } from './entity-kind.ts'
import { rowsFilter } from './record-query.ts'

export interface EntityRef {
  readonly type: string
  readonly id: string
}

export async function unseen(
  { records, kindFor }: Pick<RecordsDeps, 'records' | 'kindFor'>,
  auth: AuthContext,
  refs: readonly EntityRef[],
): Promise<ReadonlySet<string>> {
  const hidden = new Set<string>()
  for (const [type, own] of Map.groupBy(refs, (each) => each.type)) {
    if (otherNouns.has(type) || auth.rows('entities', type).is === 'all') continue
    const ids = [...new Set(own.map((each) => each.id))]
    const seen = new Set(await seenOf(ids, type))
    for (const id of ids) if (!seen.has(id)) hidden.add(`${type}/${id}`)
  }
  return hidden

  /** Of what is gone nobody can say any more whose row it was. */
  async function seenOf(ids: readonly string[], type: string): Promise<readonly string[]> {
    const kind = await kindFor(auth.tenantId, auth, type).catch(() => undefined)
    if (kind === undefined) return []
    const found = await records.byIds(auth.tenantId, type, { ids, rows: rowsFilter({ kind, auth }) })
    return found.map((each) => each.id)
  }
}
