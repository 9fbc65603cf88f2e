import { queryOptions } from '@tanstack/react-query'
import { allPages } from './all-pages.ts'
import type { Scope } from './queries.ts'

export const toolsQuery = ({ tenant, api }: Scope) =>
  queryOptions({ queryKey: [tenant, 'tools'], queryFn: () => allPages(api.tools.list) })

export const toolQuery = ({ tenant, api }: Scope, name: string) =>
  queryOptions({ queryKey: [tenant, 'tools', 'one', name], queryFn: () => api.tools.detail(name) })

export const mcpServersQuery = ({ tenant, api }: Scope) =>
  queryOptions({ queryKey: [tenant, 'mcp-servers'], queryFn: () => allPages(api.mcp.list) })

export const mcpProcessesQuery = ({ tenant, api }: Scope) =>
  queryOptions({ queryKey: [tenant, 'mcp-servers', 'processes'], queryFn: api.mcp.processes, staleTime: 300_000 })

export const secretsQuery = ({ tenant, api }: Scope) =>
  queryOptions({ queryKey: [tenant, 'secrets'], queryFn: () => allPages(api.tools.secrets) })
