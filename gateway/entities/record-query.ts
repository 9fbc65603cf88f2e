// From what a caller asks for to a filter of the store. Nothing is asked of a field that the caller does not see. Pure.

import { z } from 'zod'
import type { AuthContext } from '../platform/access.ts'
import { Problem } from '../platform/problem.ts'
import { allOf, type Filter, ownId, rowFilter } from '../platform/row-filter.ts'
import type { EntityKind } from './entity-kind.ts'
import type { FieldKind } from './schema.ts'
import { beginningOf, hasToken, valueToken, wordsIn } from './words.ts'

export interface RecordQuery {
  /** Words; every one must be in the entity, or be the beginning of one that is. */
  readonly q?: string | undefined
  readonly where?: Where | undefined
  /** A declared field, `-` in front for the other way round. Default: newest first. */
  readonly sort?: string | undefined
}

const scalar = z.union([z.string().max(1_000), z.number(), z.boolean(), z.null()])
const comparison = z.strictObject({
  eq: scalar.optional(),
  ne: scalar.optional(),
  in: z.array(scalar).min(1).max(100).optional(),
  gt: z.union([z.string().max(1_000), z.number()]).optional(),
  gte: z.union([z.string().max(1_000), z.number()]).optional(),
  lt: z.union([z.string().max(1_000), z.number()]).optional(),
  lte: z.union([z.string().max(1_000), z.number()]).optional(),
})
/** Declared fields by their path inside the data: a value, or comparisons that all hold. */
const where = z
  .record(z.string().max(200), z.union([scalar, comparison]))
  .refine((given) => Object.keys(given).length <= 10, 'at most 10 fields')
export type Where = z.output<typeof where>

/** From JSON text, as it stands in a query or was written by a model. */
export function whereOf(text: string): Where {
  const parsed = where.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  throw new Problem('invalid', 'The conditions are not understood.', {
    issues: [{ path: 'where', message: 'JSON such as {"status":"open","price":{"gte":5}}' }],
  })
}

/** Of the entities that a query finds. */
export interface Aggregate {
  readonly function: 'count' | 'sum' | 'avg' | 'min' | 'max'
  /** A declared number; not for `count`. */
  readonly field?: string | undefined
  /** A declared field that is no list. */
  readonly groupBy?: string | undefined
}

/** What is asked of which fields. `invalid`, `forbidden` as for conditions. */
export function aggregateOf(asking: Asking, { function: name, field, groupBy }: Aggregate): StoredAggregate {
  if (groupBy !== undefined && ['texts', 'numbers'].includes(askable(asking, groupBy)))
    throw new Problem('invalid', `${groupBy.slice(0, 80)} is a list: entities cannot be grouped by it.`)
  const by = groupBy === undefined ? null : `data.${groupBy}`
  if (name === 'count') return { name, by }
  if (field === undefined || askable(asking, field) !== 'number')
    throw new Problem('invalid', `${name} needs a field of numbers.`)
  return { name, of: `data.${field}`, by }
}

export type StoredAggregate = { readonly by: string | null } & (
  | { readonly name: 'count' }
  | { readonly name: 'sum' | 'avg' | 'min' | 'max'; readonly of: string }
)

export interface Asking {
  readonly kind: EntityKind
  readonly auth: AuthContext
}

/** Without tenant and type: the store adds those. */
export function filterOf(asking: Asking, query: RecordQuery): Filter {
  const parts = Object.entries(query.where ?? {}).map(([path, asked]) => conditionFilter(asking, path, asked))
  return allOf(rowsFilter(asking), searchFilter(asking, query.q), ...parts)
}

/** What the index is asked for. The rarest of them decides how much is read. */
export function lookedUp(asking: Asking, { q, where: given = {} }: RecordQuery): readonly string[] {
  const words = q === undefined ? [] : searchWords(q).map((word) => beginningOf(word).token)
  const values = Object.entries(given).flatMap(([path, asked]) => {
    const value = typeof asked === 'object' && asked !== null ? asked.eq : asked
    return hasToken(value) ? [valueToken(path, value)] : []
  })
  return [...words, ...values, ...ruleTokens(asking)]
}

/** Of a rule without alternatives: values that each of the caller's rows has. */
function ruleTokens({ kind, auth }: Asking): readonly string[] {
  const rows = auth.rows('entities', kind.slug)
  const [list = [], ...others] = rows.is === 'some' ? rows.anyOf : []
  if (others.length > 0) return []
  return list.flatMap((each) => {
    if (each.is !== 'field' || each.op === 'ne' || each.values.length !== 1) return []
    const path = rulePath(kind, each.field)
    const [value] = each.values
    const own = value === ownId ? auth.actor.id : value
    return path?.startsWith('data.') === true && hasToken(own) ? [valueToken(path.slice(5), own)] : []
  })
}

export function rowsFilter({ kind, auth }: Asking): Filter | undefined {
  return rowFilter(auth.rows('entities', kind.slug), auth, {
    path: (field) => rulePath(kind, field),
    related: (relation, to) => ({ links: `${relation}>${to}` }),
  })
}

const ownFields = new Map([
  ['id', '_id'],
  ['type', 'type'],
  ['slug', 'slug'],
  ['createdBy', 'createdBy'],
])

function rulePath(kind: EntityKind, field: string): string | undefined {
  const own = ownFields.get(field)
  if (own !== undefined) return own
  const declared = field.startsWith('data.') ? kind.fields.get(field.slice(5)) : undefined
  return declared === undefined || declared === 'other' ? undefined : field
}

