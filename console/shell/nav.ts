// The console's screens as its navigation shows them; the routes are in ../routes.tsx.

import type { Ability } from '../api/scope.tsx'
import type { IconName } from '../ui/icon.tsx'

export const navItems = [
  { to: '/', name: 'Live', icon: 'live', keys: 'g l', reads: ['sessions.read'] },
  { to: '/approvals', name: 'Approvals', icon: 'shield', keys: 'g p', reads: ['approvals.read'] },
  { to: '/history', name: 'History', icon: 'history', keys: 'g h', reads: ['sessions.read'] },
  { to: '/agents', name: 'Agents', icon: 'agent', keys: 'g a', reads: ['agents.read'] },
  { to: '/tools', name: 'Tools', icon: 'tool', keys: 'g o', reads: ['tools.read'] },
  { to: '/knowledge', name: 'Knowledge', icon: 'book', keys: 'g n', reads: ['knowledge.read'] },
  { to: '/credits', name: 'Credits', icon: 'credits', keys: 'g c', reads: ['credits.read', 'usage.read'] },
  { to: '/team', name: 'Team', icon: 'team', keys: 'g t', reads: ['team.read', 'roles.read'] },
  { to: '/keys', name: 'Tenant & keys', short: 'Keys', icon: 'key', keys: 'g k', reads: ['keys.read'] },
  { to: '/audit', name: 'Audit log', short: 'Audit', icon: 'audit', keys: 'g u', reads: ['audit.read'] },
] as const satisfies readonly {
  to: string
  name: string
  short?: string
  icon: IconName
  keys: string
  /** Who may do none of these has nothing to see there. */
  reads: readonly Ability[]
}[]

export const navFor = (may: (ability: Ability) => boolean) => navItems.filter((item) => item.reads.some(may))
