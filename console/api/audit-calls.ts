import type { AuditEntryView } from '../../gateway/protocol/access.ts'
import type { Page } from '../../gateway/protocol/rest.ts'
import type { TenantCall } from './call.ts'

/** Days as `2026-01-31`, in UTC; `to` is not included. */
export type AuditFilter = {
  readonly from?: string
  readonly to?: string
  readonly actor?: string
  readonly ability?: string
}

export function auditCalls(call: TenantCall) {
  return {
    list: (filter: AuditFilter, cursor: string | undefined) =>
      call.get<Page<AuditEntryView>>('/v1/audit', { ...filter, cursor, limit: 60 }),
    exported: (filter: AuditFilter) => call.download('/v1/audit/export', { ...filter }),
  }
}
