// What grants amount to: may one, on which rows, with which fields. Pure; the order of grants and policies decides nothing.

import { type Ability, abilities, type RowCondition, type Rows } from '../../platform/access.ts'
import { meets, valuesAt } from '../../platform/rows.ts'
import { type FieldMask, type Grant, kindOf, type Policy } from './grant.ts'

/** Stands for every kind that no grant names. */
const other = Symbol('other')
type Kind = string | typeof other

export interface Asked {
  readonly resource: string
  readonly kind?: string | undefined
}

/** Whether any grant allows it and no denial beats that. Without `kind`: on any kind at all; with `*`: on every one. */
export function allows(grants: readonly Grant[], ability: Ability, kind?: string): boolean {
  const [resource = ''] = ability.split('.')
  const isAllowed = (each: Kind): boolean => standing(grants, [ability], each).length > 0
  if (kind !== undefined && kind !== '*') return isAllowed(kind)
  const kinds: readonly Kind[] = [other, ...named(grants, resource)]
  return kind === '*' ? kinds.every(isAllowed) : kinds.some(isAllowed)
}

/** The grants that let somebody read, one by one: what is denied to one of them is not had by it. */
function readers(grants: readonly Grant[], resource: string, kind: Kind): readonly Grant[] {
  return standing(grants, readingOf(resource), kind)
}

/** Reading where it is an ability of its own, else anything that can be done with the resource. */
function readingOf(resource: string): readonly Ability[] {
  const all = abilities.filter((each) => each.startsWith(`${resource}.`))
  const reading = all.filter((each) => each === `${resource}.read`)
  return reading.length > 0 ? reading : all
}

/** Grants with an allowing policy above every denial. */
function standing(grants: readonly Grant[], wanted: readonly Ability[], kind: Kind): readonly Grant[] {
  return grants.filter((grant) =>
    wanted.some((ability) => {
      const denial = highest(grants, 'deny', { ability, kind })
      return highest([grant], 'allow', { ability, kind }) > denial
    }),
  )
}

function highest(
  grants: readonly Grant[],
  effect: Policy['effect'],
  asked: { readonly ability: Ability; readonly kind: Kind },
): number {
  let best = Number.NEGATIVE_INFINITY
  for (const grant of grants) {
    if (!reaches(grant, asked)) continue
    for (const policy of grant.policies)
      if (policy.effect === effect && policy.priority > best && covers(policy, asked)) best = policy.priority
  }
  return best
}

function reaches({ scope }: Grant, { ability, kind }: { readonly ability: Ability; readonly kind: Kind }): boolean {
  if (scope === undefined) return true
  const [resource = ''] = ability.split('.')
  return kindOf(resource)?.family === scope.of && scope.id === kind
}

function covers(policy: Policy, { ability, kind }: { readonly ability: Ability; readonly kind: Kind }): boolean {
  const [resource = '', action] = ability.split('.')
  return (
    (policy.resource === '*' || policy.resource === resource) &&
    (policy.action === '*' || policy.action === action) &&
    // A kind narrows a policy only where the resource has kinds.
    (policy.kind === undefined || (policy.kind === kind && kindOf(resource) !== undefined))
  )
}

/** Kinds of a resource that any grant speaks of. */
export function named(grants: readonly Grant[], resource: string): readonly string[] {
  const family = kindOf(resource)?.family
  if (family === undefined) return []
  const kinds = grants.flatMap(({ scope, policies, rules, masks }) => [
    ...(scope?.of === family ? [scope.id] : []),
    ...[...policies, ...rules, ...masks].flatMap((each) =>
      (each.resource === resource || each.resource === '*') && each.kind !== undefined ? [each.kind] : [],
    ),
  ])
  return [...new Set(kinds)].sort()
}

const applies = (each: { readonly resource: string; readonly kind?: string }, resource: string, kind: Kind): boolean =>
  each.resource === resource && (each.kind === undefined || each.kind === kind)

