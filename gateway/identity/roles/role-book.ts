// What the team asks about roles: which there are, and who may give them.

import type { RoleBook } from '../team/team.ts'
import { builtinRole, builtinRoles } from './builtin.ts'

/** The built-in roles, the same in every tenant. `service` is for keys. */
export const roleBook: RoleBook = {
  unknown: async (_tenantId, names) => names.filter((name) => (builtinRole(name) ?? 'service') === 'service'),
  mayGrant: async (auth, names) =>
    names.every((name) => {
      const role = builtinRole(name)
      return role === undefined || builtinRoles[role].every((each) => auth.may(each))
    }),
}
