// An approval as it is sent. Pure.

import type { ApprovalView } from '../../protocol/approvals.ts'
import type { Approval } from './approval.ts'
import { changesOf, objectOf } from './arguments.ts'

const iso = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString())

export function viewOf(approval: Approval): ApprovalView {
  const { id, state, agent, tool, conversationId, channel, callId, decision, delivery } = approval
  const args = objectOf(approval.args) ?? {}
  const edited = decision?.edited === undefined ? null : (objectOf(decision.edited) ?? {})
  return {
    ...{ id, state, agentId: agent.id, agentName: agent.name, agentVersion: agent.version, tool },
    sessionId: approval.origin === 'session' ? approval.sessionId : null,
    ...{ conversationId, contactId: approval.contactId ?? null, channel, callId },
    ...{ arguments: args, argumentsHash: approval.hash, editedArguments: edited },
    changes: edited === null ? [] : changesOf(args, edited),
    approvedHash: decision?.hash ?? null,
    requestedAt: new Date(approval.requestedAtMs).toISOString(),
    expiresAt: new Date(approval.expiresAtMs).toISOString(),
    decidedBy: decision?.by ?? null,
    decidedAt: iso(decision?.atMs),
    reason: decision?.reason ?? approval.why ?? null,
    note: decision?.note ?? null,
    effectAt: iso(approval.effectAtMs),
    endedAt: iso(approval.endedAtMs),
    ...{ result: approval.result ?? null, delivery },
  }
}