/** `invalid` for what is not declared, `forbidden` for what is masked. */
function askable({ kind, auth }: Asking, path: string): FieldKind {
  const declared = kind.fields.get(path)
  if (declared === undefined || declared === 'other')
    throw new Problem('invalid', `The entity type has no field ${path.slice(0, 80)} that can be asked about.`)
  if (!auth.sees('entities', `data.${path}`, kind.slug))
    throw new Problem('forbidden', `The field ${path} is not yours to ask about.`)
  return declared
}

function conditionFilter(asking: Asking, path: string, asked: Where[string]): Filter {
  askable(asking, path)
  const given = typeof asked === 'object' && asked !== null ? asked : { eq: asked }
  const { eq, ne, in: list, ...range } = given
  const field = `data.${path}`
  const bounds = Object.entries(range).map(([name, value]) => ({ [field]: { [`$${name}`]: value } }))
  return allOf(
    eq === undefined ? undefined : equals(path, eq),
    ne === undefined ? undefined : { [field]: { $ne: ne } },
    list === undefined ? undefined : { [field]: { $in: list } },
    ...bounds,
  )
}

/** The index finds the value, the field decides. */
function equals(path: string, value: z.output<typeof scalar>): Filter {
  const field = { [`data.${path}`]: value }
  return hasToken(value) ? { $and: [{ tokens: valueToken(path, value) }, field] } : field
}

const maxSearchWords = 10

/** The longest first: it most likely is the rarest. */
const searchWords = (q: string): readonly string[] =>
  wordsIn(q)
    .slice(0, maxSearchWords)
    .toSorted((a, b) => b.length - a.length)

function searchFilter(asking: Asking, q: string | undefined): Filter | undefined {
  if (q === undefined) return undefined
  const words = searchWords(q)
  if (words.length === 0) return { _id: { $in: [] } }
  const fields = seenFields(asking)
  const parts = words.map((word) => {
    const { token, isWhole } = beginningOf(word)
    return {
      token: { tokens: token },
      rest: isWhole && fields === undefined ? [] : [{ words: inFields(word, fields) }],
    }
  })
  return { $and: [...parts.map((each) => each.token), ...parts.flatMap((each) => each.rest)] }
}

/** Undefined: every field that is searched. */
function seenFields({ kind, auth }: Asking): readonly string[] | undefined {
  const sees = (path: string) => auth.sees('entities', path === '' ? 'data' : `data.${path}`, kind.slug)
  const configured = kind.view.searchFields
  if (configured === null && sees('')) return undefined
  const searched = configured ?? [...kind.fields].flatMap(([path, kinds]) => (isText(kinds) ? [path] : []))
  const seen = searched.filter(sees)
  return configured !== null && seen.length === configured.length ? undefined : seen
}

export const isText = (kind: FieldKind | undefined): boolean => kind === 'text' || kind === 'texts'

/** Paths and words are made of letters, digits, `_`, `-` and dots. */
function inFields(word: string, fields: readonly string[] | undefined): RegExp {
  if (fields === undefined) return new RegExp(`:${word}[^:]*$`)
  if (fields.length === 0) return /^(?!)/
  return new RegExp(`^(?:${fields.map((each) => each.replaceAll('.', '\\.')).join('|')}):${word}`)
}

export interface Order {
  /** Path inside the document; undefined: as they were made. */
  readonly path: string | undefined
  readonly direction: 1 | -1
}

export function orderOf(asking: Asking, sort: string | undefined): Order {
  if (sort === undefined || sort === '-createdAt') return { path: undefined, direction: -1 }
  if (sort === 'createdAt') return { path: undefined, direction: 1 }
  const name = sort.replace(/^-/, '')
  const declared = askable(asking, name)
  if (declared === 'texts' || declared === 'numbers')
    throw new Problem('invalid', `${name} is a list: entities cannot be sorted by it.`)
  return { path: `data.${name}`, direction: sort.startsWith('-') ? -1 : 1 }
}

const cursorShape = z.union([z.tuple([z.string().max(60)]), z.tuple([z.string().max(60), scalar])])
const maxCursorText = 300

/** The last item of a page: its id, and its value where the list is sorted by one. */
export function cursorOf(order: Order, id: string, value: unknown): string {
  const given = scalar.safeParse(value ?? null)
  if (order.path !== undefined && (!given.success || String(given.data).length > maxCursorText))
    throw new Problem('unsupported', 'The values of this field are too long to be sorted by.')
  const parts = order.path === undefined ? [id] : [id, given.data]
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

/** What comes after it. A missing value is null, and null is the least. `invalid` for a cursor of another list. */
export function afterCursor(order: Order, cursor: string | undefined): Filter | undefined {
  if (cursor === undefined) return undefined
  const [id, value] = readCursor(order, cursor)
  const later = order.direction === 1 ? '$gt' : '$lt'
  if (order.path === undefined || value === undefined) return { _id: { [later]: id } }
  const { path } = order
  const same = { [path]: value, _id: { [later]: id } }
  if (value === null) return order.direction === 1 ? { $or: [same, { [path]: { $ne: null } }] } : same
  const beyond = [same, { [path]: { [later]: value } }]
  return { $or: order.direction === 1 ? beyond : [...beyond, { [path]: null }] }
}

function readCursor(order: Order, cursor: string): z.output<typeof cursorShape> {
  const parsed = cursorShape.safeParse(parseJson(Buffer.from(cursor, 'base64url').toString()))
  if (parsed.success && parsed.data.length === (order.path === undefined ? 1 : 2)) return parsed.data
  throw new Problem('invalid', 'The cursor is not one of this list.')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
