// Cursors: they name the last item seen, so that what is added meanwhile moves nothing.

import type { Page } from '../protocol/rest.ts'
import { Problem } from './problem.ts'

export interface PageQuery {
  readonly limit: number
  readonly cursor?: string | undefined
}

/** Newest first: the moment and the id of the last item. */
export interface Moment {
  readonly at: Date
  readonly id: string
}

const momentPattern = /^(\d{1,15})\.([a-z]+_[a-z0-9]{1,40})$/

/** `invalid` for a cursor that no page gave. */
export function momentOf(cursor: string): Moment {
  const match = momentPattern.exec(cursor)
  const at = new Date(Number(match?.[1] ?? Number.NaN))
  if (match?.[2] === undefined || Number.isNaN(at.getTime()))
    throw new Problem('invalid', 'The cursor is not one of this list.')
  return { at, id: match[2] }
}

export const momentCursor = ({ at, id }: Moment): string => `${at.getTime()}.${id}`

/** What stands after it in `{ at: -1, _id: -1 }`. */
export function afterMoment({ at, id }: Moment): Readonly<Record<string, unknown>> {
  return { at: { $lte: at }, $or: [{ at: { $lt: at } }, { _id: { $lt: id } }] }
}

/** From one item more than was asked for. */
export function pageFrom<D, V>(
  docs: readonly D[],
  limit: number,
  { view, cursor }: { readonly view: (doc: D) => V; readonly cursor: (doc: D) => string },
): Page<V> {
  const shown = docs.slice(0, limit)
  const last = shown.at(-1)
  return { items: shown.map(view), next: docs.length > limit && last !== undefined ? cursor(last) : null }
}
