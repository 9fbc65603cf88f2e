// The events of an approval's changes: written with the change, then moved into the log, where each is once. Arguments and
// results stay in the approval: whoever hears of it asks for it by its id, with the own rights.

import type { Actor } from '../../platform/access.ts'
import { idOf } from '../../platform/ids.ts'
import { type Approval, isOver } from './approval.ts'

export interface LogEvent {
  readonly id: string
  readonly type: 'approval.requested' | 'approval.decided' | 'approval.finished'
  readonly actor: Actor
  readonly payload: Readonly<Record<string, unknown>>
  readonly at: Date
}

const gateway: Actor = { kind: 'system', id: 'system', name: 'Parley' }

export function requested(approval: Approval): LogEvent {
  const { id, name } = approval.agent
  return eventOf(approval, 'approval.requested', { kind: 'agent', id, name })
}

/** Of a change from one state to the next; none of a change within it. */
export function eventsOf(from: Approval, to: Approval, nowMs: number): readonly LogEvent[] {
  if (from.state === to.state) return []
  const by = to.decision?.by ?? from.decision?.by ?? gateway
  const at = new Date(nowMs)
  const decided = (decision: string): LogEvent => ({
    ...eventOf(to, 'approval.decided', by),
    ...{ at, payload: { ...payloadOf(to), decision } },
  })
  const finished: LogEvent = { ...eventOf(to, 'approval.finished', to.state === 'rejected' ? by : gateway), at }
  if (to.state === 'approved') return [decided('approved')]
  if (to.state === 'pending') return [decided('undone')]
  if (to.state === 'rejected') return [decided('rejected'), finished]
  return isOver(to) ? [finished] : []
}

function eventOf(approval: Approval, type: LogEvent['type'], actor: Actor): LogEvent {
  return {
    ...{ id: idOf('evt', approval.id, type, String(approval.rev)), type },
    ...{ actor, payload: payloadOf(approval), at: new Date(approval.requestedAtMs) },
  }
}

function payloadOf({ id, state, agent, tool, conversationId, channel, ...approval }: Approval) {
  return {
    ...{ approvalId: id, state, agentId: agent.id, tool, conversationId, channel, argumentsHash: approval.hash },
    ...(approval.contactId === undefined ? {} : { contactId: approval.contactId }),
    ...(approval.origin === 'session' ? { sessionId: approval.sessionId } : {}),
    expiresAt: new Date(approval.expiresAtMs).toISOString(),
    ...(approval.decision?.reason === undefined ? {} : { reason: approval.decision.reason }),
  }
}
