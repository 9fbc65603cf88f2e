// Step 10: the tools that the model asked for, each to its one result. What a tool says is data.

import type { Brief } from '../../agents/agents.ts'
import type { Call } from '../../engines/engines.ts'
import { refusedCall } from '../../tools/tools.ts'
import { cardsOf } from '../cards.ts'
import type { ChatDeps } from '../deps.ts'
import type { Progress, RanCall, Round } from '../inbound.ts'
import type { Job } from '../job.ts'
import { maxCalls, type Thinking } from './thinking.ts'

/** Those of the last round that have no result yet, at once; all of them have one afterwards. */
export async function runCalls(
  deps: Pick<ChatDeps, 'tools'>,
  job: Job,
  on: Thinking & { readonly progress: Progress },
): Promise<Progress> {
  const { progress } = on
  const round = progress.rounds.at(-1)
  if (round === undefined) return progress
  const before = progress.ran.length
  const open = round.calls.filter((call) => !progress.ran.some((each) => each.call.callId === call.callId))
  const ran = await Promise.all(
    open.map((call, i) =>
      runCall(deps, job, { call, round, brief: on.brief, own: on.offered.own, isOver: before + i >= maxCalls }),
    ),
  )
  const after = { ...progress, ran: [...progress.ran, ...ran] }
  await job.save({ progress: after })
  return after
}

interface One {
  readonly call: Call
  readonly round: Round
  readonly brief: Brief
  readonly own: readonly string[]
  readonly isOver: boolean
}

async function runCall({ tools }: Pick<ChatDeps, 'tools'>, job: Job, one: One): Promise<RanCall> {
  const { call } = one
  const { callId, name, arguments: args } = call
  const { tenantId, id, channel, conversationId, contactId } = job.inbound
  job.on({ type: 'toolCall', callId, name, arguments: args })
  const result =
    refusal(one) ??
    // By the message's own id: asked again after a crash, a call that ran gives what it gave.
    (await tools.run({
      ...{ tenantId, sessionId: id, callId, name, arguments: args, allowed: one.own, channel },
      agent: { id: one.brief.agentId, name: one.brief.name, version: one.brief.version },
      ...{ policy: one.brief, caller: job.inbound.asked.actor },
      ...(conversationId === undefined ? {} : { conversationId }),
      ...(contactId === undefined ? {} : { contactId }),
    }))
  job.on({ type: 'toolResult', callId, name, ...result })
  if (result.is === 'waiting') job.note('approval', `${name} waits for a person`)
  if (result.visual !== undefined) job.on({ type: 'visual', callId, visual: result.visual })
  const cards = result.ok ? cardsOf(result.output) : []
  if (cards.length > 0) job.on({ type: 'cards', callId, cards })
  return { call, ...result }
}

function refusal({ round, isOver }: One) {
  if (isOver) return refusedCall('too_many_tool_calls', 'Answer with what you know.')
  if (round.reserved === null)
    return refusedCall('out_of_credit', 'No tools can be used right now. Answer with what you know.')
  return undefined
}
