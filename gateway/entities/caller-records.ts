// Entities of any type as one caller may read and change them: rows and masks apply to everything that is asked and told.

import type { Actor, AuthContext } from '../platform/access.ts'
import type { Clock } from '../platform/clock.ts'
import type { PageQuery } from '../platform/cursor.ts'
import type { TenantId } from '../platform/ids.ts'
import { found, Problem } from '../platform/problem.ts'
import type { Filter } from '../platform/row-filter.ts'
import { meetsRows } from '../platform/rows.ts'
import type { EntityView } from '../protocol/records.ts'
import type { Page } from '../protocol/rest.ts'
import { slugSchema } from './entity.ts'
import type { EntityKind } from './entity-kind.ts'
import type { LogKeeper } from './log-keeper.ts'
import { merged, touched } from './merge.ts'
import { changesOf, newEvent } from './outbox.ts'
import {
  type Aggregate,
  afterCursor,
  aggregateOf,
  cursorOf,
  filterOf,
  lookedUp,
  orderOf,
  type RecordQuery,
  rowsFilter,
} from './record-query.ts'
import { type AggregateRow, type EntityRecord, type RecordStore, searchPart } from './record-store.ts'
import { recordView } from './record-view.ts'
import type { TypeStore } from './type-store.ts'
import { valuesAt } from './words.ts'

export interface CallerRecords {
  /** Newest first, or as sorted. `not_found` for a type that the caller cannot read; `invalid`, `forbidden` for what may not be asked. */
  list(type: string, query: RecordQuery & PageQuery): Promise<Page<EntityView>>
  count(type: string, query: RecordQuery): Promise<number>
  /** One row, or one per value that is grouped by: at most 100. */
  aggregate(type: string, query: RecordQuery, asked: Aggregate): Promise<readonly AggregateRow[]>
  /** By id or slug. */
  get(type: string, key: string): Promise<EntityView>
  /** `invalid` with the paths of what does not fit; `conflict` for a slug that is taken. */
  create(type: string, record: GivenRecord): Promise<EntityView>
  /** What was made under this key, if the caller sees it. */
  made(type: string, key: string): Promise<EntityView | undefined>
  /** `data` as a JSON merge patch. `conflict` when `rev` is given and is not the entity's any more. */
  update(type: string, key: string, patch: RecordPatch): Promise<EntityView>
  remove(type: string, key: string, rev?: number): Promise<void>
}

export interface GivenRecord {
  readonly slug?: string | undefined
  readonly data: object
  /** Idempotency key: whoever comes second gets what was made first. */
  readonly key?: string | undefined
}

export interface RecordPatch {
  readonly data?: object | undefined
  readonly slug?: string | undefined
  readonly rev?: number | undefined
}

export interface RecordsDeps {
  readonly records: RecordStore
  readonly types: TypeStore
  readonly log: LogKeeper
  readonly clock: Clock
  /** `not_found` for a type that is not there or cannot be read. */
  kindFor(tenantId: TenantId, auth: AuthContext, type: string): Promise<EntityKind>
}

/** Others changed the same entity that often in between. */
const maxTries = 5

interface Scope {
  readonly deps: RecordsDeps
  readonly tenantId: TenantId
  readonly auth: AuthContext
}

export function callerRecords(deps: RecordsDeps, tenantId: TenantId, auth: AuthContext): CallerRecords {
  const scope = { deps, tenantId, auth }
  const kindOf = (type: string) => deps.kindFor(tenantId, auth, type)
  return {
    list: async (type, query) => list(scope, await kindOf(type), query),
    async count(type, query) {
      const kind = await kindOf(type)
      const filter = filterOf({ kind, auth }, query)
      const first = await lookUp(scope, kind, query)
      return deps.records.count(tenantId, type, { $and: [first, filter] })
    },
    async aggregate(type, query, given) {
      const kind = await kindOf(type)
      const asked = aggregateOf({ kind, auth }, given)
      const filter = filterOf({ kind, auth }, query)
      const first = await lookUp(scope, kind, query)
      return deps.records.aggregate(tenantId, type, { filter: { $and: [first, filter] }, asked })
    },
    async get(type, key) {
      const kind = await kindOf(type)
      return recordView(kind, await visible(scope, kind, key), auth)
    },
    made: async (type, key) => {
      const kind = await kindOf(type)
      const record = await deps.records.madeFor(tenantId, type, key)
      if (record === undefined) return undefined
      return recordView(kind, await visible(scope, kind, record.id), auth)
    },
    create: async (type, record) => create(scope, writable(scope, await kindOf(type)), record),
    update: async (type, key, patch) => update(scope, writable(scope, await kindOf(type)), { key, patch }),
    remove: async (type, key, rev) => remove(scope, writable(scope, await kindOf(type)), { key, rev }),
  }
}

