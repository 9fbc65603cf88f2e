// Nobody hands out more than they have, nor takes a denial away that stands before what they do not have. Pure.

import { type Ability, type AuthContext, abilities } from '../../platform/access.ts'
import { kindOf, type Policy, type Scope } from './grant.ts'

type Speaks = Pick<Policy, 'resource' | 'action' | 'kind'>

/** The first ability these speak of that the maker has not, or has on fewer rows or fields than all; undefined: none. */
export function beyond(maker: AuthContext, policies: readonly Speaks[], scope?: Scope): Ability | undefined {
  return abilities.find((ability) =>
    policies.some((each) => {
      const kind = kindOfGrant(each, ability, scope)
      return kind !== undefined && !has(maker, ability, kind)
    }),
  )
}

/** All of these as they are: a role of the five, the choice for a key. */
export function beyondAbilities(maker: AuthContext, given: readonly Ability[], kind = '*'): Ability | undefined {
  return given.find((each) => !has(maker, each, kind))
}

function has(maker: AuthContext, ability: Ability, kind: string): boolean {
  const [resource = ''] = ability.split('.')
  const one = kind === '*' ? undefined : kind
  return maker.may(ability, kind) && maker.sees(resource, '*', one) && isWhole(maker, resource, one)
}

/** Who sees some rows only could else give somebody the others. */
function isWhole(maker: AuthContext, resource: string, kind: string | undefined): boolean {
  const rows = maker.rows(resource, kind)
  // None, and yet allowed: it can be done and not read. There is nothing to see that could be given.
  return rows.is !== 'some'
}

/** The kind on which a policy gives the ability: `*` for every one, undefined where it gives nothing. */
function kindOfGrant(policy: Speaks, ability: Ability, scope: Scope | undefined): string | undefined {
  const [resource = '', action = ''] = ability.split('.')
  if (policy.resource !== '*' && policy.resource !== resource) return undefined
  if (policy.action !== '*' && policy.action !== action) return undefined
  const family = kindOf(resource)?.family
  // A kind narrows a policy only where the resource has kinds.
  if (policy.kind !== undefined && family === undefined) return undefined
  if (scope === undefined) return policy.kind ?? '*'
  if (family !== scope.of || (policy.kind !== undefined && policy.kind !== scope.id)) return undefined
  return scope.id
}
