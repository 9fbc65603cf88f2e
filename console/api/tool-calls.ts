import type { Page } from '../../gateway/protocol/rest.ts'
import type { ToolView } from '../../gateway/protocol/tools.ts'
import type { TenantCall } from './call.ts'

export function toolCalls(call: TenantCall) {
  const at = (name: string) => `/v1/tools/${encodeURIComponent(name)}`
  return {
    list: (cursor: string | undefined) => call.get<Page<ToolView>>('/v1/tools', { cursor, limit: 100 }),
    detail: (name: string) => call.get<ToolView>(at(name)),
    remove: (name: string) => call.remove(at(name)),
  }
}
