// Step 10: the tools that the model asked for, each to its one result. What a tool says is data.

import type { Brief } from '../../agents/agents.ts'
import type { Call } from '../../engines/engines.ts'
import type { Channel } from '../../protocol/turn.ts'
import { citationsOf, numberedFrom, refusedCall } from '../../tools/tools.ts'
import { cardsOf } from '../cards.ts'
import type { ChatDeps } from '../deps.ts'
import type { Progress, RanCall, Round } from '../inbound.ts'
import type { Job } from '../job.ts'
import { maxCalls, type Thinking } from './thinking.ts'

/** Where a reader sees the list that the marks in a text refer to. */
const showsSources: ReadonlySet<Channel> = new Set(['widget', 'console', 'api', 'webchat'])

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
  const cited = { count: citedBefore(progress) }
  const ran = await Promise.all(
    open.map((call, i) =>
      runCall(deps, job, { call, round, cited, brief: on.brief, own: on.offered.own, isOver: before + i >= maxCalls }),
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
  /** Items of look-ups so far: each has a number of its own in the answer. Counted up as results come. */
  readonly cited: { count: number }
}

const citedBefore = ({ ran }: Progress): number => Math.max(0, ...citationsOf(ran, '').map(({ n }) => n))

async function runCall({ tools }: Pick<ChatDeps, 'tools'>, job: Job, one: One): Promise<RanCall> {
  const { call } = one
  const { callId, name, arguments: args } = call
  const { tenantId, id, channel, conversationId, contactId, asked } = job.inbound
  job.on({ type: 'toolCall', callId, name, arguments: args })
  const told =
    refusal(one) ??
    // By the message's own id: asked again after a crash, a call that ran gives what it gave.
    (await tools.run({
      ...{ tenantId, sessionId: id, callId, name, arguments: args, allowed: one.own, channel },
      agent: { id: one.brief.agentId, name: one.brief.name, version: one.brief.version },
      ...{ policy: one.brief, caller: job.inbound.asked.actor },
      ...(conversationId === undefined ? {} : { conversationId }),
      ...(contactId === undefined ? {} : { contactId }),
    }))
  const result = numberedFrom(told, one.cited.count, {
    marked: showsSources.has(channel) && asked.history === undefined,
  })
  one.cited.count += citationsOf([result], '').length
  const { cites: _, ...shown } = result
  job.on({ type: 'toolResult', callId, name, ...shown })
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
