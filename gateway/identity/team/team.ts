// The people of a tenant and who is invited. Owns memberships and invitations; what a role allows is decided elsewhere.
// A role taken away is gone with the next request: roles are read with each one.

import { randomBytes } from 'node:crypto'
import type { AuthContext } from '../../platform/access.ts'
import type { Clock } from '../../platform/clock.ts'
import { asTenantId, newId, type TenantId } from '../../platform/ids.ts'
import { Problem } from '../../platform/problem.ts'
import type { Page } from '../../protocol/rest.ts'
import type { InvitationView, MemberView, NewInvitationView } from '../../protocol/team.ts'
import type { OperatorRecord, operatorStore } from '../operator-store.ts'
import { sha256 } from '../seal.ts'
import type { InvitationRecord, invitationStore } from './invitation-store.ts'
import type { ownerStore } from './owner-store.ts'

/** What the team asks about roles. */
export interface RoleBook {
  /** Those among the names that no role of the tenant has. */
  unknown(tenantId: TenantId, names: readonly string[]): Promise<readonly string[]>
  /** Nobody gives away more than they have. */
  mayGrant(auth: AuthContext, names: readonly string[]): Promise<boolean>
  /** What somebody who has left had for one thing only. */
  forget(tenantId: TenantId, operatorId: string): Promise<void>
}

export interface PageWish {
  readonly cursor?: string | undefined
  readonly limit: number
}

export interface ScopedTeam {
  members(page: PageWish): Promise<Page<MemberView>>
  /** `not_found` for who is not in this tenant. */
  member(operatorId: string): Promise<MemberView>
  /**
   * An operator of the gateway comes into the tenant, or gets other roles there. `conflict`: no owner would be left;
   * `forbidden`: the caller gives or takes more than they have; `invalid`: a role nobody knows.
   */
  setRoles(operatorId: string, roles: readonly string[], by: AuthContext): Promise<MemberView>
  /** Access ends at once. `conflict` for the last owner, `not_found` for who is no member. */
  remove(operatorId: string, by: AuthContext): Promise<void>
  /** An earlier open invitation of the same address ends. */
  invite(
    wish: { readonly email: string; readonly roles: readonly string[] },
    by: AuthContext,
  ): Promise<NewInvitationView>
  invitations(page: PageWish): Promise<Page<InvitationView>>
  revokeInvitation(invitationId: string): Promise<void>
  /** As the system does it (a webhook, a first sign-in): no caller to ask. False: no owner would be left. */
  assign(operatorId: string, roles: readonly string[]): Promise<boolean>
  /** As whoever vouched for the person says it: they are out, even the last owner. */
  withdraw(operatorId: string): Promise<void>
}

export interface Team {
  of(tenantId: TenantId): ScopedTeam
  /** Whom an open link invites, and whether they are known here already. Undefined for a link used, ended or made up. */
  invited(token: string): Promise<{ readonly email: string; readonly operatorId: string | undefined } | undefined>
  /**
   * Once per link: an operator there is, or a new one of this name with the invitation's address. Undefined when somebody
   * was faster; `conflict` when the address has become another operator's.
   */
  accept(token: string, who: { readonly operatorId: string } | { readonly name: string }): Promise<string | undefined>
  /** The operator's roles in all tenants. `conflict`, and nothing changed there, where no owner would be left. */
  setAllRoles(operatorId: string, roles: OperatorRecord['roles']): Promise<void>
}

export interface TeamDeps {
  readonly operators: ReturnType<typeof operatorStore.open>
  readonly invitations: ReturnType<typeof invitationStore.open>
  readonly owners: ReturnType<typeof ownerStore.open>
  readonly roles: RoleBook
  /** Address of the console's sign-in page, for links. */
  readonly signInUrl: string
  readonly clock: Clock
}

const invitationLifeMs = 7 * 86_400_000
const ownerRole = 'owner'

export function createTeam(deps: TeamDeps): Team {
  const { operators, invitations, clock } = deps
  const now = () => new Date(clock.now())
  return {
    of: (tenantId) => scopedTeam(deps, tenantId),
    async invited(token) {
      const invitation = await invitations.openOne(sha256(token), now())
      if (invitation === undefined) return undefined
      return { email: invitation.email, operatorId: (await operators.findBy({ email: invitation.email }))?.operatorId }
    },
    accept: (token, who) => accept(deps, token, who),
    async setAllRoles(operatorId, roles) {
      const before = (await operators.find(operatorId))?.roles ?? []
      for (const tenantId of new Set([...before, ...roles].map((each) => each.tenantId))) {
        const names = roles.filter((each) => each.tenantId === tenantId).map((each) => each.role)
        if (!(await assign(deps, asTenantId(tenantId), { operatorId, roles: names })))
          throw new Problem('conflict', 'A team needs an owner.')
      }
    },
  }
}

async function accept(
  deps: TeamDeps,
  token: string,
  who: { readonly operatorId: string } | { readonly name: string },
): Promise<string | undefined> {
  const { operators, invitations, clock } = deps
  const invitation = await invitations.accept(sha256(token), new Date(clock.now()))
  if (invitation === undefined) return undefined
  const { tenantId, roles, email } = invitation
  const person =
    'operatorId' in who
      ? await operators.find(who.operatorId)
      : await operators.insert({ operatorId: newId('op'), name: who.name, email, owner: false, roles: [] })
  if (person === undefined) throw new Problem('conflict', 'This address is in use. Ask for a new invitation.')
  const present = rolesIn(person, tenantId)
  await assign(deps, tenantId, { operatorId: person.operatorId, roles: [...new Set([...present, ...roles])] })
  return person.operatorId
}

