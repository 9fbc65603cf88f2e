// Questions about all of the tenant's records. The answer is made of what the caller may see, and of nothing else.

import { z } from 'zod'
import type { Entities } from '../../entities/entities.ts'
import type { AuthContext } from '../../platform/access.ts'
import type { Clock } from '../../platform/clock.ts'
import { Problem } from '../../platform/problem.ts'
import type { Understand } from '../questions/ask.ts'
import { catalogOf } from '../questions/catalog.ts'
import type { DataQuery } from '../questions/query.ts'
import { type BuiltinTool, builtin, listResult, type ToolResult } from '../tool.ts'

export interface DataDeps {
  readonly entities: Entities
  readonly understand: Understand
  readonly clock: Clock
}

export function dataTools({ entities, understand, clock }: DataDeps): readonly BuiltinTool[] {
  return [
    builtin(
      {
        ...{ name: 'query_data', kind: 'data.query_data', category: 'data', readOnly: true, timeoutMs: 20_000 },
        description:
          'Answers a question about the records of this business (deals, bookings, invoices, products and so on): counts, sums, averages, or a list.',
      },
      z.strictObject({ question: z.string().min(3).max(500) }),
      async ({ question }, { tenantId, auth, signal }) => {
        const caller = await auth()
        const catalog = catalogOf(await entities.of(tenantId).as(caller).listTypes(), caller)
        const today = new Date(clock.now()).toISOString().slice(0, 10)
        const query = await understand({ tenantId, question, catalog, today, signal })
        if (query === undefined)
          throw new Problem('unsupported', 'That was not understood: ask how many, the sum, or a list of something.', {
            issues: [{ path: 'question', message: `about one of ${catalog.map((each) => each.slug).join(', ')}` }],
          })
        return { question, query, ...(await answerTo(entities, caller, query)) }
      },
    ),
  ]
}

/** `query` tells how the question was understood: an answer can be checked. */
async function answerTo(
  entities: Entities,
  auth: AuthContext,
  { type, where, sort, limit = 10, aggregate }: DataQuery,
): Promise<ToolResult> {
  const mine = entities.of(auth.tenantId).as(auth)
  if (aggregate === undefined) {
    const { items, next } = await mine.list(type, { where, sort, limit })
    return { ...listResult(items.map(({ id, title, data }) => ({ id, title, ...data }))), more: next !== null }
  }
  const rows = await mine.aggregate(type, { where }, aggregate)
  if (aggregate.groupBy === undefined) return { value: rows[0]?.value ?? (aggregate.function === 'count' ? 0 : null) }
  return {
    groups: rows.length,
    items: rows.map(({ group, value, count }) => ({ [aggregate.groupBy ?? '']: group, value, count })),
  }
}