function writable({ auth }: Scope, kind: EntityKind): EntityKind {
  if (!auth.may('entities.write', kind.slug)) throw new Problem('forbidden')
  return kind
}

/** Where reading begins. Looking up needs every entity to be found by what its type says now. */
async function lookUp({ deps, tenantId, auth }: Scope, kind: EntityKind, query: RecordQuery): Promise<Filter> {
  const tokens = lookedUp({ kind, auth }, query)
  if (tokens.length > 0) while (await deps.records.findAnew(tenantId, kind));
  return deps.records.rarest(tenantId, kind.slug, tokens)
}

async function list(scope: Scope, kind: EntityKind, query: RecordQuery & PageQuery): Promise<Page<EntityView>> {
  const { deps, tenantId, auth } = scope
  const asking = { kind, auth }
  const order = orderOf(asking, query.sort)
  const after = afterCursor(order, query.cursor)
  const asked = filterOf(asking, query)
  const first = await lookUp(scope, kind, query)
  const filter = { $and: [first, asked, ...(after === undefined ? [] : [after])] }
  const records = await deps.records.find(tenantId, kind.slug, { filter, order, count: query.limit + 1 })
  const shown = records.slice(0, query.limit)
  const last = shown.at(-1)
  const isMore = records.length > query.limit && last !== undefined
  return {
    items: shown.map((each) => recordView(kind, each, auth)),
    next: isMore ? cursorOf(order, last.id, order.path && valuesAt(last, order.path)[0]) : null,
  }
}

async function visible({ deps, tenantId, auth }: Scope, kind: EntityKind, key: string): Promise<EntityRecord> {
  return found(await deps.records.get(tenantId, kind.slug, { key, rows: rowsFilter({ kind, auth }) }))
}

async function create(scope: Scope, kind: EntityKind, given: GivenRecord): Promise<EntityView> {
  const { deps, tenantId, auth } = scope
  const { records, clock } = deps
  const first = await madeFor(scope, kind, given.key)
  if (first !== undefined) return first
  const nowMs = clock.now()
  const id = records.newId(nowMs)
  const slug = slugOf(given.slug ?? id.slice(id.indexOf('_') + 1))
  const { data, search } = fit(kind, given.data)
  staysMine(scope, kind, { id, slug, data, createdBy: auth.actor.id })
  const event = newEvent('entity.created', {
    ...{ actor: auth.actor, entity: { type: kind.slug, id }, nowMs },
    payload: { rev: 1, slug, data },
  })
  if (!(await records.insert(tenantId, kind, { id, slug, data, search, event, madeFor: given.key }))) {
    const other = await madeFor(scope, kind, given.key)
    if (other !== undefined) return other
    throw slugTaken()
  }
  // The type may be on its way out: what came too late for its removal goes by itself.
  if (!kind.view.builtIn && (await deps.types.find(tenantId, kind.slug))?.isRemoving !== false) {
    const late = await records.get(tenantId, kind.slug, { key: id })
    if (late !== undefined) await entomb(deps, tenantId, { actor: auth.actor, record: late })
    throw new Problem('not_found')
  }
  await deps.log.records(tenantId, [id])
  return recordView(kind, found(await records.get(tenantId, kind.slug, { key: id })), auth)
}

async function madeFor(
  { deps, tenantId, auth }: Scope,
  kind: EntityKind,
  key: string | undefined,
): Promise<EntityView | undefined> {
  const record = key === undefined ? undefined : await deps.records.madeFor(tenantId, kind.slug, key)
  return record === undefined ? undefined : recordView(kind, record, auth)
}

