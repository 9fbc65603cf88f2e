// Everything a tenant has that is made, named, put to work and put away: agents, apps of the builder, chats of other systems.
// Owns the objects and the registry of their types. What a type means is the business of the slice that uses it.

import type { Db } from 'mongodb'
import { pageFrom } from '../platform/cursor.ts'
import type { TenantId } from '../platform/ids.ts'
import type { CollectionSpec } from '../platform/mongo.ts'
import { Problem } from '../platform/problem.ts'
import { numberedSlug, slugOf, slugPattern } from '../platform/slug.ts'
import type { Page } from '../protocol/rest.ts'
import { checkMove, type StoredObject } from './object.ts'
import { type AgentData, agentData, type ObjectTypeName, objectType, objectTypes } from './object-types.ts'
import { type ObjectChange, objectStore } from './store.ts'

export type { StoredObject } from './object.ts'
export type { AgentData, ObjectTypeName } from './object-types.ts'
export type { ObjectChange } from './store.ts'

export interface NewObject {
  readonly type: ObjectTypeName
  readonly subtype: string
  readonly name: string
  /** Given: taken as it is, `conflict` when another has it. Missing: made of the name, with a number when another has it. */
  readonly slug?: string | undefined
  readonly data: unknown
  /** Kept when an object is moved here from elsewhere; missing: a new one. */
  readonly id?: string
  readonly status?: string
  readonly createdAt?: Date
}

export interface ObjectList {
  readonly type: ObjectTypeName
  readonly subtype?: string | undefined
  readonly status?: string | undefined
  readonly cursor?: string | undefined
  readonly limit: number
  readonly rows?: Readonly<Record<string, unknown>> | undefined
}

export interface TenantObjects {
  /** With `rows`: unless the caller does not see it. */
  byId(id: string, rows?: ObjectList['rows']): Promise<StoredObject | undefined>
  bySlug(type: ObjectTypeName, slug: string): Promise<StoredObject | undefined>
  /** In the order of their slugs. */
  list(query: ObjectList): Promise<Page<StoredObject>>
  /** `invalid` for a subtype or data that the type does not have. */
  create(object: NewObject): Promise<StoredObject>
  /**
   * `revision` given: only while it is at that one, else undefined. `conflict` for a slug that is taken and for a status
   * where it may not go; `not_found`.
   */
  change(id: string, change: ObjectChange, revision?: number): Promise<StoredObject | undefined>
  /** False when it has changed since. */
  remove(object: Pick<StoredObject, 'id' | 'revision'>): Promise<boolean>
}

export interface Objects {
  of(tenantId: TenantId): TenantObjects
  /** Of those that exist, by `tenantId:id`. */
  statuses(refs: readonly { readonly tenantId: TenantId; readonly id: string }[]): Promise<ReadonlyMap<string, string>>
}

export const objectCollections: readonly CollectionSpec[] = [objectStore.spec]

/** Where an agent's status may go from each. */
export const agentMoves = objectTypes.org_agent.moves

/** Throws for an object that is no agent. */
export function agentDataOf(object: StoredObject): AgentData {
  return agentData.parse(object.data)
}

/** A name that so many have has to be another's mistake. */
const maxSameName = 1_000

export function createObjects(deps: { readonly db: Db }): Objects {
  const store = objectStore.open(deps.db)
  return {
    of: (tenantId) => ({
      byId: (id, rows) => store.byId(tenantId, id, rows),
      bySlug: (type, slug) => store.bySlug(tenantId, type, slug),
      async list({ cursor, ...query }) {
        if (cursor !== undefined && !slugPattern.test(cursor))
          throw new Problem('invalid', 'The cursor is not one of this list.')
        const found = await store.list(tenantId, { ...query, after: cursor })
        return pageFrom(found, query.limit, { view: (each) => each, cursor: (each) => each.slug })
      },
      create: (object) => create(store, tenantId, object),
      async change(id, set, revision) {
        const current = await store.byId(tenantId, id)
        if (current === undefined) throw new Problem('not_found')
        if (revision !== undefined && current.revision !== revision) return undefined
        const checked = changeOf(current, set)
        // A move was checked from this status: it must still be there when it is made.
        const at = revision ?? (set.status === undefined ? undefined : current.revision)
        const changed = await store.change(tenantId, id, { set: checked, revision: at })
        if (changed === 'taken') throw new Problem('conflict', 'This slug is taken.')
        return changed
      },
      remove: ({ id, revision }) => store.remove(tenantId, id, revision),
    }),
    statuses: (refs) => store.statuses(refs),
  }
}

type Store = ReturnType<typeof objectStore.open>

async function create(store: Store, tenantId: TenantId, object: NewObject): Promise<StoredObject> {
  const { slug: asked, type, ...rest } = object
  const { first, data } = checked(type, object)
  const fields = { status: first, ...rest, type, data }
  if (asked !== undefined) {
    const made = await store.insert(tenantId, { ...fields, slug: asked })
    if (made === undefined) throw new Problem('conflict', 'This slug is taken.')
    return made
  }
  const slug = slugOf(object.name, type.replaceAll('_', '-'))
  for (let nth = 1; nth <= maxSameName; nth++) {
    const made = await store.insert(tenantId, { ...fields, slug: numberedSlug(slug, nth) })
    if (made !== undefined) return made
  }
  throw new Problem('conflict', 'Too many have this name: choose another, or give a slug.')
}

function changeOf(current: StoredObject, set: ObjectChange): ObjectChange {
  const type = typeNamed(current.type)
  if (set.status !== undefined) checkMove(objectType(type).moves, current.status, set.status)
  const wanted = { subtype: set.subtype ?? current.subtype, data: set.data ?? current.data }
  const { data } = checked(type, wanted)
  return { ...set, ...(set.data === undefined ? {} : { data }) }
}

function typeNamed(name: string): ObjectTypeName {
  if (name === 'org_agent' || name === 'builder_app' || name === 'chat_ref') return name
  throw new Problem('internal', undefined, { cause: new Error(`no object type ${name}`) })
}

function checked(name: ObjectTypeName, { subtype, data }: { readonly subtype: string; readonly data: unknown }) {
  const type = objectType(name)
  if (!type.subtypes.includes(subtype)) {
    const message = `one of ${type.subtypes.join(', ')}`
    throw new Problem('invalid', `The subtype of ${name} is ${message}.`, { issues: [{ path: 'subtype', message }] })
  }
  const parsed = type.data.safeParse(data)
  if (parsed.success) return { first: type.first, data: parsed.data }
  const issues = parsed.error.issues.map(({ path, message }) => ({ path: ['data', ...path].join('.'), message }))
  throw new Problem('invalid', `The data does not fit ${name}.`, { issues })
}
