// Who is signed in, which tenant is chosen, and the calls of that tenant.

import { createContext, type ReactNode, use } from 'react'
import type { OperatorView } from '../../gateway/protocol/rest.ts'
import type { Api } from './client.ts'
import type { Scope } from './queries.ts'
import type { Api as ApiDocument } from './schema.ts'

export type TenantChoice = OperatorView['tenants'][number]

export type Ability = ApiDocument['GET /v1/console/me']['reply']['tenants'][number]['abilities'][number]

export interface ConsoleScope extends Scope {
  readonly whole: Api
  readonly operator: OperatorView
  readonly chosen: TenantChoice
}

export const ScopeContext = createContext<ConsoleScope | undefined>(undefined)

export function useScope(): ConsoleScope {
  const scope = use(ScopeContext)
  if (scope === undefined) throw new Error('useScope outside the signed-in console')
  return scope
}

/** Whether the person may do it in the chosen tenant, on something at least. The gateway decides again with each call. */
export function useMay(): (ability: Ability) => boolean {
  const { chosen } = useScope()
  return (ability) => chosen.abilities.includes(ability)
}

/** What the person may not do is not offered. */
export function Allowed({ to, children }: { to: Ability; children: ReactNode }) {
  return useMay()(to) ? children : null
}
