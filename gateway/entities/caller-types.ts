// Entity types as one caller may read and change them.

import type { Actor, AuthContext } from '../platform/access.ts'
import type { Clock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import { found, Problem } from '../platform/problem.ts'
import type { EntityTypeView } from '../protocol/records.ts'
import { entomb } from './caller-records.ts'
import { builtInKind, builtInKinds, type EntityKind, otherNouns, typeSlug } from './entity-kind.ts'
import type { LogKeeper, Removal } from './log-keeper.ts'
import { changesOf, newEvent } from './outbox.ts'
import { isText } from './record-query.ts'
import type { RecordStore } from './record-store.ts'
import { type CheckedSchema, checkSchema, type SchemaIssue } from './schema.ts'
import { maxTypes, type TypeFields, type TypeStore } from './type-store.ts'
import { compiles } from './validator.ts'

export interface CallerTypes {
  /** Those that the caller may read, by slug. */
  listTypes(): Promise<readonly EntityTypeView[]>
  getType(slug: string): Promise<EntityTypeView>
  /** `invalid` with the paths of what does not fit; `conflict` for a slug that is taken. */
  createType(slug: string, fields: TypeFields): Promise<EntityTypeView>
  /** What is left out stays. Entities that are there stay as they are, and are checked when they are next written. */
  updateType(slug: string, fields: Partial<TypeFields>): Promise<EntityTypeView>
  /** `conflict` while there are entities of it, unless `force`, which takes them too and is `forbidden` to keys. */
  removeType(slug: string, force: boolean): Promise<void>
}

export interface TypesDeps {
  readonly types: TypeStore
  readonly records: RecordStore
  readonly log: LogKeeper
  readonly clock: Clock
}

interface Scope {
  readonly deps: TypesDeps
  readonly tenantId: TenantId
  readonly auth: AuthContext
}

/** `not_found` for one that is not there, is being removed, or cannot be read by the caller. */
export async function kindFor(
  types: TypeStore,
  tenantId: TenantId,
  { auth, slug }: { auth: AuthContext; slug: string },
): Promise<EntityKind> {
  if (!auth.may('entities.read', slug)) throw new Problem('not_found')
  const known = builtInKind(slug)
  if (known !== undefined) return known
  const stored = found(await types.find(tenantId, slug))
  if (stored.isRemoving) throw new Problem('not_found')
  return stored.kind
}

export function callerTypes(deps: TypesDeps, tenantId: TenantId, auth: AuthContext): CallerTypes {
  const scope = { deps, tenantId, auth }
  const { types } = deps
  const seen = (slug: string) => kindFor(types, tenantId, { auth, slug })
  return {
    async listTypes() {
      const own = (await types.list(tenantId)).filter((each) => !each.isRemoving).map((each) => each.kind)
      const readable = [...builtInKinds, ...own].filter((each) => auth.may('entities.read', each.slug))
      return readable.map((each) => each.view).sort((a, b) => (a.slug < b.slug ? -1 : 1))
    },
    getType: async (slug) => (await seen(slug)).view,
    async createType(slug, fields) {
      if (!typeSlug.safeParse(slug).success || otherNouns.has(slug) || builtInKind(slug) !== undefined)
        throw invalid([{ path: 'slug', message: 'a name of lower-case letters, digits and dashes that is not in use' }])
      writable(scope, slug)
      check(fields)
      if ((await types.list(tenantId)).length >= maxTypes)
        throw new Problem('conflict', `A tenant has at most ${maxTypes} entity types.`)
      const event = typeEvent(by(scope), { verb: 'created', slug, payload: { version: 1, data: fields } })
      if (!(await types.insert(tenantId, slug, { fields, event }))) throw new Problem('conflict', 'The slug is taken.')
      await deps.log.types(await types.pending({ tenantId, slug }))
      return (await seen(slug)).view
    },
    updateType: async (slug, fields) => update(scope, writableKind(scope, await seen(slug)), fields),
    removeType: async (slug, force) => remove(scope, writableKind(scope, await seen(slug)), force),
  }
}

const by = ({ deps, auth }: Scope) => ({ actor: auth.actor, nowMs: deps.clock.now() })

function writable({ auth }: Scope, slug: string): void {
  if (!auth.may('entity-types.write', slug)) throw new Problem('forbidden')
}

function writableKind(scope: Scope, kind: EntityKind): EntityKind {
  writable(scope, kind.slug)
  if (kind.view.builtIn) throw new Problem('forbidden', 'This type comes with the gateway: it stays as it is.')
  return kind
}

async function update(scope: Scope, kind: EntityKind, given: Partial<TypeFields>): Promise<EntityTypeView> {
  const { deps, tenantId } = scope
  const { name, description, schema, searchFields, titleField, version } = kind.view
  const before: TypeFields = { name, description, schema, searchFields, titleField }
  const fields: TypeFields = { ...before, ...given }
  check(fields)
  const changes = changesOf(before, fields)
  if (Object.keys(changes).length === 0) return kind.view
  const payload = { version: version + 1, data: changes }
  const event = typeEvent(by(scope), { verb: 'updated', slug: kind.slug, payload })
  // Which texts are searched and which values are looked up comes of both.
  const isFoundAnew = 'searchFields' in changes || 'schema' in changes
  const isDone = await deps.types.replace(tenantId, kind.slug, { fields, event, version, isFoundAnew })
  if (!isDone) throw new Problem('conflict', 'The entity type was changed meanwhile.')
  await deps.log.types(await deps.types.pending({ tenantId, slug: kind.slug }))
  return (await kindFor(deps.types, tenantId, { auth: scope.auth, slug: kind.slug })).view
}

async function remove(scope: Scope, kind: EntityKind, force: boolean): Promise<void> {
  const { deps, tenantId, auth } = scope
  if (force && auth.actor.kind !== 'operator')
    throw new Problem('forbidden', 'Only a person may remove entities with their type.')
  const now = new Date(deps.clock.now())
  await deps.types.beginRemoval(tenantId, kind.slug, { actor: auth.actor, takesAll: force, now })
  if (await finishRemoval(deps, tenantId, { actor: auth.actor, kind, takesAll: force })) return
  throw new Problem('conflict', 'There are entities of this type.')
}

const batch = 100

/** Its entities, then itself; also what somebody died over. False: there are entities that were not to be taken. */
export async function finishRemoval(deps: TypesDeps, tenantId: TenantId, removal: Removal): Promise<boolean> {
  const { actor, kind, takesAll } = removal
  const { records, types, clock, log } = deps
  for (;;) {
    const order = { path: undefined, direction: 1 } as const
    const left = await records.find(tenantId, kind.slug, { filter: {}, order, count: takesAll ? batch : 1 })
    if (left.length === 0) break
    if (!takesAll) {
      await types.keep(tenantId, kind.slug)
      return false
    }
    await Promise.all(left.map((record) => entomb(deps, tenantId, { actor, record })))
  }
  const payload = { version: kind.view.version }
  const event = typeEvent({ actor, nowMs: clock.now() }, { verb: 'deleted', slug: kind.slug, payload })
  await log.types(await types.remove(tenantId, kind.slug, event))
  return true
}

function typeEvent(
  { actor, nowMs }: { readonly actor: Actor; readonly nowMs: number },
  { verb, slug, payload }: { readonly verb: string; readonly slug: string; readonly payload: object },
) {
  return newEvent(`entity-type.${verb}`, {
    actor,
    entity: { type: 'entity-type', id: slug },
    nowMs,
    payload: { ...payload },
  })
}

function check({ schema, searchFields, titleField }: TypeFields): void {
  const checked = checkSchema(schema)
  if ('issues' in checked) throw invalid(checked.issues.map((each) => ({ ...each, path: `schema.${each.path}` })))
  if (!compiles(checked.schema)) throw invalid([{ path: 'schema', message: 'cannot be used for validation' }])
  const wrong = [
    ...(searchFields ?? []).flatMap((path, i) => wrongField(checked, `searchFields.${i}`, path)),
    ...wrongTitle(checked, titleField),
  ]
  if (wrong.length > 0) throw invalid(wrong)
}

const wrongField = ({ fields }: CheckedSchema, path: string, name: string): SchemaIssue[] =>
  isText(fields.get(name)) ? [] : [{ path, message: 'a declared field of texts' }]

function wrongTitle({ fields }: CheckedSchema, titleField: string | null): SchemaIssue[] {
  const kind = titleField === null ? 'text' : fields.get(titleField)
  const isFine = (kind === 'text' || kind === 'number') && titleField?.includes('.') !== true
  return isFine ? [] : [{ path: 'titleField', message: 'a declared field of text or number, not inside another' }]
}

const invalid = (issues: readonly SchemaIssue[]) =>
  new Problem('invalid', 'The entity type has a wrong value.', { issues })
