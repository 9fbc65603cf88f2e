// A message that was refused before it was stored: its trace is an execution, and nothing of what it said is kept.

import type { Problem } from '../platform/problem.ts'
import type { ChatDeps } from './deps.ts'
import type { Inbound } from './inbound.ts'
import type { Trace } from './trace.ts'

type Refused = Pick<Inbound, 'tenantId' | 'agentId' | 'channel'> & { readonly trace: Trace; readonly problem: Problem }

export async function recordRefusal(
  { executions, log }: Pick<ChatDeps, 'executions' | 'log'>,
  { tenantId, agentId, channel, trace, problem }: Refused,
): Promise<void> {
  try {
    await executions.of(tenantId).record({
      ...{ agentId, channel, conversationId: '', provider: '', model: '', status: 'failed', error: problem.code },
      ...{ inputTokens: 0, cachedTokens: 0, outputTokens: 0, costUsdMicro: 0, creditsMicro: 0 },
      latencyMs: trace.steps.reduce((sum, step) => sum + step.ms, 0),
      steps: trace.steps.map(({ name, ms, outcome, code }) => ({ name, ms, outcome: code ?? outcome })),
    })
  } catch (error) {
    log.warn({ err: error, tenantId }, 'a refusal was not recorded')
  }
}
