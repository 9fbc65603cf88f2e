// Less than a role gives: what a key may do with it. Pure.

import type { Ability } from '../../platform/access.ts'
import { type Grant, kindOf, type Policy } from './grant.ts'

/** Allows nothing beside these; denials stay whole. */
export function narrowed(grants: readonly Grant[], abilities: readonly Ability[]): readonly Grant[] {
  return grants.map((grant) => ({
    ...grant,
    policies: grant.policies.flatMap((policy) =>
      policy.effect === 'deny' ? [policy] : abilities.flatMap((each) => allowing(policy, each)),
    ),
  }))
}

function allowing(policy: Policy, ability: Ability): readonly Policy[] {
  const [resource = '', action = ''] = ability.split('.')
  if (policy.resource !== '*' && policy.resource !== resource) return []
  if (policy.action !== '*' && policy.action !== action) return []
  return [{ ...policy, resource, action }]
}

/** What has to do with agents is allowed for these only. Give it what `narrowed` made: no policy may stand for every resource. */
export function boundTo(grants: readonly Grant[], agentIds: readonly string[]): readonly Grant[] {
  if (agentIds.length === 0) return grants
  const ofAgents = (policy: Policy): boolean => policy.effect === 'allow' && kindOf(policy.resource)?.family === 'agent'
  return grants.flatMap((grant) => [
    { ...grant, policies: grant.policies.filter((each) => !ofAgents(each)) },
    ...agentIds.map((id) => ({
      ...grant,
      policies: grant.policies.filter(ofAgents),
      scope: { of: 'agent', id } as const,
    })),
  ])
}
