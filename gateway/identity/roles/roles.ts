// A tenant's roles: the five every tenant has and its own, the policies they are made of, and who has one for one thing
// only. Owns the check that nobody hands out more than they have. What a role gives is read anew with each request.

import type { AuthContext } from '../../platform/access.ts'
import { type PageQuery, pageFrom } from '../../platform/cursor.ts'
import type { TenantId } from '../../platform/ids.ts'
import { found, Problem } from '../../platform/problem.ts'
import type { AssignmentView, PolicyView, RoleDetail, RoleView } from '../../protocol/access.ts'
import type { Page } from '../../protocol/rest.ts'
import { builtinGrant, builtinRole, builtinRoleNames, builtinRoles } from './builtin.ts'
import { beyond, beyondAbilities } from './escalation.ts'
import type { Grant, Scope } from './grant.ts'
import type { NewRole, PolicyFields, RoleChange } from './role.ts'
import type { AssignmentRecord, RoleRecord, RoleStore } from './role-store.ts'
import {
  builtinDetail,
  builtinView,
  grantOfRole,
  presentAssignment,
  presentDetail,
  presentPolicy,
  presentRole,
} from './role-views.ts'

/** Methods with `by` throw `forbidden` where it would be given, or freed of a denial, what the caller does not have. */
export interface TenantRoles {
  /** The five first, then the tenant's own by name. */
  list(): Promise<readonly RoleView[]>
  /** By id or, of the five, by name. `not_found` for one of another tenant. */
  get(roleId: string): Promise<RoleView>
  getByName(name: string): Promise<RoleView>
  getWithPolicies(roleId: string): Promise<RoleDetail>
  /** `conflict` for a name that is taken, `invalid` for a policy there is not. */
  create(role: NewRole, by: AuthContext): Promise<RoleDetail>
  update(roleId: string, change: RoleChange, by: AuthContext): Promise<RoleView>
  /** `conflict` while people or keys have it; who had it for one thing only has it no longer. */
  remove(roleId: string, by: AuthContext): Promise<void>
  assignPolicy(roleId: string, policyId: string, by: AuthContext): Promise<RoleDetail>
  takePolicy(roleId: string, policyId: string, by: AuthContext): Promise<RoleDetail>
  policies(page: PageQuery): Promise<Page<PolicyView>>
  policy(policyId: string): Promise<PolicyView>
  createPolicy(fields: PolicyFields, by: AuthContext): Promise<PolicyView>
  updatePolicy(policyId: string, fields: PolicyFields, by: AuthContext): Promise<PolicyView>
  /** `conflict` while a role has it. */
  removePolicy(policyId: string, by: AuthContext): Promise<void>
  assignments(page: PageQuery): Promise<Page<AssignmentView>>
  /** Gives a role for one thing only. The same once more changes nothing. */
  assign(wish: Pick<AssignmentRecord, 'operatorId' | 'role' | 'scope'>, by: AuthContext): Promise<AssignmentView>
  removeAssignment(assignmentId: string, by: AuthContext): Promise<void>
  /** Those among the names that no role of the tenant has. */
  unknown(names: readonly string[]): Promise<readonly string[]>
  /** Whether the caller has all that these roles give and deny. */
  mayGrant(by: AuthContext, names: readonly string[]): Promise<boolean>
  /** What these roles give; a name nobody knows gives nothing. */
  grants(names: readonly string[]): Promise<readonly Grant[]>
  /** What was given to one person for one thing only. */
  scopedGrants(operatorId: string): Promise<readonly Grant[]>
  /** Forgets what was given to somebody who has left. */
  forget(operatorId: string): Promise<void>
}

export interface RolesDeps {
  readonly store: RoleStore
  /** Whether anybody or any key in the tenant holds the role by its name. */
  readonly isHeld: (tenantId: TenantId, name: string) => Promise<boolean>
  /** Whether the operator is one of the tenant's people. */
  readonly isMember: (tenantId: TenantId, operatorId: string) => Promise<boolean>
}

/** As many as a page of the console shows and one request can load. */
const maxRoles = 200
const maxPolicies = 2_000

