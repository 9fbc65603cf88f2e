// Trying a descriptor before anybody's agent has it: the real request, and what came back.

import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { AuthContext } from '../../platform/access.ts'
import { type Route, route } from '../../platform/http.ts'
import { newId } from '../../platform/ids.ts'
import { Problem } from '../../platform/problem.ts'
import { newTool } from '../routes.ts'
import type { ToolContext } from '../tool.ts'
import type { Tools } from '../tools.ts'
import type { HttpExecutor } from './http.ts'

const anyObject = z.record(z.string(), z.unknown())
const toolName = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/)

const trialReply = z.strictObject({
  request: z
    .strictObject({
      method: z.string(),
      url: z.string(),
      headers: z.record(z.string(), z.string()),
      body: z.string().nullable(),
    })
    .describe('As it was sent; secrets are masked.'),
  response: z
    .strictObject({ status: z.int(), body: z.string().describe('Cut after 16,000 characters; secrets are masked.') })
    .nullable()
    .describe('Null: there was none; `result` says why.'),
  result: anyObject.describe('What the model would be told.'),
  ms: z.int(),
})

export function toolTrialRoutes({
  tools,
  httpTools,
}: {
  readonly tools: Tools
  readonly httpTools: HttpExecutor
}): Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/tools/test',
      access: 'tools.write',
      reply: trialReply,
      summary:
        'Sends the request of a descriptor of kind `http`, saved or not, and tells what the model would be told.',
      body: z.strictObject({
        descriptor: newTool.extend({ name: toolName.default('draft') }),
        arguments: anyObject.default({}),
      }),
      async run({ tenantId, body, auth }) {
        const tool = await tools.of(tenantId).checked(body.descriptor)
        if (tool.kind !== httpTools.kind) throw new Problem('unsupported', 'Only tools of kind http can be tested.')
        const prepared = tool.prepare(body.arguments)
        if (prepared.is === 'invalid')
          throw new Problem('invalid', 'The arguments do not fit the parameters.', { issues: prepared.issues })
        const startMs = performance.now()
        const trial = await httpTools.try(tool.spec, prepared.args, contextOf(auth, tool.timeoutMs))
        const { method, url, headers, body: sent } = trial.request
        return {
          json: {
            request: { method, url, headers, body: sent ?? null },
            response: trial.response ?? null,
            result: trial.result,
            ms: Math.round(performance.now() - startMs),
          },
        }
      },
    }),
  ]
}

/** A call that no agent makes: with the rights of whoever tries it, and a key of its own. */
function contextOf(auth: AuthContext, timeoutMs: number): ToolContext {
  const callId = newId('call')
  return {
    ...{ tenantId: auth.tenantId, sessionId: 'test', callId, agent: { id: 'test', name: 'Test' } },
    key: randomBytes(32).toString('hex'),
    auth: async () => auth,
    signal: AbortSignal.timeout(timeoutMs),
  }
}
