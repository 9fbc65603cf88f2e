// Roles, policies and assignments as they are sent.

import { z } from 'zod'
import { abilities } from '../../platform/access.ts'
import type { AssignmentView, PolicyView, RoleDetail, RoleView } from '../../protocol/access.ts'
import { builtinRole, type builtinRoleNames, builtinRoles } from './builtin.ts'
import { allows } from './evaluate.ts'
import type { Grant } from './grant.ts'
import { fieldMask, rowRule, scope } from './role.ts'
import type { AssignmentRecord, PolicyRecord, RoleRecord } from './role-store.ts'

export const policyView = z
  .strictObject({
    id: z.string(),
    resource: z.string(),
    action: z.string(),
    kind: z.string().exactOptional(),
    effect: z.enum(['allow', 'deny']),
    priority: z.number(),
    description: z.string(),
  })
  .meta({ id: 'Policy' }) satisfies z.ZodType<PolicyView>

export const roleView = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    description: z.string(),
    builtin: z.boolean(),
    abilities: z.array(z.string()).describe('What it allows by itself, on anything at all.'),
    policyIds: z.array(z.string()),
    rules: z.array(rowRule),
    masks: z.array(fieldMask),
  })
  .meta({ id: 'Role' }) satisfies z.ZodType<RoleView>

export const roleDetail = roleView
  .extend({ policies: z.array(policyView) })
  .meta({ id: 'RoleDetail' }) satisfies z.ZodType<RoleDetail>

export const assignmentView = z
  .strictObject({ id: z.string(), operatorId: z.string(), role: z.string(), scope, createdAt: z.iso.datetime() })
  .meta({ id: 'RoleAssignment' }) satisfies z.ZodType<AssignmentView>

export function grantOfRole(role: RoleRecord, policies: readonly PolicyRecord[]): Grant {
  return {
    role: role.name,
    policies: policies.filter((each) => role.policyIds.includes(each.policyId)),
    rules: role.rules,
    masks: role.masks,
  }
}

export function builtinView(name: (typeof builtinRoleNames)[number]): RoleView {
  return {
    ...{ id: name, name, description: '', builtin: true, abilities: builtinRoles[name], policyIds: [] },
    ...{ rules: [], masks: [] },
  }
}

export function builtinDetail(roleId: string): RoleDetail | undefined {
  const name = builtinRole(roleId)
  return name === undefined ? undefined : { ...builtinView(name), policies: [] }
}

export function presentRole(role: RoleRecord, policies: readonly PolicyRecord[]): RoleView {
  const grant = grantOfRole(role, policies)
  const { roleId: id, name, description, policyIds, rules, masks } = role
  const given = abilities.filter((each) => allows([grant], each))
  return { id, name, description, builtin: false, abilities: given, policyIds, rules, masks }
}

export function presentDetail(role: RoleRecord, policies: readonly PolicyRecord[]): RoleDetail {
  return { ...presentRole(role, policies), policies: policies.map(presentPolicy) }
}

export function presentPolicy({ policyId, ...fields }: PolicyRecord): PolicyView {
  return { id: policyId, ...fields }
}

export function presentAssignment({ assignmentId, createdAt, ...rest }: AssignmentRecord): AssignmentView {
  return { id: assignmentId, ...rest, createdAt: createdAt.toISOString() }
}
