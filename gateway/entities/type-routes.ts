// Entity types over HTTP.

import { z } from 'zod'
import { type Route, route } from '../platform/http.ts'
import type { Entities } from './entities.ts'
import { isObject, type JsonObject } from './schema.ts'
import { entityTypeView } from './views.ts'

const bySlug = z.strictObject({ slug: z.string().max(40) })
const fields = {
  name: z.string().trim().min(1).max(80),
  description: z.string().max(1_000),
  schema: z.custom<JsonObject>(isObject, 'a JSON Schema'),
  searchFields: z.array(z.string().max(200)).max(30).nullable(),
  titleField: z.string().max(64).nullable(),
}

export function entityTypeRoutes({ entities }: { readonly entities: Entities }): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/entity-types',
      access: 'entities.read',
      reply: z.strictObject({ items: z.array(entityTypeView), next: z.null() }),
      summary: 'What the tenant keeps records of, by slug.',
      run: async ({ auth }) => ({ json: { items: await entities.of(auth.tenantId).as(auth).listTypes(), next: null } }),
    }),
    route({
      method: 'GET',
      path: '/v1/entity-types/:slug',
      access: 'entities.read',
      reply: entityTypeView,
      summary: 'One entity type with its schema.',
      params: bySlug,
      run: async ({ auth, params }) => ({ json: await entities.of(auth.tenantId).as(auth).getType(params.slug) }),
    }),
    route({
      method: 'POST',
      path: '/v1/entity-types',
      access: 'entity-types.write',
      reply: entityTypeView,
      status: 201,
      summary: 'A new entity type. What of JSON Schema it may use is bounded: see the messages.',
      body: z.strictObject({
        slug: z.string().max(40),
        name: fields.name,
        description: fields.description.default(''),
        schema: fields.schema,
        searchFields: fields.searchFields.default(null),
        titleField: fields.titleField.default(null),
      }),
      run: async ({ auth, body: { slug, ...rest } }) => ({
        json: await entities.of(auth.tenantId).as(auth).createType(slug, rest),
      }),
    }),
    ...changeRoutes(entities),
  ]
}

function changeRoutes(entities: Entities): Route[] {
  return [
    route({
      method: 'PATCH',
      path: '/v1/entity-types/:slug',
      access: 'entity-types.write',
      reply: entityTypeView,
      summary: 'Changes an entity type; entities that are there are checked when they are next written.',
      params: bySlug,
      body: z.strictObject({
        name: fields.name.exactOptional(),
        description: fields.description.exactOptional(),
        schema: fields.schema.exactOptional(),
        searchFields: fields.searchFields.exactOptional(),
        titleField: fields.titleField.exactOptional(),
      }),
      run: async ({ auth, params, body }) => ({
        json: await entities.of(auth.tenantId).as(auth).updateType(params.slug, body),
      }),
    }),
    route({
      method: 'DELETE',
      path: '/v1/entity-types/:slug',
      access: 'entity-types.write',
      summary:
        'Removes an entity type that has no entities; with `force=true` they go too, which no API key may ask for.',
      params: bySlug,
      query: z.strictObject({ force: z.enum(['true', 'false']).optional() }),
      async run({ auth, params, query }) {
        await entities
          .of(auth.tenantId)
          .as(auth)
          .removeType(params.slug, query.force === 'true')
        return {}
      },
    }),
  ]
}
