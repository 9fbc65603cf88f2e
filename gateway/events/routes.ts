// The log of events over HTTP: read, and appended to.

import { z } from 'zod'
import { type Route, route } from '../platform/http.ts'
import { pageOf, pageQuery } from '../platform/page.ts'
import { found, Problem } from '../platform/problem.ts'
import { entityRef, eventType, schemaVersion } from './event.ts'
import type { Events } from './events.ts'
import { eventTypesReply, eventView } from './views.ts'

const listQuery = z.strictObject({
  ...pageQuery,
  type: eventType.optional(),
  actorType: z.enum(['user', 'agent', 'system', 'webhook']).optional(),
  actorId: z.string().min(1).max(80).optional(),
  entityType: entityRef.shape.type.optional(),
  entityId: entityRef.shape.id.optional(),
  from: z.iso.datetime().optional(),
  to: z.iso.datetime().optional(),
})

/** What the parameters of the list look at: a masked one cannot be asked about. */
const fieldOf = {
  ...{ type: 'type', actorType: 'actorType', actorId: 'actor.id', entityType: 'entity.type', entityId: 'entity.id' },
  ...{ from: 'at', to: 'at' },
} as const

export function eventRoutes({ events }: { readonly events: Events }): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/events',
      access: 'events.read',
      reply: pageOf(eventView),
      summary: 'What happened, newest first.',
      query: listQuery,
      async run({ auth, query }) {
        for (const [name, field] of Object.entries(fieldOf))
          if (name in query && !auth.sees('events', field))
            throw new Problem('forbidden', `Events cannot be filtered by ${name} here.`)
        const { entityType, entityId, from, to, ...rest } = query
        if (entityId !== undefined && entityType === undefined)
          throw new Problem('invalid', 'entityId needs entityType.', {
            issues: [{ path: 'entityType', message: 'missing' }],
          })
        return {
          json: await events
            .of(auth.tenantId)
            .as(auth)
            .list({
              ...rest,
              entity: entityType === undefined ? undefined : { type: entityType, id: entityId },
              from: from === undefined ? undefined : new Date(from),
              to: to === undefined ? undefined : new Date(to),
            }),
        }
      },
    }),
    route({
      method: 'GET',
      path: '/v1/events/types',
      access: 'events.read',
      reply: eventTypesReply,
      summary: 'The types of events that there are.',
      run: async ({ auth }) => ({ json: { items: await events.of(auth.tenantId).as(auth).getEventTypes() } }),
    }),
    route({
      method: 'GET',
      path: '/v1/events/:id',
      access: 'events.read',
      reply: eventView,
      summary: 'One event.',
      params: z.strictObject({ id: z.string().max(80) }),
      run: async ({ auth, params }) => ({ json: found(await events.of(auth.tenantId).as(auth).get(params.id)) }),
    }),
    route({
      method: 'POST',
      path: '/v1/events',
      access: 'events.write',
      reply: eventView,
      status: 201,
      summary: 'Appends an event; the caller is its actor. The same `key` twice is one event.',
      body: z.strictObject({
        type: eventType,
        schemaVersion: schemaVersion.optional(),
        entity: entityRef.optional(),
        payload: z.record(z.string(), z.unknown()).optional(),
        key: z.string().min(1).max(200).optional(),
      }),
      run: async ({ auth, body }) => ({ json: await events.of(auth.tenantId).as(auth).emit(body) }),
    }),
  ]
}
