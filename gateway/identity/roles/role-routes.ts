// HTTP of roles, of the policies they are made of, and of who has one for one thing only.

import { z } from 'zod'
import { type Route, route } from '../../platform/http.ts'
import type { TenantId } from '../../platform/ids.ts'
import { pageOf, pageQuery } from '../../platform/page.ts'
import { newRole, policyFields, roleChange, scope } from './role.ts'
import { assignmentView, policyView, roleDetail, roleView } from './role-views.ts'
import type { TenantRoles } from './roles.ts'

interface Deps {
  readonly roles: { of(tenantId: TenantId): TenantRoles }
}

const id = z.string().min(1).max(64)
const byId = z.strictObject({ id })
const page = z.strictObject(pageQuery)

export function roleRoutes(deps: Deps): Route[] {
  // Fixed paths come before the one with an id: they would be taken for a role.
  return [...assignmentRoutes(deps), ...roleReads(deps), ...roleWrites(deps), ...policyRoutes(deps)]
}

function roleReads({ roles }: Deps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/roles',
      access: 'roles.read',
      summary: 'The five roles every tenant has and the tenant’s own, with what each allows',
      reply: pageOf(roleView),
      run: async ({ tenantId }) => ({ json: { items: await roles.of(tenantId).list(), next: null } }),
    }),
    route({
      method: 'GET',
      path: '/v1/roles/by-name/:name',
      access: 'roles.read',
      summary: 'One role by its name',
      params: z.strictObject({ name: z.string().min(1).max(64) }),
      reply: roleView,
      run: async ({ tenantId, params }) => ({ json: await roles.of(tenantId).getByName(params.name) }),
    }),
    route({
      method: 'GET',
      path: '/v1/roles/:id',
      access: 'roles.read',
      summary: 'One role with its policies',
      params: byId,
      reply: roleDetail,
      run: async ({ tenantId, params }) => ({ json: await roles.of(tenantId).getWithPolicies(params.id) }),
    }),
  ]
}

function roleWrites({ roles }: Deps): Route[] {
  const policyOfRole = z.strictObject({ id, policyId: id })
  return [
    route({
      method: 'POST',
      path: '/v1/roles',
      access: 'roles.write',
      summary: 'Makes a role of policies, rules for rows and masks for fields; nobody gives more than they have',
      body: newRole,
      status: 201,
      reply: roleDetail,
      run: async ({ tenantId, body, auth }) => ({ json: await roles.of(tenantId).create(body, auth) }),
    }),
    route({
      method: 'PATCH',
      path: '/v1/roles/:id',
      access: 'roles.write',
      summary: 'Changes the description, the rules or the masks of a role; its name stays',
      params: byId,
      body: roleChange,
      reply: roleView,
      run: async ({ tenantId, params, body, auth }) => ({
        json: await roles.of(tenantId).update(params.id, body, auth),
      }),
    }),
    route({
      method: 'DELETE',
      path: '/v1/roles/:id',
      access: 'roles.write',
      summary: 'Removes a role that nobody has',
      params: byId,
      async run({ tenantId, params, auth }) {
        await roles.of(tenantId).remove(params.id, auth)
        return {}
      },
    }),
    route({
      method: 'PUT',
      path: '/v1/roles/:id/policies/:policyId',
      access: 'roles.write',
      summary: 'Gives a policy to a role',
      params: policyOfRole,
      reply: roleDetail,
      run: async ({ tenantId, params, auth }) => ({
        json: await roles.of(tenantId).assignPolicy(params.id, params.policyId, auth),
      }),
    }),
    route({
      method: 'DELETE',
      path: '/v1/roles/:id/policies/:policyId',
      access: 'roles.write',
      summary: 'Takes a policy from a role',
      params: policyOfRole,
      async run({ tenantId, params, auth }) {
        await roles.of(tenantId).takePolicy(params.id, params.policyId, auth)
        return {}
      },
    }),
  ]
}

function policyRoutes({ roles }: Deps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/policies',
      access: 'roles.read',
      summary: 'The policies that roles are made of',
      query: page,
      reply: pageOf(policyView),
      run: async ({ tenantId, query }) => ({ json: await roles.of(tenantId).policies(query) }),
    }),
    route({
      method: 'GET',
      path: '/v1/policies/:id',
      access: 'roles.read',
      summary: 'One policy',
      params: byId,
      reply: policyView,
      run: async ({ tenantId, params }) => ({ json: await roles.of(tenantId).policy(params.id) }),
    }),
    route({
      method: 'POST',
      path: '/v1/policies',
      access: 'roles.write',
      summary: 'Makes a policy: a denial beats what allows at its own priority and below',
      body: policyFields,
      status: 201,
      reply: policyView,
      run: async ({ tenantId, body, auth }) => ({ json: await roles.of(tenantId).createPolicy(body, auth) }),
    }),
    route({
      method: 'PUT',
      path: '/v1/policies/:id',
      access: 'roles.write',
      summary: 'The policy is this from now on, in every role that has it',
      params: byId,
      body: policyFields,
      reply: policyView,
      run: async ({ tenantId, params, body, auth }) => ({
        json: await roles.of(tenantId).updatePolicy(params.id, body, auth),
      }),
    }),
    route({
      method: 'DELETE',
      path: '/v1/policies/:id',
      access: 'roles.write',
      summary: 'Removes a policy that no role has',
      params: byId,
      async run({ tenantId, params, auth }) {
        await roles.of(tenantId).removePolicy(params.id, auth)
        return {}
      },
    }),
  ]
}

function assignmentRoutes({ roles }: Deps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/roles/assignments',
      access: 'roles.read',
      summary: 'Who has a role for one thing only: for one agent, one type of entities or of objects',
      query: page,
      reply: pageOf(assignmentView),
      run: async ({ tenantId, query }) => ({ json: await roles.of(tenantId).assignments(query) }),
    }),
    route({
      method: 'POST',
      path: '/v1/roles/assignments',
      access: 'roles.write',
      summary: 'Gives a person of the tenant a role for one thing only',
      body: z.strictObject({ operatorId: id, role: z.string().min(1).max(64), scope }),
      status: 201,
      reply: assignmentView,
      run: async ({ tenantId, body, auth }) => ({ json: await roles.of(tenantId).assign(body, auth) }),
    }),
    route({
      method: 'DELETE',
      path: '/v1/roles/assignments/:id',
      access: 'roles.write',
      summary: 'Takes a role for one thing away again',
      params: byId,
      async run({ tenantId, params, auth }) {
        await roles.of(tenantId).removeAssignment(params.id, auth)
        return {}
      },
    }),
  ]
}
