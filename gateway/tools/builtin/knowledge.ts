// Looking things up in texts: the tenant's own, and the gateway's papers.

import { z } from 'zod'
import type { Finding, Knowledge } from '../../knowledge/knowledge.ts'
import { type BuiltinTool, builtin, listResult } from '../tool.ts'

export function knowledgeTools({ knowledge }: { readonly knowledge: Knowledge }): readonly BuiltinTool[] {
  const kind = { category: 'knowledge', readOnly: true } as const
  return [
    builtin(
      {
        ...{ ...kind, name: 'search_knowledge', kind: 'knowledge.search' },
        description: 'Looks something up in what this business wrote down: its files, pages and answers.',
      },
      z.strictObject({
        query: z.string().min(1).max(300).describe('What to look up'),
        limit: z.int().min(1).max(20).optional(),
      }),
      async ({ query, limit }, { tenantId }) => {
        const found = await knowledge.search(tenantId, query, limit ?? 4)
        return listResult(found.map(itemOf))
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

/** `cite` numbers what the answer may refer to; where it is from goes with it. */
function itemOf({ title, text, kind, heading, page, source, sourceId, url }: Finding, i: number) {
  return {
    ...{ cite: i + 1, title, ...(heading === undefined ? {} : { heading }), text, kind },
    ...(source === undefined ? {} : { source }),
    ...(page === undefined ? {} : { page }),
    ...(url === undefined ? {} : { url }),
    ...(sourceId === undefined ? {} : { sourceId }),
  }
}
