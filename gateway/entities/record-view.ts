// An entity as its caller may see it. Pure.

import type { AuthContext } from '../platform/access.ts'
import type { EntityView } from '../protocol/records.ts'
import type { EntityKind } from './entity-kind.ts'
import type { EntityRecord } from './record-store.ts'

export function recordView(kind: EntityKind, record: EntityRecord, auth: AuthContext): EntityView {
  const { id, type, slug, data, rev, createdBy, createdAt, updatedAt } = record
  const whole: EntityView = {
    ...{ id, type, slug, title: null, data, rev, createdBy },
    ...{ createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() },
  }
  const seen = auth.masked('entities', whole, kind.slug)
  // Made of what the caller sees: a masked name stays masked as a title.
  return 'title' in seen ? { ...seen, title: titleOf(kind, seen.data ?? {}) } : seen
}

function titleOf({ view: { titleField } }: EntityKind, data: object): string | null {
  const title = titleField === null ? undefined : new Map<string, unknown>(Object.entries(data)).get(titleField)
  return typeof title === 'string' || typeof title === 'number' ? String(title) : null
}
