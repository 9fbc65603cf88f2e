// Who is signed in, which tenant is chosen, and the calls of that tenant.

import { createContext, use } from 'react'
import type { OperatorView } from '../../gateway/protocol/rest.ts'
import type { Api } from './client.ts'
import type { Scope } from './queries.ts'

export type TenantChoice = OperatorView['tenants'][number]

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
