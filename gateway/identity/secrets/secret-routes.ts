// HTTP of secrets: set, listed by name, removed. There is no way to read a value.

import { z } from 'zod'
import { type Route, route } from '../../platform/http.ts'
import { pageOf, pageQuery } from '../../platform/page.ts'
import type { Identity } from '../identity.ts'
import { secretView } from '../views.ts'

const name = z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/, 'a letter, then letters, digits, _ . or -')
const byName = z.strictObject({ name })

export function secretRoutes({ secrets }: Identity): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/secrets',
      access: 'secrets.read',
      summary: 'Names of the tenant’s secrets and when each was set; values are never told',
      query: z.strictObject(pageQuery),
      reply: pageOf(secretView),
      run: async ({ tenantId, query }) => ({ json: await secrets.of(tenantId).list(query) }),
    }),
    route({
      method: 'PUT',
      path: '/v1/secrets/:name',
      access: 'secrets.write',
      summary: 'Sets a secret or exchanges its value',
      params: byName,
      body: z.strictObject({ value: z.string().min(1).max(8_192) }),
      reply: secretView,
      run: async ({ tenantId, params, body, auth }) => ({
        json: await secrets.of(tenantId).put(params.name, body.value, auth.actor.name),
      }),
    }),
    route({
      method: 'DELETE',
      path: '/v1/secrets/:name',
      access: 'secrets.write',
      summary: 'Removes a secret',
      params: byName,
      async run({ tenantId, params }) {
        await secrets.of(tenantId).remove(params.name)
        return {}
      },
    }),
  ]
}
