// Records of any type, and what happened to them. What is answered is what the caller may see: rows and masks are the
// records' own business.

import { z } from 'zod'
import type { Entities } from '../../entities/entities.ts'
import type { Events } from '../../events/events.ts'
import { Problem } from '../../platform/problem.ts'
import { type BuiltinTool, builtin, listResult } from '../tool.ts'

const name = z.string().max(80)
const limit = z.int().min(1).max(20)
const entityType = name.describe('Slug of the entity type, e.g. product')
const whereText = z
  .string()
  .max(2_000)
  .describe('JSON of fields with a value, or with eq, ne, in, gt, gte, lt, lte: {"status":"open","price":{"lt":50}}')

export function recordTools(deps: { readonly entities: Entities; readonly events: Events }): readonly BuiltinTool[] {
  return [entityQuery(deps), entityGet(deps), eventQuery(deps)]
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
