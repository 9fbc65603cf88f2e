// The roles every tenant has, and what a key may be given at most. Pure; the table other parts and the role matrix read.

import { type Ability, abilities } from '../../platform/access.ts'
import type { Grant } from './grant.ts'

export const builtinRoleNames = ['owner', 'admin', 'operator', 'client', 'service'] as const
export type BuiltinRole = (typeof builtinRoleNames)[number]

const reads: readonly Ability[] = [
  'agents.read',
  'approvals.read',
  'contacts.read',
  'conversations.read',
  'credits.read',
  'entities.read',
  'events.read',
  'executions.read',
  'knowledge.read',
  'objects.read',
  'sessions.read',
  'tenant.read',
  'tools.read',
  'usage.read',
]

/** What one does who works with the agents, without changing what they are. */
const works: readonly Ability[] = [
  ...reads,
  'chat.create',
  'contacts.write',
  'conversations.write',
  'entities.write',
  'events.write',
  'realtime.create',
  'sessions.end',
]

/** A key in a server's environment leaks more easily than a person's session: it never makes keys, people or credit. */
const notForKeys: ReadonlySet<Ability> = new Set([
  'credits.write',
  'keys.read',
  'keys.write',
  'roles.read',
  'roles.write',
  'secrets.read',
  'secrets.write',
  'team.read',
  'team.write',
  'tenant.write',
])

/** The most an API key can be given, whoever makes it. */
export const keyCeiling: readonly Ability[] = abilities.filter((each) => !notForKeys.has(each))

export const builtinRoles: Readonly<Record<BuiltinRole, readonly Ability[]>> = {
  owner: abilities,
  admin: abilities.filter((each) => each !== 'credits.write'),
  operator: [...works, 'approvals.decide', 'keys.read', 'roles.read', 'team.read'],
  client: reads,
  /** A key for which nothing was chosen. */
  service: works,
}

/** As they were stored before there were five. */
const older: ReadonlyMap<string, BuiltinRole> = new Map([
  ['member', 'operator'],
  ['viewer', 'client'],
])

/** Undefined: the name of a role of the tenant's own, or of nobody's. */
export function builtinRole(stored: string): BuiltinRole | undefined {
  return older.get(stored) ?? builtinRoleNames.find((each) => each === stored)
}

/** Priorities of the tenant's own policies end below it: no denial locks the owner out. */
export const ownerPriority = 1_000

export function builtinGrant(name: BuiltinRole): Grant {
  return grantOf(name, builtinRoles[name], name === 'owner' ? ownerPriority : 0)
}

/** A grant of exactly these. */
export function grantOf(role: string, given: readonly Ability[], priority = 0): Grant {
  return {
    role,
    policies: given.map((ability) => {
      const [resource = '', action = ''] = ability.split('.')
      return { resource, action, effect: 'allow', priority }
    }),
    rules: [],
    masks: [],
  }
}
