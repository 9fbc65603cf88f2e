import type { Page } from '../../gateway/protocol/rest.ts'
import type { InvitationView, MemberView, NewInvitationView } from '../../gateway/protocol/team.ts'
import type { TenantCall } from './call.ts'

export function teamCalls(call: TenantCall) {
  const member = (id: string) => `/v1/team/${encodeURIComponent(id)}`
  return {
    members: (cursor: string | undefined) => call.get<Page<MemberView>>('/v1/team', { cursor, limit: 100 }),
    setRoles: (id: string, roles: readonly string[]) => call.patch<MemberView>(member(id), { roles }),
    remove: (id: string) => call.remove(member(id)),
    invitations: (cursor: string | undefined) =>
      call.get<Page<InvitationView>>('/v1/team/invitations', { cursor, limit: 100 }),
    invite: (email: string, roles: readonly string[]) =>
      call.post<NewInvitationView>('/v1/team/invitations', { email, roles }),
    revokeInvitation: (id: string) => call.remove(`/v1/team/invitations/${encodeURIComponent(id)}`),
  }
}
