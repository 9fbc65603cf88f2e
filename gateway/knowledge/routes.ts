// Our own papers over HTTP: the same for every tenant, read only.

import { z } from 'zod'
import { type Route, route } from '../platform/http.ts'
import { pageOf } from '../platform/page.ts'
import { found } from '../platform/problem.ts'
import type { SystemDocumentDetail, SystemDocumentView } from '../protocol/agents.ts'
import type { Knowledge } from './knowledge.ts'

const fields = {
  ...{ slug: z.string(), title: z.string(), category: z.enum(['marketing', 'sales', 'strategy']) },
  ...{ summary: z.string(), keywords: z.array(z.string()) },
}
const view = z.strictObject(fields).meta({ id: 'SystemDocument' }) satisfies z.ZodType<SystemDocumentView>
const detail = z
  .strictObject({ ...fields, text: z.string().describe('Markdown.') })
  .meta({ id: 'SystemDocumentDetail' }) satisfies z.ZodType<SystemDocumentDetail>

export function knowledgeRoutes({ knowledge }: { readonly knowledge: Pick<Knowledge, 'system'> }): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/system-knowledge',
      access: 'agents.read',
      reply: pageOf(view),
      summary: 'Papers on marketing, sales and strategy that agents with `useSystemKnowledge` look into.',
      run: async () => ({ json: { items: knowledge.system.list(), next: null } }),
    }),
    route({
      method: 'GET',
      path: '/v1/system-knowledge/:slug',
      access: 'agents.read',
      reply: detail,
      summary: 'One of them, whole.',
      params: z.strictObject({ slug: z.string().min(1).max(64) }),
      run: async ({ params }) => ({ json: found(await knowledge.system.document(params.slug)) }),
    }),
  ]
}