function scopedTeam(deps: TeamDeps, tenantId: TenantId): ScopedTeam {
  const { operators, invitations, roles: book, clock } = deps
  const member = async (operatorId: string): Promise<OperatorRecord> => {
    const record = await operators.member(tenantId, operatorId)
    if (record === undefined) throw new Problem('not_found')
    return record
  }
  const checked = async (names: readonly string[], by: AuthContext): Promise<void> => {
    const [unknown] = await book.unknown(tenantId, names)
    if (unknown !== undefined) throw new Problem('invalid', `There is no role ${unknown.slice(0, 60)}.`)
    if (!(await book.mayGrant(by, names))) throw new Problem('forbidden', 'This role allows more than yours do.')
  }
  const assigned = async (operatorId: string, roles: readonly string[]): Promise<void> => {
    if (!(await assign(deps, tenantId, { operatorId, roles }))) throw new Problem('conflict', 'A team needs an owner.')
  }
  return {
    members: async ({ cursor, limit }) =>
      pageOf(await operators.members(tenantId, { after: cursor, limit: limit + 1 }), limit, (each) =>
        presentMember(each, tenantId),
      ),
    member: async (operatorId) => presentMember(await member(operatorId), tenantId),
    async setRoles(operatorId, roles, by) {
      // Taking `owner` away is as much as giving it.
      await checked([...new Set([...roles, ...rolesIn(await member(operatorId), tenantId)])], by)
      await assigned(operatorId, roles)
      return presentMember(await member(operatorId), tenantId)
    },
    async remove(operatorId, by) {
      await checked(rolesIn(await member(operatorId), tenantId), by)
      await assigned(operatorId, [])
    },
    async invite({ email, roles }, by) {
      await checked(roles, by)
      const token = randomBytes(32).toString('base64url')
      const createdAt = new Date(clock.now())
      const record: InvitationRecord = {
        ...{ invitationId: newId('inv'), tenantId, email: email.toLowerCase(), roles, status: 'open', createdAt },
        invitedBy: by.actor.name,
        expiresAt: new Date(clock.now() + invitationLifeMs),
      }
      await invitations.revokeOpen(tenantId, record.email)
      await invitations.insert(record, sha256(token))
      return { ...presentInvitation(record, clock), link: `${deps.signInUrl}#invitation=${token}` }
    },
    invitations: async ({ cursor, limit }) =>
      pageOf(await invitations.list(tenantId, { after: cursor, limit: limit + 1 }), limit, (each) =>
        presentInvitation(each, clock),
      ),
    async revokeInvitation(invitationId) {
      if (!(await invitations.revoke(tenantId, invitationId))) throw new Problem('not_found')
    },
    assign: (operatorId, roles) => assign(deps, tenantId, { operatorId, roles }),
    async withdraw(operatorId) {
      await deps.owners.drop(tenantId, operatorId)
      await deps.operators.setRolesIn(tenantId, operatorId, [])
      await book.forget(tenantId, operatorId)
    },
  }
}

/** False, and nothing changed, when the tenant would be left without the owner it has. */
async function assign(
  { operators, owners, roles: book }: TeamDeps,
  tenantId: TenantId,
  { operatorId, roles }: { readonly operatorId: string; readonly roles: readonly string[] },
): Promise<boolean> {
  const isOwner = rolesIn(await operators.member(tenantId, operatorId), tenantId).includes(ownerRole)
  const staysOwner = roles.includes(ownerRole)
  if (isOwner && !staysOwner && !(await owners.takeOut(tenantId, operatorId))) return false
  // An owner is one of the operators first and of this list second: a crash between leaves one too few here, never too many.
  await operators.setRolesIn(tenantId, operatorId, roles)
  if (staysOwner) await owners.add(tenantId, operatorId)
  if (roles.length === 0) await book.forget(tenantId, operatorId)
  return true
}

function rolesIn(operator: OperatorRecord | undefined, tenantId: TenantId): string[] {
  return operator?.roles.filter((each) => each.tenantId === tenantId).map((each) => each.role) ?? []
}

function pageOf<R, T>(
  records: readonly R[],
  limit: number,
  present: (record: R) => T & { readonly id: string },
): Page<T> {
  const items = records.slice(0, limit).map(present)
  return { items, next: records.length > limit ? (items.at(-1)?.id ?? null) : null }
}

function presentMember(operator: OperatorRecord, tenantId: TenantId): MemberView {
  return {
    id: operator.operatorId,
    name: operator.name,
    email: operator.email ?? null,
    roles: rolesIn(operator, tenantId),
    createdAt: operator.createdAt.toISOString(),
  }
}

function presentInvitation(record: InvitationRecord, clock: Clock): InvitationView {
  const isOver = record.status === 'open' && record.expiresAt.getTime() <= clock.now()
  return {
    id: record.invitationId,
    email: record.email,
    roles: record.roles,
    status: isOver ? 'expired' : record.status,
    invitedBy: record.invitedBy,
    createdAt: record.createdAt.toISOString(),
    expiresAt: record.expiresAt.toISOString(),
  }
}
