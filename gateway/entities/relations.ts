// Typed links between entities. They stand in the entity that they go from: one write makes or takes one, with its event.

import { z } from 'zod'
import type { Actor, AuthContext } from '../platform/access.ts'
import type { TenantId } from '../platform/ids.ts'
import { found, Problem } from '../platform/problem.ts'
import type { RelationView } from '../protocol/records.ts'
import type { Page } from '../protocol/rest.ts'
import type { RecordsDeps } from './caller-records.ts'
import { newEvent } from './outbox.ts'
import { rowsFilter } from './record-query.ts'
import type { EntityRecord } from './record-store.ts'
import { recordView } from './record-view.ts'

export const relationName = z.string().regex(/^[a-z][a-z0-9_-]{0,39}$/, 'lower-case letters, digits, _ and -')

export interface Link {
  readonly relation: string
  /** By id or slug. */
  readonly to: { readonly type: string; readonly key: string }
}

export interface RelationQuery {
  readonly direction?: 'out' | 'in' | undefined
  readonly relation?: string | undefined
  readonly limit: number
  readonly cursor?: string | undefined
}

export interface CallerRelations {
  /** Both must be entities that the caller sees, the first one writable. The same link twice is one. */
  link(type: string, key: string, link: Link): Promise<RelationView>
  /** Taking what is not there is fine. */
  unlink(type: string, key: string, link: Link): Promise<void>
  /** From the entity, then to it. A page speaks of at most `limit` entities; those that the caller does not see are left out. */
  relations(type: string, key: string, query: RelationQuery): Promise<Page<RelationView>>
}

/** Of one entity, outwards; the other direction has no limit. */
const maxLinks = 1_000
const maxTries = 5

interface Scope {
  readonly deps: RecordsDeps
  readonly tenantId: TenantId
  readonly auth: AuthContext
}

export function callerRelations(deps: RecordsDeps, tenantId: TenantId, auth: AuthContext): CallerRelations {
  const scope = { deps, tenantId, auth }
  const seen = async (type: string, key: string): Promise<EntityRecord> => {
    const kind = await deps.kindFor(tenantId, auth, type)
    return found(await deps.records.get(tenantId, type, { key, rows: rowsFilter({ kind, auth }) }))
  }
  const writable = async (type: string, key: string) => {
    const record = await seen(type, key)
    if (!auth.may('entities.write', type)) throw new Problem('forbidden')
    return record
  }
  return {
    async link(type, key, { relation, to }) {
      const [from, target] = await Promise.all([writable(type, key), seen(to.type, to.key)])
      await changeLinks(scope, from, { type: 'entity.linked', relations: [relation], to: target })
      // It may have gone in between, and with it what linked to it until then.
      if ((await deps.records.get(tenantId, target.type, { key: target.id })) === undefined) {
        await unlinkAll(deps, tenantId, { actor: auth.actor, target })
        throw new Problem('not_found')
      }
      const kind = await deps.kindFor(tenantId, auth, target.type)
      return viewOf(relation, 'out', recordView(kind, target, auth))
    },
    async unlink(type, key, { relation, to }) {
      const [from, target] = await Promise.all([writable(type, key), seen(to.type, to.key)])
      await changeLinks(scope, from, { type: 'entity.unlinked', relations: [relation], to: target })
    },
    relations: async (type, key, query) => relationsOf(scope, await seen(type, key), query),
  }
}

/** Takes every link to an entity that is gone out of the others. */
export async function unlinkAll(
  deps: RecordsDeps,
  tenantId: TenantId,
  { actor, target }: { readonly actor: Actor; readonly target: { readonly type: string; readonly id: string } },
): Promise<void> {
  for (let after = ''; ; ) {
    const others = await deps.records.linkedTo(tenantId, keyOf(target), { after, count: 100 })
    for (const each of others) {
      const relations = linksOf(each).flatMap(({ relation, id }) => (id === target.id ? [relation] : []))
      await changeLinks({ deps, tenantId, actor }, each, { type: 'entity.unlinked', relations, to: target })
    }
    const last = others.at(-1)
    if (last === undefined) return
    after = last.id
  }
}

interface LinkChange {
  readonly type: 'entity.linked' | 'entity.unlinked'
  readonly relations: readonly string[]
  readonly to: { readonly type: string; readonly id: string }
}

type Changing = { readonly deps: RecordsDeps; readonly tenantId: TenantId } & (
  | { readonly auth: AuthContext }
  | { readonly actor: Actor }
)

