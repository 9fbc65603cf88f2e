// A caller as tests want it: may do everything, unless told otherwise.

import type { Actor, AuthContext } from '../../gateway/platform/access.ts'
import { asTenantId } from '../../gateway/platform/ids.ts'

const tester: Actor = { kind: 'operator', id: 'op_tester', name: 'Tester' }

export function authAs(tenantId: string, own: Partial<AuthContext> = {}): AuthContext {
  return {
    ...{ tenantId: asTenantId(tenantId), actor: tester, roles: ['owner'] },
    may: () => true,
    rows: () => ({ is: 'all' }),
    masked: (_resource, record) => record,
    sees: () => true,
    ...own,
  }
}
