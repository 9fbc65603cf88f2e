// The console's screens as its navigation shows them; the routes are in ../routes.tsx.

import type { IconName } from '../ui/icon.tsx'

export const navItems = [
  { to: '/', name: 'Live', icon: 'live', keys: 'g l' },
  { to: '/history', name: 'History', icon: 'history', keys: 'g h' },
  { to: '/agents', name: 'Agents', icon: 'agent', keys: 'g a' },
  { to: '/credits', name: 'Credits', icon: 'credits', keys: 'g c' },
  { to: '/team', name: 'Team', icon: 'team', keys: 'g t' },
  { to: '/keys', name: 'Tenant & keys', short: 'Keys', icon: 'key', keys: 'g k' },
  { to: '/audit', name: 'Audit log', short: 'Audit', icon: 'audit', keys: 'g u' },
] as const satisfies readonly { to: string; name: string; short?: string; icon: IconName; keys: string }[]
