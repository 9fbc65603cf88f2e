// The effect of an approved call: taken by one process, with its rights asked again, paid for, run under the call's own key.

import type { Agents, Brief } from '../../agents/agents.ts'
import type { Clock } from '../../platform/clock.ts'
import { idOf, type TenantId } from '../../platform/ids.ts'
import type { Log } from '../../platform/log.ts'
import { Problem } from '../../platform/problem.ts'
import type { Reservation, Usage } from '../../usage/usage.ts'
import { failure, hasRun, type ToolOutput } from '../output.ts'
import { verdictOn } from '../permission.ts'
import type { Tool } from '../registry.ts'
import type { Runner } from '../runner.ts'
import { type Approval, argumentsOf } from './approval.ts'
import type { Changing } from './changing.ts'
import { type ApprovalStore, leaseMs, renewMs } from './store.ts'

export interface EffectDeps {
  readonly store: ApprovalStore
  readonly changing: Changing
  readonly clock: Clock
  readonly log: Log
  /** Names this process in holds. */
  readonly nodeId: string
  readonly agents: Pick<Agents, 'resolve'>
  readonly usage: Pick<Usage, 'reserve' | 'chargeReserved' | 'giveBack'>
  readonly toolNamed: (tenantId: TenantId, name: string) => Promise<Tool | undefined>
  readonly runApproved: Runner['runApproved']
}

/** Resolves with how it ended; undefined: it is another's, or not to be done yet. */
export async function effect(deps: EffectDeps, approval: Approval): Promise<Approval | undefined> {
  const isTakenOver = approval.state === 'running'
  if (!isTakenOver && (approval.effectAtMs ?? 0) > deps.clock.now()) return undefined
  if (isTakenOver && !(await deps.store.takeOver(approval, dueAt(deps)))) return undefined
  const brief = await allowed(deps, approval)
  // What an owner before began may have happened, whoever took the right away since.
  if (brief.is === 'no' && !isTakenOver) return deps.changing.tryChange(approval, { is: 'withdraw', why: brief.why })
  const taken = await deps.changing.tryChange(approval, { is: 'take' })
  if (taken === undefined) return undefined
  if (brief.is === 'no') return finish(deps, taken, lostRight)
  return held(deps, taken, () => ran(deps, taken, { brief: brief.brief, isTakenOver }))
}

const dueAt = ({ clock }: Pick<EffectDeps, 'clock'>): Date => new Date(clock.now() + leaseMs)

const lostRight: ToolOutput = {
  ...failure('unknown', 'It was begun, and the agent may not finish it any more: nobody knows whether it was done.'),
  is: 'unknown',
}

type Allowed = { readonly is: 'yes'; readonly brief: Brief } | { readonly is: 'no'; readonly why: string }

/** As things are now: between the question and the answer an agent may be put away, a tool taken out, a level changed. */
async function allowed(deps: EffectDeps, approval: Approval): Promise<Allowed> {
  const { tenantId, agent, channel, contactId } = approval
  const no = (why: string): Allowed => ({ is: 'no', why })
  const brief = await deps.agents.resolve({ tenantId, agentId: agent.id, channel, trusted: false, contactId })
  if (brief === undefined) return no('The agent does not answer any more.')
  const tool = await deps.toolNamed(tenantId, approval.tool)
  if (tool === undefined) return no('The tool is gone.')
  if (!brief.tools.includes(approval.tool)) return no('The agent may not use this tool any more.')
  const verdict = verdictOn(brief, tool)
  return verdict.is === 'refuse' ? no(verdict.message) : { is: 'yes', brief }
}

/** The lease is kept while it runs. */
async function held<T>({ store, clock, log }: EffectDeps, approval: Approval, work: () => Promise<T>): Promise<T> {
  const timer = clock.every(renewMs, () => {
    store
      .renew(approval, dueAt({ clock }))
      .catch((error: unknown) =>
        log.warn({ err: error, approvalId: approval.id }, 'the lease of an approval was not renewed'),
      )
  })
  try {
    return await work()
  } finally {
    timer.cancel()
  }
}

async function ran(
  deps: EffectDeps,
  approval: Approval,
  { brief, isTakenOver }: { readonly brief: Brief; readonly isTakenOver: boolean },
): Promise<Approval | undefined> {
  const { tenantId, tool, agent, id } = approval
  const answer = await deps.usage.reserve({
    ...{ tenantId, agentId: agent.id, agentLimits: brief.limits, pieceId: id, owner: deps.nodeId },
    ...{ holdId: idOf('hold', id), action: { is: 'tool', name: tool } },
  })
  if (answer.is === 'out_of_credit')
    return finish(deps, approval, failure('out_of_credit', 'There is no credit for it.'))
  if (answer.is === 'refused')
    return finish(deps, approval, failure(answer.code, 'The agent has reached its limit of today.'))
  // Passes: whoever finds the lease run out tries again.
  if (answer.is === 'too_many') throw new Problem('too_many')
  const output = await deps.runApproved({ ...callOf(approval, brief), isTakenOver })
  await pay(deps, approval, { reservation: answer.reservation, output })
  return finish(deps, approval, output)
}

/** The approval's own id is the call's: its key is that of every attempt, and of no other call. */
function callOf(approval: Approval, brief: Brief) {
  const { tenantId, sessionId, conversationId, contactId, caller, channel, agent, tool, id } = approval
  return {
    ...{ tenantId, sessionId, callId: id, name: tool, arguments: argumentsOf(approval), channel, conversationId },
    ...(contactId === undefined ? {} : { contactId }),
    ...(caller === undefined ? {} : { caller }),
    ...{ allowed: brief.tools, agent: { id: agent.id, name: agent.name }, policy: brief },
  }
}

async function pay(
  { usage }: EffectDeps,
  { tenantId, agent, channel, tool, id }: Approval,
  { reservation, output }: { readonly reservation: Reservation; readonly output: ToolOutput },
): Promise<void> {
  const of = { tenantId, agentId: agent.id, reservation }
  // Nothing happened: what was set aside goes back.
  if (!hasRun(output)) return usage.giveBack(of)
  await usage.chargeReserved({
    ...{ ...of, channel, actions: [{ is: 'tool', name: tool }], used: [] },
    note: `approved call ${id}`,
  })
}

function finish(
  { changing }: EffectDeps,
  approval: Approval,
  { output, ok, is }: ToolOutput,
): Promise<Approval | undefined> {
  const outcome = is === 'unknown' ? 'unknown' : ok ? 'done' : 'failed'
  return changing.tryChange(approval, { is: 'finish', outcome, result: output })
}
