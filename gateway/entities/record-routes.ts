// Entities of any type, and the relations between them, over HTTP.

import { z } from 'zod'
import { type Route, route } from '../platform/http.ts'
import { pageOf, pageQuery } from '../platform/page.ts'
import type { Entities } from './entities.ts'
import { whereOf } from './record-query.ts'
import { relationName } from './relations.ts'
import { isObject, type JsonObject } from './schema.ts'
import { entityView, relationView } from './views.ts'

const type = z.string().max(40)
const key = z.string().min(1).max(80)
const byType = z.strictObject({ type })
const one = z.strictObject({ type, id: key.describe('Id or slug.') })
const data = z.custom<JsonObject>(isObject, 'an object')

const whereText = z
  .string()
  .max(4_000)
  .transform(whereOf)
  .describe('JSON: fields of the data with a value, or with eq, ne, in, gt, gte, lt, lte.')

const listQuery = z.strictObject({
  ...pageQuery,
  cursor: z.string().max(1_000).optional(),
  q: z.string().min(1).max(300).describe('Words, each the beginning of one in the entity.').optional(),
  where: whereText.optional(),
  sort: z.string().min(1).max(100).describe('A field of the data or createdAt, `-` in front for downwards.').optional(),
})

export function recordRoutes({ entities }: { readonly entities: Entities }): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/entities/:type',
      access: 'entities.read',
      reply: pageOf(entityView),
      summary: 'Entities of a type, newest first; searched, filtered and sorted as asked.',
      params: byType,
      query: listQuery,
      run: async ({ auth, params, query }) => ({
        json: await entities.of(auth.tenantId).as(auth).list(params.type, query),
      }),
    }),
    route({
      method: 'GET',
      path: '/v1/entities/:type/:id',
      access: 'entities.read',
      reply: entityView,
      summary: 'One entity, by id or slug.',
      params: one,
      run: async ({ auth, params }) => ({
        json: await entities.of(auth.tenantId).as(auth).get(params.type, params.id),
      }),
    }),
    ...changeRoutes(entities),
    ...relationRoutes(entities),
  ]
}

function changeRoutes(entities: Entities): Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/entities/:type',
      access: 'entities.write',
      reply: entityView,
      status: 201,
      summary: 'A new entity; its data must fit the schema of the type.',
      params: byType,
      body: z.strictObject({ slug: z.string().max(80).optional(), data }),
      run: async ({ auth, params, body }) => ({
        json: await entities.of(auth.tenantId).as(auth).create(params.type, body),
      }),
    }),
    route({
      method: 'PATCH',
      path: '/v1/entities/:type/:id',
      access: 'entities.write',
      reply: entityView,
      summary: 'Changes an entity: `data` is a JSON merge patch. With `rev`: only if nobody changed it since.',
      params: one,
      body: z.strictObject({
        slug: z.string().max(80).optional(),
        data: data.optional(),
        rev: z.int().min(0).optional(),
      }),
      run: async ({ auth, params, body }) => ({
        json: await entities.of(auth.tenantId).as(auth).update(params.type, params.id, body),
      }),
    }),
    route({
      method: 'DELETE',
      path: '/v1/entities/:type/:id',
      access: 'entities.write',
      summary: 'Removes an entity and the relations to it.',
      params: one,
      query: z.strictObject({ rev: z.coerce.number().int().min(0).optional() }),
      async run({ auth, params, query }) {
        await entities.of(auth.tenantId).as(auth).remove(params.type, params.id, query.rev)
        return {}
      },
    }),
  ]
}

function relationRoutes(entities: Entities): Route[] {
  const path = '/v1/entities/:type/:id/relations'
  return [
    route({
      method: 'GET',
      path,
      access: 'entities.read',
      reply: pageOf(relationView),
      summary: 'Relations from an entity and to it.',
      params: one,
      query: z.strictObject({
        ...pageQuery,
        direction: z.enum(['out', 'in']).optional(),
        relation: relationName.optional(),
      }),
      run: async ({ auth, params, query }) => ({
        json: await entities.of(auth.tenantId).as(auth).relations(params.type, params.id, query),
      }),
    }),
    route({
      method: 'PUT',
      path,
      access: 'entities.write',
      reply: relationView,
      summary: 'Links an entity to another one. The same link twice is one.',
      params: one,
      body: z.strictObject({ relation: relationName, to: z.strictObject({ type, id: key }) }),
      run: async ({ auth, params, body: { relation, to } }) => ({
        json: await entities
          .of(auth.tenantId)
          .as(auth)
          .link(params.type, params.id, { relation, to: { type: to.type, key: to.id } }),
      }),
    }),
    route({
      method: 'DELETE',
      path,
      access: 'entities.write',
      summary: 'Takes a link away.',
      params: one,
      query: z.strictObject({ relation: relationName, toType: type, to: key }),
      async run({ auth, params, query: { relation, toType, to } }) {
        await entities
          .of(auth.tenantId)
          .as(auth)
          .unlink(params.type, params.id, { relation, to: { type: toType, key: to } })
        return {}
      },
    }),
  ]
}
