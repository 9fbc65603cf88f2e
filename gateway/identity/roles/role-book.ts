// What the team asks about roles: which there are, who may give them, and what goes with somebody who leaves.

import type { TenantId } from '../../platform/ids.ts'
import type { RoleBook } from '../team/team.ts'
import type { TenantRoles } from './roles.ts'

export function createRoleBook(roles: { of(tenantId: TenantId): TenantRoles }): RoleBook {
  return {
    async unknown(tenantId, names) {
      const unknown = await roles.of(tenantId).unknown(names)
      // It is for keys.
      return names.filter((name) => name === 'service' || unknown.includes(name))
    },
    mayGrant: (auth, names) => roles.of(auth.tenantId).mayGrant(auth, names),
    forget: (tenantId, operatorId) => roles.of(tenantId).forget(operatorId),
  }
}
