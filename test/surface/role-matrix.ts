// Who may do what, as a person wrote it down: the code is held to this, not this to the code. One line per ability of
// platform/access.ts; the columns are the built-in roles. `service` is an API key for which nothing was chosen.

import type { Ability } from '../../gateway/platform/access.ts'

export const roles = ['owner', 'admin', 'operator', 'client', 'service'] as const
export type RoleName = (typeof roles)[number]

const all = 'owner admin operator client service'
/** Works with the agents and the people they talk to. */
const working = 'owner admin operator service'
/** Sees how the place is run, and no key does. */
const staff = 'owner admin operator'
/** Decides what the agents and the data are. */
const ruling = 'owner admin'

const matrix: Readonly<Record<Ability, string>> = {
  'agents.read': all,
  'agents.write': ruling,
  'agents.deploy': ruling,
  'approvals.decide': staff,
  'approvals.read': all,
  'audit.read': ruling,
  'chat.create': working,
  'contacts.read': all,
  'contacts.write': working,
  'conversations.read': all,
  'conversations.write': working,
  'credits.read': all,
  'credits.write': 'owner',
  'entities.read': all,
  'entities.write': working,
  'entity-types.write': ruling,
  'events.read': all,
  'events.write': working,
  'executions.read': all,
  'keys.read': staff,
  'keys.write': ruling,
  'knowledge.read': all,
  'knowledge.write': ruling,
  'objects.read': all,
  'objects.write': ruling,
  'realtime.create': working,
  'roles.read': staff,
  'roles.write': ruling,
  'secrets.read': ruling,
  'secrets.write': ruling,
  'sessions.end': working,
  'sessions.read': all,
  'team.read': staff,
  'team.write': ruling,
  'tenant.read': all,
  'tenant.write': ruling,
  'tools.read': all,
  'tools.write': ruling,
  'usage.read': all,
  'webhooks.read': ruling,
  'webhooks.write': ruling,
}

export function mayBy(role: RoleName, ability: Ability): boolean {
  return matrix[ability].split(' ').includes(role)
}
