// The table of what can be done with what, made of the abilities the owner has. Pure.

import type { PolicyView } from '../../../gateway/protocol/access.ts'

export interface AbilityTable {
  readonly resources: readonly string[]
  readonly actions: readonly string[]
  has(resource: string, action: string): boolean
}

/** The two that nearly everything has come first, the others in the order in which they appear. */
export function abilityTable(abilities: readonly string[]): AbilityTable {
  const pairs = abilities.map((ability) => ability.split('.'))
  const resources = [...new Set(pairs.map(([resource = '']) => resource))]
  const named = new Set(pairs.map(([, action = '']) => action))
  const first = ['read', 'write'].filter((action) => named.has(action))
  const actions = [...first, ...[...named].filter((action) => !first.includes(action))]
  const all = new Set(abilities)
  return { resources, actions, has: (resource, action) => all.has(`${resource}.${action}`) }
}

/** The policy that says no more and no less than one cell of the table. */
export function isPlain(policy: Omit<PolicyView, 'id'>, resource: string, action: string): boolean {
  return (
    policy.resource === resource &&
    policy.action === action &&
    policy.effect === 'allow' &&
    policy.kind === undefined &&
    policy.priority === 0
  )
}

/** `entity-types` → `Entity types`. */
export function resourceName(resource: string): string {
  const words = resource === '*' ? 'everything' : resource.replaceAll('-', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
