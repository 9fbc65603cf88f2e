// What one console may see of what happens live: the rows and masks of its operator, applied to everything that is pushed.

import type { AuthContext } from '../../platform/access.ts'
import { shownTo } from '../../platform/rows.ts'
import type { ApprovalView } from '../../protocol/approvals.ts'
import type { ConsoleServerEvent, SessionView } from '../../protocol/rest.ts'
import type { Turn } from '../../protocol/turn.ts'
import type { LiveEvent } from '../../sessions/sessions.ts'

/** Undefined: not one of the operator's rows. */
export function shownSession(auth: AuthContext, session: SessionView): SessionView | undefined {
  // As stored: rules and roles name the agent by `agentId`.
  const shown = shownTo(auth, 'sessions', { ...session, agentId: session.agent.id })
  if (shown === undefined) return undefined
  const { agentId: _agent, ...view } = shown
  return view
}

/** Who sees sessions need not see these. */
function shownApproval(auth: AuthContext, approval: ApprovalView): Partial<ApprovalView> | undefined {
  return auth.may('approvals.read', approval.agentId) ? shownTo(auth, 'approvals', approval) : undefined
}

/** Turns are masked as what they are of their session: `turns.text`. Undefined: the session is none of the operator's rows. */
export function shownTurns(
  auth: AuthContext,
  session: SessionView,
  turns: readonly Turn[],
): readonly Turn[] | undefined {
  return shownTo(auth, 'sessions', { ...session, agentId: session.agent.id, turns })?.turns
}

/** `watched`: sessions whose turns are wanted. */
export function shownEvent(
  auth: AuthContext,
  event: LiveEvent,
  watched: ReadonlyMap<string, SessionView>,
): ConsoleServerEvent | undefined {
  if (event.is === 'session') {
    const session = shownSession(auth, event.session)
    return session === undefined ? undefined : { type: 'session', session }
  }
  if (event.is === 'approval') {
    const approval = shownApproval(auth, event.approval)
    return approval === undefined ? undefined : { type: 'approval', approval }
  }
  const { sessionId } = event
  const session = watched.get(sessionId)
  if (session === undefined) return undefined
  if (event.is === 'turn') {
    const [turn] = shownTurns(auth, session, [event.turn]) ?? []
    return turn === undefined ? undefined : { type: 'turn', sessionId, turn }
  }
  if (shownSession(auth, session) === undefined) return undefined
  return { type: 'notice', sessionId, code: event.code, text: event.text, at: new Date().toISOString() }
}
