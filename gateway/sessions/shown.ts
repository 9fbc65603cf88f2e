// Which sessions a caller sees, and what of them. Rules and roles name the agent by `agentId`, and the turns as `turns`.

import type { AuthContext } from '../platform/access.ts'
import { found } from '../platform/problem.ts'
import { type Filter, rowFilter } from '../platform/row-filter.ts'
import { shownTo } from '../platform/rows.ts'
import type { SessionView } from '../protocol/rest.ts'
import type { Turn } from '../protocol/turn.ts'

const paths = new Map([
  ['id', '_id'],
  ['agentId', 'agent.id'],
  ...['contactId', 'conversationId', 'channel', 'state'].map((each): [string, string] => [each, each]),
])

/** Part of the query of a list. */
export function sessionRows(auth: AuthContext): Filter | undefined {
  return rowFilter(auth.rows('sessions'), auth, { path: (field) => paths.get(field) })
}

/** `not_found` for one that the caller does not see. */
export function shownSession(auth: AuthContext, session: SessionView | undefined): SessionView {
  const known = found(session)
  const { agentId: _agent, ...shown } = found(shownTo(auth, 'sessions', { ...known, agentId: known.agent.id }))
  return shown
}

export function shownTurns(auth: AuthContext, session: SessionView, turns: readonly Turn[]): readonly Turn[] {
  return found(shownTo(auth, 'sessions', { ...session, agentId: session.agent.id, turns })).turns
}
