import { useQuery } from '@tanstack/react-query'
import { useScope } from '../../api/scope.tsx'
import { rolesQuery } from '../../api/team-queries.ts'
import { personRoles } from './role-names.ts'

export interface RoleChoice {
  readonly name: string
  readonly note?: string | undefined
}

/** What can be given to a person: the roles every tenant has, and the tenant's own. */
export function useRoles(): readonly RoleChoice[] {
  const roles = useQuery(rolesQuery(useScope())).data ?? []
  const own = roles.filter((role) => !role.builtin)
  return [
    ...personRoles.map((name) => ({ name })),
    ...own.map(({ name, description }) => ({ name, note: description })),
  ]
}