export function createRoles(deps: RolesDeps): { of(tenantId: TenantId): TenantRoles } {
  return {
    of: (tenantId) => ({
      ...reading(deps, tenantId),
      ...changing(deps, tenantId),
      ...policing(deps, tenantId),
      ...assigning(deps, tenantId),
    }),
  }
}

function reading({ store }: RolesDeps, tenantId: TenantId) {
  const withPolicies = async (role: RoleRecord): Promise<RoleDetail> =>
    presentDetail(role, await store.policies.byIds(tenantId, role.policyIds))
  const known = async (names: readonly string[]): Promise<readonly RoleRecord[]> => {
    const own = names.filter((each) => builtinRole(each) === undefined)
    return own.length === 0 ? [] : store.roles.named(tenantId, own)
  }
  const grants = async (names: readonly string[]): Promise<readonly Grant[]> => {
    const builtin = names.flatMap((each) => builtinRole(each) ?? []).map(builtinGrant)
    const roles = await known(names)
    const policies = await store.policies.byIds(
      tenantId,
      roles.flatMap((each) => each.policyIds),
    )
    return [...builtin, ...roles.map((each) => grantOfRole(each, policies))]
  }
  const getWithPolicies = async (roleId: string): Promise<RoleDetail> =>
    builtinDetail(roleId) ?? withPolicies(found(await store.roles.byId(tenantId, roleId)))
  return {
    getWithPolicies,
    grants,
    async list() {
      const own = await store.roles.list(tenantId)
      const policies = await store.policies.byIds(tenantId, [...new Set(own.flatMap((each) => each.policyIds))])
      return [...builtinRoleNames.map(builtinView), ...own.map((each) => presentRole(each, policies))]
    },
    async get(roleId: string) {
      const { policies: _policies, ...role } = await getWithPolicies(roleId)
      return role
    },
    async getByName(name: string) {
      const builtin = builtinRole(name)
      if (builtin !== undefined) return builtinView(builtin)
      const [role] = await store.roles.named(tenantId, [name])
      const { policies: _policies, ...view } = await withPolicies(found(role))
      return view
    },
    async unknown(names: readonly string[]) {
      const own = new Set((await known(names)).map((each) => each.name))
      return names.filter((each) => builtinRole(each) === undefined && !own.has(each))
    },
    async mayGrant(by: AuthContext, names: readonly string[]) {
      const builtin = names.flatMap((each) => builtinRole(each) ?? [])
      if (builtin.some((each) => beyondAbilities(by, builtinRoles[each]) !== undefined)) return false
      return (await grants(names.filter((each) => builtinRole(each) === undefined))).every(
        ({ policies }) => beyond(by, policies) === undefined,
      )
    },
    async scopedGrants(operatorId: string) {
      const given = await store.assignments.of(tenantId, operatorId)
      if (given.length === 0) return []
      const roles = await grants([...new Set(given.map((each) => each.role))])
      return given.flatMap(({ role, scope }) =>
        roles.filter((each) => each.role === (builtinRole(role) ?? role)).map((each) => ({ ...each, scope })),
      )
    },
  }
}

function changing({ store, isHeld }: RolesDeps, tenantId: TenantId) {
  /** What the role says now: who changes it must have that. */
  const owned = async (roleId: string, by: AuthContext): Promise<RoleRecord> => {
    if (builtinRole(roleId) !== undefined) throw new Problem('forbidden', 'This role is the same in every tenant.')
    const role = found(await store.roles.byId(tenantId, roleId))
    refuse(beyond(by, await store.policies.byIds(tenantId, role.policyIds)))
    return role
  }
  const present = async (role: RoleRecord | undefined): Promise<RoleDetail> => {
    const known = found(role)
    return presentDetail(known, await store.policies.byIds(tenantId, known.policyIds))
  }
  return {
    async create(role: NewRole, by: AuthContext) {
      if ((await store.roles.count(tenantId)) >= maxRoles)
        throw new Problem('conflict', `A tenant has at most ${maxRoles} roles.`)
      const policies = await store.policies.byIds(tenantId, role.policyIds)
      if (policies.length < new Set(role.policyIds).size) throw new Problem('invalid', 'There is no such policy.')
      refuse(beyond(by, policies))
      const made = await store.roles.insert(tenantId, role)
      if (made === undefined) throw new Problem('conflict', 'There is a role of this name.')
      return presentDetail(made, policies)
    },
    async update(roleId: string, change: RoleChange, by: AuthContext) {
      await owned(roleId, by)
      const { policies: _policies, ...view } = await present(await store.roles.change(tenantId, roleId, change))
      return view
    },
    async remove(roleId: string, by: AuthContext) {
      const { name } = await owned(roleId, by)
      if (await isHeld(tenantId, name))
        throw new Problem('conflict', 'People or keys have this role: take it away first.')
      await store.roles.remove(tenantId, roleId)
      await store.assignments.removeOf(tenantId, { role: name })
    },
    async assignPolicy(roleId: string, policyId: string, by: AuthContext) {
      await owned(roleId, by)
      refuse(beyond(by, [found(await store.policies.byId(tenantId, policyId))]))
      return present(await store.roles.addPolicy(tenantId, roleId, policyId))
    },
    async takePolicy(roleId: string, policyId: string, by: AuthContext) {
      await owned(roleId, by)
      return present(await store.roles.takePolicy(tenantId, roleId, policyId))
    },
  }
}