/** `actorId` is put where a rule says `actor.id`. */
export function rowsOf(grants: readonly Grant[], { resource, kind }: Asked, actorId: string): Rows {
  if (kind !== undefined) return rowsOfKind(grants, { resource, kind }, actorId)
  const field = kindOf(resource)?.field
  const kinds = named(grants, resource)
  const rest = rowsOfKind(grants, { resource, kind: other }, actorId)
  if (field === undefined || kinds.length === 0) return rest
  const parts = [
    ...kinds.map((each) =>
      within(rowsOfKind(grants, { resource, kind: each }, actorId), { is: 'field', field, op: 'in', values: [each] }),
    ),
    within(rest, { is: 'field', field, op: 'ne', values: kinds }),
  ]
  const whole = [rest, ...kinds.map((each) => rowsOfKind(grants, { resource, kind: each }, actorId))]
  if (whole.every((each) => each.is === 'all')) return { is: 'all' }
  const anyOf = parts.flat()
  return anyOf.length === 0 ? { is: 'none' } : { is: 'some', anyOf }
}

function rowsOfKind(
  grants: readonly Grant[],
  { resource, kind }: { readonly resource: string; readonly kind: Kind },
  actorId: string,
): Rows {
  const reading = readers(grants, resource, kind)
  if (reading.length === 0) return { is: 'none' }
  const anyOf: (readonly RowCondition[])[] = []
  for (const grant of reading) {
    const rules = grant.rules.filter((each) => applies(each, resource, kind))
    if (rules.length === 0) return { is: 'all' }
    anyOf.push(...rules.map(({ conditions }) => conditions.map((each) => filled(each, actorId))))
  }
  return { is: 'some', anyOf }
}

/** The rows that meet one condition more. */
function within(rows: Rows, condition: RowCondition): readonly (readonly RowCondition[])[] {
  if (rows.is === 'none') return []
  if (rows.is === 'all') return [[condition]]
  return rows.anyOf.map((each) => [...each, condition])
}

function filled(condition: RowCondition, actorId: string): RowCondition {
  const own = <V>(value: V): V | string => (value === 'actor.id' ? actorId : value)
  if (condition.is === 'relation') return { ...condition, to: own(condition.to) }
  return { ...condition, values: condition.values.map(own) }
}

/** What stays hidden of one record: the least that any grant which shows it would hide. */
export function masksOf(
  grants: readonly Grant[],
  asked: Asked & { readonly record: object; readonly actorId: string },
): readonly FieldMask[] {
  const { resource, record, actorId } = asked
  const told = asked.kind ?? ownKind(resource, record)
  const kind: Kind = told ?? other
  const reading = readers(grants, resource, kind)
  const showing = reading.filter((grant) => {
    const rules = grant.rules.filter((each) => applies(each, resource, kind))
    return (
      rules.length === 0 ||
      rules.some(({ conditions }) => conditions.every((each) => meets(record, filled(each, actorId))))
    )
  })
  // Nobody says who may see it: everything that anybody would hide stays hidden.
  if (reading.length === 0) return grants.flatMap(({ masks }) => masks.filter((each) => applies(each, resource, kind)))
  return common(
    (showing.length > 0 ? showing : reading).map(({ masks }) => masks.filter((each) => applies(each, resource, kind))),
  )
}

function ownKind(resource: string, record: object): string | undefined {
  const field = kindOf(resource)?.field
  const value = field === undefined ? undefined : valuesAt(record, field)[0]
  return typeof value === 'string' ? value : undefined
}

/** Masked is what every one of them masks, itself or around it. */
function common(lists: readonly (readonly FieldMask[])[]): readonly FieldMask[] {
  const all = lists.flat()
  const fields = [...new Set(all.map((each) => each.field))].sort()
  return fields.flatMap((field) => {
    const ways = lists.map((list) => list.filter((each) => isUnder(field, each.field)))
    const first = all.find((each) => each.field === field)
    if (first === undefined || ways.some((each) => each.length === 0)) return []
    const how = ways.every((each) => each.some((mask) => mask.how === 'hide')) ? 'hide' : 'redact'
    return [{ ...first, how } as const]
  })
}

const isUnder = (field: string, around: string): boolean => field === around || field.startsWith(`${around}.`)

/** Whether asking by this field tells nothing that is masked. */
export function seesField(grants: readonly Grant[], { resource, kind }: Asked, field: string): boolean {
  const kinds: readonly Kind[] = kind === undefined ? [other, ...named(grants, resource)] : [kind]
  return kinds.every((each) =>
    readers(grants, resource, each).every(({ masks }) =>
      masks.every((mask) => {
        if (!applies(mask, resource, each)) return true
        return field !== '*' && !isUnder(field, mask.field) && !isUnder(mask.field, field)
      }),
    ),
  )
}
