// Objects over HTTP, by type and subtype. Agents are seen here and written at their own address.

import { z } from 'zod'
import type { AuthContext } from '../platform/access.ts'
import { type Route, route } from '../platform/http.ts'
import { pageOf, pageQuery } from '../platform/page.ts'
import { Problem } from '../platform/problem.ts'
import { type Filter, rowFilter } from '../platform/row-filter.ts'
import { slugPattern } from '../platform/slug.ts'
import type { ObjectView } from '../protocol/agents.ts'
import type { StoredObject } from './object.ts'
import { type ObjectTypeName, objectType, objectTypeNames } from './object-types.ts'
import type { Objects } from './objects.ts'
import { objectView } from './views.ts'

const byId = z.strictObject({ id: z.string().min(1).max(64) })
const type = z.enum(objectTypeNames)
const word = z.string().min(1).max(40)
const fields = {
  name: z.string().trim().min(1).max(120),
  slug: z.string().regex(slugPattern, 'lower-case letters, digits and inner hyphens, 50 at most'),
  data: z.record(z.string().max(64), z.unknown()),
}

export function objectRoutes({ objects }: { readonly objects: Objects }): Route[] {
  return [...readRoutes(objects), ...writeRoutes(objects)]
}

function readRoutes(objects: Objects): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/objects',
      access: 'objects.read',
      reply: pageOf(objectView),
      summary: 'Objects of one type, in the order of their slugs.',
      query: z.strictObject({ type, subtype: word.optional(), status: word.optional(), ...pageQuery }),
      async run({ auth, query }) {
        const page = await objects.of(auth.tenantId).list({ ...query, rows: rowsOf(auth, query.type) })
        return { json: { items: page.items.map((each) => present(auth, each)), next: page.next } }
      },
    }),
    route({
      method: 'GET',
      path: '/v1/objects/:id',
      access: 'objects.read',
      reply: objectView,
      summary: 'One object.',
      params: byId,
      run: async ({ auth, params }) => ({ json: present(auth, await seen(objects, auth, params.id)) }),
    }),
  ]
}

function writeRoutes(objects: Objects): Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/objects',
      access: 'objects.write',
      reply: objectView,
      status: 201,
      summary: 'Makes an object; without a slug it gets one of its name. Agents are made at /v1/agents.',
      body: z.strictObject({
        ...{ type, subtype: word, name: fields.name },
        ...{ slug: fields.slug.optional(), data: fields.data.default({}) },
      }),
      async run({ auth, body }) {
        mayWrite(auth, body.type)
        return { json: present(auth, await objects.of(auth.tenantId).create(body)) }
      },
    }),
    route({
      method: 'PATCH',
      path: '/v1/objects/:id',
      access: 'objects.write',
      reply: objectView,
      summary:
        'Changes an object; `data` replaces what was there. With `revision`: only while nobody else has changed it.',
      params: byId,
      body: z.strictObject({
        ...{ name: fields.name.optional(), slug: fields.slug.optional(), data: fields.data.optional() },
        ...{ subtype: word.optional(), status: word.optional(), revision: z.int().min(1).optional() },
      }),
      async run({ auth, params, body: { revision, ...change } }) {
        const current = await seen(objects, auth, params.id)
        mayWrite(auth, typeOf(current))
        const set = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
        const changed = await objects.of(auth.tenantId).change(current.id, set, revision)
        if (changed === undefined) throw new Problem('conflict', 'Somebody else has changed this object meanwhile.')
        return { json: present(auth, changed) }
      },
    }),
    route({
      method: 'DELETE',
      path: '/v1/objects/:id',
      access: 'objects.write',
      summary: 'Deletes an object.',
      params: byId,
      async run({ auth, params }) {
        const current = await seen(objects, auth, params.id)
        mayWrite(auth, typeOf(current))
        if (!(await objects.of(auth.tenantId).remove(current)))
          throw new Problem('conflict', 'Somebody else has changed this object meanwhile.')
        return {}
      },
    }),
  ]
}

async function seen(objects: Objects, auth: AuthContext, id: string): Promise<StoredObject> {
  const found = await objects.of(auth.tenantId).byId(id)
  if (found === undefined) throw new Problem('not_found')
  const rows = rowsOf(auth, typeOf(found))
  const shown = rows === undefined ? found : await objects.of(auth.tenantId).byId(id, rows)
  if (shown === undefined || !auth.may('objects.read', found.type)) throw new Problem('not_found')
  return shown
}

function mayWrite(auth: AuthContext, name: ObjectTypeName): void {
  const { writtenAt } = objectType(name)
  if (writtenAt !== undefined)
    throw new Problem('unsupported', `Objects of type ${name} are written at ${writtenAt} only.`)
  if (!auth.may('objects.write', name)) throw new Problem('forbidden')
}

function typeOf(object: StoredObject): ObjectTypeName {
  return type.parse(object.type)
}

const columns: Readonly<Record<string, string>> = {
  ...{ id: '_id', type: 'type', subtype: 'subtype', name: 'name', slug: 'slug', status: 'status' },
}

function rowsOf(auth: AuthContext, name: ObjectTypeName): Filter | undefined {
  const path = (field: string) => columns[field] ?? (/^data\.[\w.]+$/.test(field) ? field : undefined)
  return rowFilter(auth.rows('objects', name), auth, { path })
}

function present(auth: AuthContext, object: StoredObject): ObjectView {
  const { createdAt, updatedAt, ...rest } = object
  const view = { ...rest, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() }
  return auth.masked('objects', view, object.type)
}
