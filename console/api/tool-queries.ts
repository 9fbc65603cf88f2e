import { queryOptions } from '@tanstack/react-query'
import { allPages } from './all-pages.ts'
import type { Scope } from './queries.ts'

export const toolsQuery = ({ tenant, api }: Scope) =>
  queryOptions({ queryKey: [tenant, 'tools'], queryFn: () => allPages(api.tools.list) })

export const toolQuery = ({ tenant, api }: Scope, name: string) =>
  queryOptions({ queryKey: [tenant, 'tools', 'one', name], queryFn: () => api.tools.detail(name) })

export const secretsQuery = ({ tenant, api }: Scope) =>
  queryOptions({ queryKey: [tenant, 'secrets'], queryFn: () => allPages(api.tools.secrets) })
