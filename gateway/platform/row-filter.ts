// From the rows that a caller may see to a filter of the store, so that lists, counts and pages tell nothing of others.

import type { AuthContext, RowCondition, Rows } from './access.ts'

/** Part of a MongoDB filter. */
export type Filter = Readonly<Record<string, unknown>>

export interface RowFields {
  /** Where the store keeps a field of the rule; undefined for one that it does not know: the condition then matches nothing. */
  path(field: string): string | undefined
  /** The filter of rows that have this relation; without it a relation matches nothing. */
  related?(relation: string, to: string): Filter
}

/** No document has it. */
export const nothing: Filter = { _id: { $in: [] } }

/** `undefined`: no restriction. Says of every record what `meetsRows` says, and sees relations too. */
export function rowFilter(rows: Rows, auth: AuthContext, fields: RowFields): Filter | undefined {
  if (rows.is === 'all') return undefined
  if (rows.is === 'none' || rows.anyOf.length === 0) return nothing
  if (rows.anyOf.some((each) => each.length === 0)) return undefined
  const lists = rows.anyOf.map((list) => list.map((each) => conditionFilter(each, auth, fields)))
  // A list with an unknown field matches nothing: the others decide.
  const known = lists.flatMap((list) => {
    const parts = list.filter((each) => each !== undefined)
    return parts.length === list.length ? [{ $and: parts }] : []
  })
  if (known.length === 0) return nothing
  return known.length === 1 ? known[0] : { $or: known }
}

/** All of them; undefined ones restrict nothing. */
export function allOf(...filters: readonly (Filter | undefined)[]): Filter {
  const given = filters.filter((each) => each !== undefined)
  return given.length === 0 ? {} : { $and: given }
}

/** In a rule these words stand for the caller. */
export const ownId = 'actor.id'

function conditionFilter(condition: RowCondition, auth: AuthContext, fields: RowFields): Filter | undefined {
  const own = <T>(value: T) => (value === ownId ? auth.actor.id : value)
  if (condition.is === 'relation') return fields.related?.(condition.relation, own(condition.to))
  const path = fields.path(condition.field)
  if (path === undefined) return undefined
  const values = condition.values.map(own)
  return { [path]: condition.op === 'ne' ? { $nin: values } : { $in: values } }
}
