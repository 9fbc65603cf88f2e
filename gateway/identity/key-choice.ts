// What may be chosen for an API key.

import type { Ability, AuthContext } from '../platform/access.ts'
import type { Clock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import { Problem } from '../platform/problem.ts'
import type { ApiKeyChoice } from './key-store.ts'
import { builtinRoles, keyCeiling } from './roles/builtin.ts'
import { beyondAbilities } from './roles/escalation.ts'
import { kindOf } from './roles/grant.ts'
import type { TenantRoles } from './roles/roles.ts'
import type { AgentBook } from './visitors.ts'

export interface ChoiceDeps {
  readonly agents: AgentBook
  readonly roles: { of(tenantId: TenantId): Pick<TenantRoles, 'unknown' | 'mayGrant'> }
  readonly clock: Clock
}

/** No key has more than any key may have, nor than who makes it or changes it. */
export async function checkChoice(
  deps: ChoiceDeps,
  { scopes = null, role = null, agentIds = [], expiresAt = null }: ApiKeyChoice,
  { tenantId, by }: { readonly tenantId: TenantId; readonly by: AuthContext | undefined },
): Promise<void> {
  const tooMuch = scopes?.find((each) => !keyCeiling.includes(each))
  if (tooMuch !== undefined) throw new Problem('forbidden', `No API key can have ${tooMuch}.`)
  if (expiresAt !== null && expiresAt.getTime() <= deps.clock.now())
    throw new Problem('invalid', 'The key would have expired already.')
  if (agentIds.length > 0) {
    const known = new Set((await deps.agents.of(tenantId).list()).map((each) => each.id))
    if (agentIds.some((each) => !known.has(each))) throw new Problem('invalid', 'There is no such agent.')
  }
  const roles = deps.roles.of(tenantId)
  if (role !== null && (await roles.unknown([role])).length > 0)
    throw new Problem('invalid', `There is no role ${role.slice(0, 60)}.`)
  if (by === undefined) return
  if (role !== null && !(await roles.mayGrant(by, [role])))
    throw new Problem('forbidden', 'This role allows more than yours do.')
  const asked = role === null ? (scopes ?? builtinRoles.service) : []
  const beyond = (agentIds.length > 0 ? agentIds : ['*']).flatMap((kind) => {
    const family = (each: Ability) => kindOf(each.split('.')[0] ?? '')?.family
    return asked.filter((each) => beyondAbilities(by, [each], family(each) === 'agent' ? kind : '*') !== undefined)
  })
  if (beyond[0] !== undefined) throw new Problem('forbidden', `You do not have ${beyond[0]} yourself.`)
}
