import type { Page } from '../../gateway/protocol/rest.ts'
import type { JsonObject } from '../ui/json.ts'
import type { TenantCall } from './call.ts'

export interface McpTool {
  readonly name: string
  readonly remote: string
  readonly description: string
  readonly parameters: JsonObject
  readonly readOnlyHint: boolean
  readonly hash: string
  readonly state: 'on' | 'off' | 'changed' | 'gone'
  readonly accepted: { readonly description: string; readonly parameters: JsonObject } | null
}
export interface McpServer {
  readonly id: string
  readonly name: string
  readonly url: string | null
  readonly process: string | null
  readonly auth: { readonly header: string; readonly prefix: string; readonly secret: string } | null
  readonly isOn: boolean
  readonly only: readonly string[] | null
  readonly not: readonly string[] | null
  readonly version: string | null
  readonly listedAt: string | null
  readonly error: string | null
  readonly tools: readonly McpTool[]
  readonly leftOut: readonly { readonly tool: string; readonly why: string }[]
  readonly createdAt: string
}

export interface NewMcpServer {
  readonly name: string
  readonly url?: string
  readonly process?: string
  readonly auth?: { readonly secret: string }
}

export interface McpToolDecision {
  /** Hash of the description that was looked at. */
  readonly accept?: string
  readonly state?: 'on' | 'off'
  readonly readOnly?: boolean
}

export function mcpCalls(call: TenantCall) {
  const at = (id: string, rest = '') => `/v1/mcp-servers/${encodeURIComponent(id)}${rest}`
  return {
    list: (cursor: string | undefined) => call.get<Page<McpServer>>('/v1/mcp-servers', { cursor, limit: 50 }),
    processes: () => call.get<{ readonly items: readonly { readonly name: string }[] }>('/v1/mcp-processes'),
    create: (server: NewMcpServer) => call.post<McpServer>('/v1/mcp-servers', server),
    turn: (id: string, isOn: boolean) => call.patch<McpServer>(at(id), { isOn }),
    refresh: (id: string) => call.post<McpServer>(at(id, '/refresh')),
    remove: (id: string) => call.remove(at(id)),
    decide: (id: string, tool: string, decision: McpToolDecision) =>
      call.patch<McpServer>(at(id, `/tools/${encodeURIComponent(tool)}`), decision),
  }
}
