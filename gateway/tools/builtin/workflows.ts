// Workflows of the tenant's automation server.

import { z } from 'zod'
import type { Effects } from '../effects.ts'
import { type BuiltinTool, builtin, EffectUnknown, listResult } from '../tool.ts'

const maxPayloadChars = 12_000
const payload = z
  .record(z.string().max(60), z.unknown())
  .refine((given) => JSON.stringify(given).length <= maxPayloadChars, `at most ${maxPayloadChars} characters`)
  .describe('What the workflow is to work with, by the names that it asks for')

export function workflowTools({ effects: { workflows } }: { readonly effects: Pick<Effects, 'workflows'> }) {
  return [
    builtin(
      {
        ...{ name: 'list_workflows', kind: 'workflows.list_workflows', category: 'workflows', readOnly: true },
        description: 'Lists the workflows that can be started, and what each needs.',
      },
      z.strictObject({}),
      async (_args, { auth }) => listResult(await workflows.list(await auth())),
    ),
    builtin(
      {
        ...{ name: 'trigger_workflow', kind: 'workflows.trigger_workflow', category: 'workflows', readOnly: false },
        // One that answers when it is over may take 30 s.
        timeoutMs: 35_000,
        description: 'Starts a workflow once.',
      },
      z.strictObject({ workflow: z.string().min(1).max(200).describe('Name or id'), payload: payload.optional() }),
      async ({ workflow, payload: given = {} }, context) => {
        const { agent, contactId, channel, conversationId, key, signal } = context
        const start = { workflow, payload: given, agent, contactId, channel, conversationId }
        const run = await workflows.trigger(start, { auth: await context.auth(), key, signal })
        if (run.status === 'unknown') throw new EffectUnknown(run.reason ?? 'nothing is known of the run')
        if (run.status === 'failed')
          return { ...run, error: { code: 'failed', message: run.reason ?? 'It did not start.' } }
        return { ...run }
      },
    ),
    builtin(
      {
        ...{ name: 'get_workflow_run', kind: 'workflows.get_workflow_run', category: 'workflows', readOnly: true },
        description: 'Tells what came of a run.',
      },
      z.strictObject({ run: z.string().max(80).describe('Id that trigger_workflow gave') }),
      async ({ run }, { auth }) => ({ ...(await workflows.run(await auth(), run)) }),
    ),
  ] satisfies readonly BuiltinTool[]
}