async function update(
  scope: Scope,
  kind: EntityKind,
  { key, patch }: { key: string; patch: RecordPatch },
): Promise<EntityView> {
  const { deps, tenantId, auth } = scope
  for (const path of touched(patch.data ?? {}))
    if (!auth.sees('entities', `data.${path}`, kind.slug))
      throw new Problem('forbidden', `The field ${path.slice(0, 80)} is not yours to change.`)
  for (let attempt = 1; ; attempt++) {
    const record = await visible(scope, kind, key)
    if (patch.rev !== undefined && patch.rev !== record.rev)
      throw new Problem('conflict', 'The entity was changed meanwhile.')
    const slug = slugOf(patch.slug ?? record.slug)
    const { data, search } = fit(kind, patch.data === undefined ? record.data : merged(record.data, patch.data))
    staysMine(scope, kind, { id: record.id, slug, data, createdBy: record.createdBy })
    const changes = changesOf(record.data, data)
    if (slug === record.slug && Object.keys(changes).length === 0) return recordView(kind, record, auth)
    const event = newEvent('entity.updated', {
      ...{ actor: auth.actor, entity: { type: kind.slug, id: record.id }, nowMs: deps.clock.now() },
      payload: { rev: record.rev + 1, slug, data: changes },
    })
    const set = { slug, data, ...searchPart(kind, data, search) }
    const outcome = await deps.records.change(tenantId, record, { event, set })
    if (outcome === 'taken') throw slugTaken()
    if (outcome === 'done') {
      await deps.log.records(tenantId, [record.id])
      return recordView(kind, { ...record, slug, data, rev: record.rev + 1, updatedAt: event.at }, auth)
    }
    if (attempt === maxTries) throw new Problem('conflict', 'The entity is being changed by others.')
  }
}

async function remove(
  scope: Scope,
  kind: EntityKind,
  { key, rev }: { key: string; rev: number | undefined },
): Promise<void> {
  const { deps, tenantId, auth } = scope
  for (let attempt = 1; attempt <= maxTries; attempt++) {
    const record = await visible(scope, kind, key)
    if (rev !== undefined && rev !== record.rev) throw new Problem('conflict', 'The entity was changed meanwhile.')
    if (await entomb(deps, tenantId, { actor: auth.actor, record })) return
  }
  throw new Problem('conflict', 'The entity is being changed by others.')
}

/** Whoever may see it. False: it was changed meanwhile. */
export async function entomb(
  deps: Pick<RecordsDeps, 'records' | 'log' | 'clock'>,
  tenantId: TenantId,
  { actor, record }: { readonly actor: Actor; readonly record: EntityRecord },
): Promise<boolean> {
  const { id, type, slug } = record
  const event = newEvent('entity.deleted', {
    ...{ actor, entity: { type, id }, nowMs: deps.clock.now() },
    payload: { rev: record.rev + 1, slug },
  })
  // No query finds it under this type any more; the slug is free.
  const set = { type: `~${type}`, slug: id, data: {}, tokens: [], words: [] }
  const unset = { links: true, linkedTo: true, search: true, tokensFor: true } as const
  if ((await deps.records.change(tenantId, record, { event, set, unset })) !== 'done') return false
  await deps.log.records(tenantId, [id])
  return true
}

function fit(kind: EntityKind, data: object) {
  const checked = kind.check(data)
  if (checked.is === 'fit') return { data: checked.data, search: checked.search }
  throw new Problem('invalid', `The ${kind.slug} has a wrong value.`, { issues: checked.issues })
}

/** Nobody makes a row that is not theirs, nor gives one away. Relations are not of the record: they are decided on reading. */
function staysMine(
  { auth }: Scope,
  kind: EntityKind,
  record: { id: string; slug: string; data: object; createdBy: string | null },
): void {
  const rows = auth.rows('entities', kind.slug)
  const fields =
    rows.is === 'some' ? { ...rows, anyOf: rows.anyOf.map((list) => list.filter((each) => each.is === 'field')) } : rows
  if (!meetsRows(fields, { ...record, type: kind.slug }))
    throw new Problem('forbidden', 'That would not be one of your rows.')
}

function slugOf(slug: string): string {
  if (slugSchema.safeParse(slug).success) return slug
  throw new Problem('invalid', 'The slug has a wrong shape.', {
    issues: [{ path: 'slug', message: 'lower-case letters, digits and dashes' }],
  })
}

const slugTaken = () =>
  new Problem('conflict', 'The slug is taken.', { issues: [{ path: 'slug', message: 'is taken' }] })
