import type {
  AssignmentView,
  FieldMaskView,
  PolicyView,
  RoleDetail,
  RoleView,
  RowRuleView,
} from '../../gateway/protocol/access.ts'
import type { Page } from '../../gateway/protocol/rest.ts'
import type { TenantCall } from './call.ts'

export type PolicyFields = Omit<PolicyView, 'id'>

export interface RoleChange {
  readonly description?: string
  readonly rules?: readonly RowRuleView[]
  readonly masks?: readonly FieldMaskView[]
}

export function roleCalls(call: TenantCall) {
  const role = (id: string) => `/v1/roles/${encodeURIComponent(id)}`
  const policyOf = (id: string, policyId: string) => `${role(id)}/policies/${encodeURIComponent(policyId)}`
  return {
    list: (cursor: string | undefined) => call.get<Page<RoleView>>('/v1/roles', { cursor }),
    detail: (id: string) => call.get<RoleDetail>(role(id)),
    create: (made: { name: string; description: string }) => call.post<RoleDetail>('/v1/roles', made),
    change: (id: string, change: RoleChange) => call.patch<RoleView>(role(id), change),
    remove: (id: string) => call.remove(role(id)),
    give: (id: string, policyId: string) => call.put<RoleDetail>(policyOf(id, policyId), {}),
    take: (id: string, policyId: string) => call.remove(policyOf(id, policyId)),
    policies: (cursor: string | undefined) => call.get<Page<PolicyView>>('/v1/policies', { cursor, limit: 200 }),
    createPolicy: (policy: PolicyFields) => call.post<PolicyView>('/v1/policies', policy),
    removePolicy: (id: string) => call.remove(`/v1/policies/${encodeURIComponent(id)}`),
    assignments: (cursor: string | undefined) =>
      call.get<Page<AssignmentView>>('/v1/roles/assignments', { cursor, limit: 200 }),
    assign: (wish: Omit<AssignmentView, 'id' | 'createdAt'>) =>
      call.post<AssignmentView>('/v1/roles/assignments', wish),
    removeAssignment: (id: string) => call.remove(`/v1/roles/assignments/${encodeURIComponent(id)}`),
  }
}