async function changeLinks(
  changing: Changing,
  first: EntityRecord,
  { type, relations, to }: LinkChange,
): Promise<void> {
  const { deps, tenantId } = changing
  const actor = 'auth' in changing ? changing.auth.actor : changing.actor
  const named = relations.map((relation) => `${relation}>${to.id}`)
  let record: EntityRecord | undefined = first
  for (let attempt = 1; attempt <= maxTries && record !== undefined; attempt++) {
    const rest = record.links.filter((each) => !named.includes(each))
    const links = type === 'entity.linked' ? [...rest, ...named] : rest
    if (
      links.length === record.links.length &&
      named.every((each) => links.includes(each) === record?.links.includes(each))
    )
      return
    if (links.length > maxLinks) throw new Problem('invalid', `An entity has at most ${maxLinks} links to others.`)
    const event = newEvent(type, {
      ...{ actor, entity: { type: record.type, id: record.id }, nowMs: deps.clock.now() },
      payload: { rev: record.rev + 1, relations, to: { type: to.type, id: to.id } },
    })
    const others = record.linkedTo.filter((each) => each !== keyOf(to))
    const linkedTo = links.some((each) => each.endsWith(`>${to.id}`)) ? [...others, keyOf(to)] : others
    const change =
      links.length === 0
        ? { event, unset: { links: true, linkedTo: true } as const }
        : { event, set: { links, linkedTo } }
    if ((await deps.records.change(tenantId, record, change)) === 'done') return deps.log.records(tenantId, [record.id])
    record = await deps.records.get(tenantId, record.type, { key: record.id })
  }
  if (record !== undefined) throw new Problem('conflict', 'The entity is being changed by others.')
}

interface Outward {
  readonly link: string
  readonly relation: string
  readonly id: string
  readonly type: string
}

function linksOf(record: EntityRecord): readonly Outward[] {
  const types = new Map(
    record.linkedTo.map((each) => [each.slice(each.indexOf('/') + 1), each.slice(0, each.indexOf('/'))]),
  )
  return record.links.toSorted().map((link) => {
    const [relation = '', id = ''] = link.split('>')
    return { link, relation, id, type: types.get(id) ?? '' }
  })
}

const keyOf = ({ type, id }: { readonly type: string; readonly id: string }) => `${type}/${id}`

/** `o` and the last link outwards, or `i` and the last entity that links here. */
const cursorPattern = /^([oi]):([a-z0-9_>-]{0,100})$/

async function relationsOf(scope: Scope, record: EntityRecord, query: RelationQuery): Promise<Page<RelationView>> {
  const { direction, limit, cursor } = query
  const match = cursor === undefined ? undefined : cursorPattern.exec(cursor)
  if (match === null) throw new Problem('invalid', 'The cursor is not one of this list.')
  const [, side = 'o', after = ''] = match ?? []
  if (side === 'o' && direction !== 'in') {
    const page = await outward(scope, record, { ...query, after })
    if (page.next !== null || direction === 'out') return page
    const left = limit - page.items.length
    if (left <= 0) return { ...page, next: 'i:' }
    const rest = await inward(scope, record, { ...query, limit: left, after: '' })
    return { items: [...page.items, ...rest.items], next: rest.next }
  }
  return inward(scope, record, { ...query, limit, after })
}

type After = RelationQuery & { readonly after: string }

async function outward(
  scope: Scope,
  record: EntityRecord,
  { relation, limit, after }: After,
): Promise<Page<RelationView>> {
  const wanted = linksOf(record).filter(
    (each) => each.link > after && (relation === undefined || each.relation === relation),
  )
  const page = wanted.slice(0, limit)
  const seen = await visibleViews(scope, page)
  const items = page.flatMap(({ relation: name, id }) => {
    const view = seen.get(id)
    return view === undefined ? [] : [viewOf(name, 'out', view)]
  })
  const last = page.at(-1)
  return { items, next: wanted.length > limit && last !== undefined ? `o:${last.link}` : null }
}

async function inward(
  scope: Scope,
  record: EntityRecord,
  { relation, limit, after }: After,
): Promise<Page<RelationView>> {
  const others = await scope.deps.records.linkedTo(scope.tenantId, keyOf(record), { after, count: limit + 1 })
  const page = others.slice(0, limit)
  const seen = await visibleViews(scope, page)
  const items = page.flatMap((other) => {
    const view = seen.get(other.id)
    if (view === undefined) return []
    const names = linksOf(other).flatMap((each) => (each.id === record.id ? [each.relation] : []))
    return names.filter((each) => relation === undefined || each === relation).map((each) => viewOf(each, 'in', view))
  })
  const last = page.at(-1)
  return { items, next: others.length > limit && last !== undefined ? `i:${last.id}` : null }
}

type Shown = RelationView['entity']

async function visibleViews(
  { deps, tenantId, auth }: Scope,
  wanted: readonly { readonly type: string; readonly id: string }[],
): Promise<ReadonlyMap<string, Shown>> {
  const seen = new Map<string, Shown>()
  for (const [type, own] of Map.groupBy(wanted, (each) => each.type)) {
    const kind = await deps.kindFor(tenantId, auth, type).catch(() => undefined)
    if (kind === undefined) continue
    const ids = own.map((each) => each.id)
    for (const each of await deps.records.byIds(tenantId, type, { ids, rows: rowsFilter({ kind, auth }) })) {
      const { id, slug, title } = recordView(kind, each, auth)
      seen.set(each.id, { id, type, slug, title })
    }
  }
  return seen
}

const viewOf = (relation: string, direction: 'out' | 'in', { id, type, slug, title }: Shown): RelationView => ({
  ...{ relation, direction },
  entity: { id, type, slug, title },
})
