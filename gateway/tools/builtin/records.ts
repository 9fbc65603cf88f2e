// Records of any type, and what happened to them. What is answered is what the caller may see: rows and masks are the
// records' own business.

import { z } from 'zod'
import type { CallerEntities, Entities } from '../../entities/entities.ts'
import type { Events } from '../../events/events.ts'
import { Problem } from '../../platform/problem.ts'
import { type BuiltinTool, builtin, listResult, type ToolContext } from '../tool.ts'

const name = z.string().max(80)
const limit = z.int().min(1).max(20)
const entityType = name.describe('Slug of the entity type, e.g. product')
const whereText = z
  .string()
  .max(2_000)
  .describe('JSON of fields with a value, or with eq, ne, in, gt, gte, lt, lte: {"status":"open","price":{"lt":50}}')

export function recordTools(deps: { readonly entities: Entities; readonly events: Events }): readonly BuiltinTool[] {
  return [entityQuery(deps), entityGet(deps), ...changeTools(deps), eventQuery(deps), eventEmit(deps)]
}

function entityQuery({ entities }: { readonly entities: Entities }): BuiltinTool {
  return builtin(
    {
      ...{ name: 'entity_query', kind: 'entity.query', category: 'records', readOnly: true },
      description: 'Finds records of a type by words and by the values of their fields.',
    },
    z.strictObject({
      type: entityType,
      query: z.string().max(300).describe('Words to be found in it').optional(),
      where: whereText.optional(),
      sort: name.describe('A field, with - in front for downwards').optional(),
      limit: limit.optional(),
    }),
    async ({ type, query, where, sort, limit: most }, { tenantId, auth }) => {
      const mine = entities.of(tenantId).as(await auth())
      const asked = { q: query, where: where === undefined ? undefined : entities.whereOf(where), sort }
      const { items, next } = await mine.list(type, { ...asked, limit: most ?? 8 })
      return { ...listResult(items), ...(next === null ? {} : { more: true }) }
    },
  )
}

function entityGet({ entities }: { readonly entities: Entities }): BuiltinTool {
  return builtin(
    {
      ...{ name: 'entity_get', kind: 'entity.get', category: 'records', readOnly: true },
      description: 'Reads one record with its relations.',
    },
    z.strictObject({ type: entityType, id: name.describe('Id or slug') }),
    async ({ type, id }, { tenantId, auth }) => {
      const mine = entities.of(tenantId).as(await auth())
      const [entity, { items }] = await Promise.all([mine.get(type, id), mine.relations(type, id, { limit: 20 })])
      return { entity, relations: items }
    },
  )
}

function eventQuery({ events }: { readonly events: Events }): BuiltinTool {
  return builtin(
    {
      ...{ name: 'event_query', kind: 'event.query', category: 'records', readOnly: true },
      description: 'Tells what happened lately, newest first.',
    },
    z.strictObject({
      type: name.describe('e.g. entity.created').optional(),
      entityType: entityType.optional(),
      entityId: name.optional(),
      limit: limit.optional(),
    }),
    async ({ type, entityType: of, entityId, limit: most }, { tenantId, auth }) => {
      const caller = await auth()
      if (!caller.may('events.read')) throw new Problem('forbidden')
      const entity = of === undefined ? undefined : { type: of, id: entityId }
      const mine = events.of(tenantId).as(caller)
      return listResult((await mine.list({ type, entity, limit: most ?? 8 })).items)
    },
  )
}

const data = z.looseObject({}).describe('By the names of the type’s fields')
const one = { type: entityType, id: name.describe('Id or slug') }
const changing = { category: 'records', readOnly: false } as const

function changeTools({ entities }: { readonly entities: Entities }): readonly BuiltinTool[] {
  const mine = async ({ tenantId, auth }: ToolContext) => entities.of(tenantId).as(await auth())
  return [
    builtin(
      {
        ...{ ...changing, name: 'entity_create', kind: 'entity.create', retry: 'keyed' },
        description: 'Makes a record; its data must fit its type.',
      },
      z.strictObject({ type: entityType, slug: name.optional(), data }),
      async ({ type, ...record }, context) => ({
        entity: await (await mine(context)).create(type, { ...record, key: context.key }),
      }),
    ),
    builtin(
      {
        ...{ ...changing, name: 'entity_update', kind: 'entity.update', retry: 'again' },
        description: 'Changes fields of a record; null takes one away. With rev only if nobody changed it since.',
      },
      z.strictObject({ ...one, data, rev: z.int().min(0).optional() }),
      async ({ type, id, ...patch }, context) => ({ entity: await (await mine(context)).update(type, id, patch) }),
    ),
    builtin(
      {
        ...{ ...changing, name: 'entity_delete', kind: 'entity.delete', retry: 'unknown' },
        description: 'Removes a record for good, and the relations to it.',
      },
      z.strictObject({ ...one, rev: z.int().min(0).optional() }),
      async ({ type, id, rev }, context) => {
        await (await mine(context)).remove(type, id, rev)
        return { removed: true }
      },
    ),
    ...linkTools(mine),
  ]
}

function linkTools(mine: (context: ToolContext) => Promise<CallerEntities>): readonly BuiltinTool[] {
  const relation = z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,39}$/)
    .describe('e.g. works-at')
  const link = z.strictObject({ ...one, relation, toType: entityType, to: name.describe('Id or slug') })
  return [
    builtin(
      {
        ...{ ...changing, name: 'entity_link', kind: 'entity.link', retry: 'again' },
        description: 'Relates a record to another one.',
      },
      link,
      async ({ type, id, relation: called, toType, to }, context) => ({
        relation: await (await mine(context)).link(type, id, { relation: called, to: { type: toType, key: to } }),
      }),
    ),
    builtin(
      {
        ...{ ...changing, name: 'entity_unlink', kind: 'entity.unlink', retry: 'again' },
        description: 'Takes a relation between two records away.',
      },
      link,
      async ({ type, id, relation: called, toType, to }, context) => {
        await (await mine(context)).unlink(type, id, { relation: called, to: { type: toType, key: to } })
        return { removed: true }
      },
    ),
  ]
}

function eventEmit({ events }: { readonly events: Events }): BuiltinTool {
  return builtin(
    {
      ...{ ...changing, name: 'event_emit', kind: 'event.emit', retry: 'keyed' },
      description: 'Writes into the log that something happened.',
    },
    z.strictObject({
      type: z.string().min(1).max(80).describe('noun.verb, e.g. lead.qualified'),
      entityType: entityType.optional(),
      entityId: name.optional(),
      payload: z.looseObject({}).optional(),
    }),
    async ({ type, entityType: of, entityId, payload }, { tenantId, auth, key }) => {
      const caller = await auth()
      if (!caller.may('events.write')) throw new Problem('forbidden')
      const about = of === undefined || entityId === undefined ? {} : { entity: { type: of, id: entityId } }
      return {
        event: await events
          .of(tenantId)
          .as(caller)
          .emit({ type, ...about, payload, key }),
      }
    },
  )
}
