// Row conditions over a record that is at hand: for what leaves by a socket or an event, where no query decides. Pure.

import type { AuthContext, RowCondition, Rows } from './access.ts'

/**
 * The record as this caller may see it, or undefined when it is none of their rows. What is pushed goes through here;
 * what is asked for has its rows decided in the query and its fields by `masked`.
 */
export function shownTo<T extends object>(
  auth: Pick<AuthContext, 'rows' | 'masked'>,
  resource: string,
  record: T,
): T | undefined {
  return meetsRows(auth.rows(resource), record) ? auth.masked(resource, record) : undefined
}

export function meetsRows(rows: Rows, record: object): boolean {
  if (rows.is !== 'some') return rows.is === 'all'
  return rows.anyOf.some((conditions) => conditions.every((each) => meets(record, each)))
}

/** A relation cannot be seen in the record: it counts as not met, which only ever hides more. */
export function meets(record: object, condition: RowCondition): boolean {
  if (condition.is === 'relation') return false
  const found = valuesAt(record, condition.field)
  const isListed = found.length === 0 ? condition.values.includes(null) : found.some((each) => isOneOf(each, condition))
  return condition.op === 'ne' ? !isListed : isListed
}

const isOneOf = (value: unknown, { values }: { readonly values: readonly unknown[] }): boolean =>
  values.some((each) => each === value)

/** Every value at a dotted path; lists on the way and at its end are gone through. */
export function valuesAt(value: unknown, path: string): readonly unknown[] {
  let level: readonly unknown[] = [value]
  for (const part of path.split('.')) level = level.flatMap(items).flatMap((each) => fieldOf(each, part))
  return level.flatMap(items)
}

const items = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value])

function fieldOf(value: unknown, key: string): readonly unknown[] {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return []
  return [Reflect.get(value, key)]
}
