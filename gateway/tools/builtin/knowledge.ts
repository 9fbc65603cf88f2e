// Looking things up in texts: the tenant's own, and the gateway's papers.

import { z } from 'zod'
import type { Knowledge } from '../../knowledge/knowledge.ts'
import { type BuiltinTool, builtin, listResult } from '../tool.ts'

export function knowledgeTools({ knowledge }: { readonly knowledge: Knowledge }): readonly BuiltinTool[] {
  const kind = { category: 'knowledge', readOnly: true } as const
  return [
    builtin(
      {
        ...{ ...kind, name: 'search_knowledge', kind: 'knowledge.search' },
        description: 'Looks something up in what this business wrote down.',
      },
      z.strictObject({
        query: z.string().min(1).max(300).describe('What to look up'),
        limit: z.int().min(1).max(20).optional(),
      }),
      async ({ query, limit }, { tenantId }) => {
        const found = await knowledge.search(tenantId, query, limit ?? 4)
        return listResult(found.map(({ title, text, kind: sort }) => ({ title, text, kind: sort })))
      },
    ),
    builtin(
      {
        ...{ ...kind, name: 'search_system_knowledge', kind: 'system.search' },
        description:
          'Looks up general methods of marketing, sales and strategy (positioning, funnels, discovery, objections, negotiation, pricing, goals). Knows nothing about this business.',
      },
      z.strictObject({ query: z.string().min(1).max(300).describe('What to look up, in English') }),
      async ({ query }) => {
        const found = await knowledge.system.search(query, 2)
        return listResult(found.map(({ title, heading, text }) => ({ title, heading, text })))
      },
    ),
  ]
}
