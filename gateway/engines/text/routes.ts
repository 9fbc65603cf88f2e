// What people may choose an agent's model from.

import { z } from 'zod'
import { type Route, route } from '../../platform/http.ts'
import type { TextModels } from './text-model.ts'

const listing = z.strictObject({
  provider: z.string(),
  model: z.string(),
  label: z.string(),
  /** Why it cannot be asked here. Missing: it can. */
  off: z.string().optional(),
})

export function textModelRoutes({ textModels }: { readonly textModels: Pick<TextModels, 'list'> }): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/text-models',
      access: 'agents.read',
      reply: z.strictObject({ items: z.array(listing) }),
      summary: 'Models that an agent may name; others of the same providers may be named too',
      run: async () => ({ json: { items: textModels.list() } }),
    }),
  ]
}
