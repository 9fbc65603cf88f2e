// Executor of descriptors of kind `client`: the page that the visitor looks at does it. What it answers is data.

import { z } from 'zod'
import { Problem } from '../../platform/problem.ts'
import { limits } from '../../protocol/realtime.ts'
import type { Executor, JsonObject, ToolContext } from '../tool.ts'

export interface PageAction {
  readonly tenantId: ToolContext['tenantId']
  readonly sessionId: string
  readonly callId: string
  readonly action: string
  readonly arguments: JsonObject
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

export type ActionAnswer =
  | { readonly is: 'done'; readonly result: unknown }
  /** The page said no, or has no such action. */
  | { readonly is: 'failed'; readonly result: unknown }
  | { readonly is: 'timeout' }
  /** There is no page: a phone, a message, a stock client. */
  | { readonly is: 'no_page' }

/** Whoever holds the sessions. It stands above this slice: joined in slices.ts. */
export type PageActions = (action: PageAction) => Promise<ActionAnswer>

/** Below the 10 s after which a call is given up. */
const defaultTimeoutMs = 8_000

const spec = z.strictObject({
  /** As the page registers it: `parley('tool', action, handler)`. */
  action: z.string().regex(/^[a-zA-Z][a-zA-Z0-9_.-]{0,63}$/),
  timeoutMs: z.int().min(500).max(60_000).default(defaultTimeoutMs),
})

export function pageExecutor(ask: PageActions): Executor {
  return {
    kind: 'client',
    check(given) {
      const parsed = spec.safeParse(given)
      if (parsed.success) return parsed.data
      throw new Problem('invalid', 'A page action has a name: { "action": "open_cart" }.', {
        issues: parsed.error.issues.map(({ path, message }) => ({ path: path.map(String).join('.'), message })),
      })
    },
    async run(tool, args, { tenantId, sessionId, callId, signal }) {
      const { action, timeoutMs } = spec.parse(tool.spec)
      const answer = await ask({ tenantId, sessionId, callId, action, arguments: args, timeoutMs, signal })
      return resultOf(answer)
    },
  }
}

function resultOf(answer: ActionAnswer): JsonObject {
  switch (answer.is) {
    case 'done':
      return { result: capped(answer.result) }
    case 'failed':
      return { error: { code: 'page_failed', message: 'The page did not do it.', page: capped(answer.result) } }
    case 'timeout':
      return { error: { code: 'timeout', message: 'The page did not answer.' } }
    case 'no_page':
      return { error: { code: 'unsupported', message: 'There is no page here that could do it.' } }
  }
}

/** What a page answers is bounded on its way in; here once more, for whoever else may ask. */
function capped(result: unknown): unknown {
  const text = JSON.stringify(result ?? null)
  return text.length <= limits.actionResultChars / 2 ? (result ?? null) : text.slice(0, limits.actionResultChars / 2)
}