function policing({ store }: RolesDeps, tenantId: TenantId) {
  return {
    async policies({ cursor, limit }: PageQuery) {
      const records = await store.policies.list(tenantId, { after: cursor, limit: limit + 1 })
      return pageFrom(records, limit, { view: presentPolicy, cursor: (each) => each.policyId })
    },
    policy: async (policyId: string) => presentPolicy(found(await store.policies.byId(tenantId, policyId))),
    async createPolicy(fields: PolicyFields, by: AuthContext) {
      if ((await store.policies.count(tenantId)) >= maxPolicies)
        throw new Problem('conflict', `A tenant has at most ${maxPolicies} policies.`)
      refuse(beyond(by, [fields]))
      return presentPolicy(await store.policies.insert(tenantId, fields))
    },
    async updatePolicy(policyId: string, fields: PolicyFields, by: AuthContext) {
      const before = found(await store.policies.byId(tenantId, policyId))
      refuse(beyond(by, [before, fields]))
      return presentPolicy(found(await store.policies.replace(tenantId, policyId, fields)))
    },
    async removePolicy(policyId: string, by: AuthContext) {
      refuse(beyond(by, [found(await store.policies.byId(tenantId, policyId))]))
      const role = await store.roles.withPolicy(tenantId, policyId)
      if (role !== undefined)
        throw new Problem('conflict', `The role ${role.name} has this policy: take it away first.`)
      await store.policies.remove(tenantId, policyId)
    },
  }
}

function assigning({ store, isMember }: RolesDeps, tenantId: TenantId) {
  const { grants } = reading({ store, isMember, isHeld: async () => false }, tenantId)
  const check = async (by: AuthContext, role: string, scope: Scope): Promise<void> => {
    const [grant] = await grants([role])
    if (grant === undefined) throw new Problem('invalid', `There is no role ${role}.`)
    refuse(beyond(by, grant.policies, scope))
  }
  return {
    async assignments({ cursor, limit }: PageQuery) {
      const records = await store.assignments.list(tenantId, { after: cursor, limit: limit + 1 })
      return pageFrom(records, limit, { view: presentAssignment, cursor: (each) => each.assignmentId })
    },
    async assign(wish: Pick<AssignmentRecord, 'operatorId' | 'role' | 'scope'>, by: AuthContext) {
      await check(by, wish.role, wish.scope)
      if (!(await isMember(tenantId, wish.operatorId))) throw new Problem('not_found')
      return presentAssignment(
        await store.assignments.put(tenantId, { ...wish, role: builtinRole(wish.role) ?? wish.role }),
      )
    },
    async removeAssignment(assignmentId: string, by: AuthContext) {
      const { role, scope } = found(await store.assignments.byId(tenantId, assignmentId))
      const [grant] = await grants([role])
      refuse(beyond(by, grant?.policies ?? [], scope))
      await store.assignments.remove(tenantId, assignmentId)
    },
    forget: (operatorId: string) => store.assignments.removeOf(tenantId, { operatorId }),
  }
}

function refuse(ability: string | undefined): void {
  if (ability !== undefined) throw new Problem('forbidden', `You do not have ${ability} on all that this is about.`)
}
