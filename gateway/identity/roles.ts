// What each role may do in a tenant, and what an API key may do. Pure.

import type { Ability } from '../platform/access.ts'

export type Role = 'owner' | 'admin' | 'member' | 'viewer'

const reads: readonly Ability[] = ['sessions.read', 'credits.read', 'usage.read', 'tenant.read']
const everything: readonly Ability[] = [
  ...reads,
  'sessions.end',
  'credits.write',
  'tenant.write',
  'keys.read',
  'keys.write',
  'realtime.create',
]

export const abilitiesOf: Readonly<Record<Role, readonly Ability[]>> = {
  owner: everything,
  admin: everything.filter((each) => each !== 'credits.write'),
  member: [...reads, 'sessions.end', 'keys.read', 'realtime.create'],
  viewer: reads,
}

/** A key in a server's environment leaks more easily than a person's session: it cannot make keys, credit or itself stronger. */
export const apiKeyAbilities: readonly Ability[] = [...reads, 'sessions.end', 'realtime.create']
