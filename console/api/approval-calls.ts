import type { ApprovalDetail, ApprovalView } from '../../gateway/protocol/approvals.ts'
import type { Page } from '../../gateway/protocol/rest.ts'
import type { JsonObject } from '../ui/json.ts'
import type { TenantCall } from './call.ts'

export type ApprovalFilter = { readonly state?: string; readonly agentId?: string }

export function approvalCalls(call: TenantCall) {
  const at = (id: string, rest = '') => `/v1/approvals/${encodeURIComponent(id)}${rest}`
  return {
    list: (filter: ApprovalFilter, cursor: string | undefined) =>
      call.get<Page<ApprovalView>>('/v1/approvals', { ...filter, cursor, limit: 100 }),
    detail: (id: string) => call.get<ApprovalDetail>(at(id)),
    approve: (id: string, how: { readonly arguments?: JsonObject; readonly note?: string }) =>
      call.post<ApprovalView>(at(id, '/approve'), how),
    reject: (id: string, reason: string) => call.post<ApprovalView>(at(id, '/reject'), { reason }),
    undo: (id: string) => call.post<ApprovalView>(at(id, '/undo')),
  }
}
