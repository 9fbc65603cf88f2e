import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { allPages } from './all-pages.ts'
import type { AuditFilter } from './audit-calls.ts'
import type { Scope } from './queries.ts'

export const membersQuery = ({ tenant, api }: Scope) =>
  queryOptions({ queryKey: [tenant, 'team'], queryFn: () => allPages(api.team.members) })

export const invitationsQuery = ({ tenant, api }: Scope) =>
  queryOptions({ queryKey: [tenant, 'team', 'invitations'], queryFn: () => allPages(api.team.invitations) })

export const rolesQuery = ({ tenant, api }: Scope) =>
  queryOptions({ queryKey: [tenant, 'roles'], queryFn: () => allPages(api.roles.list) })

export const roleQuery = ({ tenant, api }: Scope, id: string) =>
  queryOptions({ queryKey: [tenant, 'roles', id], queryFn: () => api.roles.detail(id) })

export const policiesQuery = ({ tenant, api }: Scope) =>
  queryOptions({ queryKey: [tenant, 'roles', '-', 'policies'], queryFn: () => allPages(api.roles.policies) })

export const assignmentsQuery = ({ tenant, api }: Scope) =>
  queryOptions({ queryKey: [tenant, 'roles', '-', 'assignments'], queryFn: () => allPages(api.roles.assignments) })

export const auditQuery = ({ tenant, api }: Scope, filter: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: [tenant, 'audit', filter],
    queryFn: ({ pageParam }) => api.audit.list(filter, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  })
