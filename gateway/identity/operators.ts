// Operators' sign-in: a link that works once, then a session cookie. Owns no HTTP.

import { randomBytes } from 'node:crypto'
import type { Clock } from '../platform/clock.ts'
import { newId, type TenantId } from '../platform/ids.ts'
import { Problem } from '../platform/problem.ts'
import type { Tenant, Tenants } from '../tenants/tenants.ts'
import type { OperatorRecord, operatorStore } from './operator-store.ts'
import { builtinRole } from './roles/builtin.ts'
import { sha256 } from './seal.ts'

export interface Operator {
  readonly operatorId: string
  readonly name: string
  readonly tenants: readonly {
    readonly id: TenantId
    readonly slug: string
    readonly name: string
    /** Of the five every tenant has, or one of the tenant's own. */
    readonly role: string
  }[]
  /** Comes back as `x-parley-csrf` with every state-changing call. */
  readonly csrf: string
}

export interface Operators {
  /** For the local owner unless an operator is named. Works once, for 30 minutes. */
  createSignInToken(operatorId?: string): Promise<{ readonly token: string; readonly expiresAt: number }>
  /** The cookie's value; undefined for a token unknown, used or expired. Of many callers with one token, one succeeds. */
  signIn(token: string): Promise<{ readonly cookie: string; readonly maxAgeSeconds: number } | undefined>
  operatorOf(cookie: string): Promise<Operator | undefined>
  signOut(cookie: string): Promise<void>
  /** A person with roles in tenants; the console cannot make one yet. */
  createOperator(name: string, roles: OperatorRecord['roles']): Promise<string>
  /** Takes effect with the operator's next request. */
  setRoles(operatorId: string, roles: OperatorRecord['roles']): Promise<void>
}

const tokenLifeMs = 30 * 60_000
const sessionLifeMs = 12 * 3_600_000
const idleMs = 2 * 3_600_000
/** How stale `lastSeenAt` may be: one write a minute instead of one a request. */
const touchMs = 60_000
const ownerId = 'op_owner'
/** 256 random bits in base64url. */
const secretPattern = /^[A-Za-z0-9_-]{43}$/

const newSecret = () => randomBytes(32).toString('base64url')

export function createOperators(deps: {
  readonly store: ReturnType<typeof operatorStore.open>
  readonly tenants: Tenants
  readonly clock: Clock
}): Operators {
  const { store, clock } = deps
  return {
    async createSignInToken(operatorId) {
      if (operatorId === undefined) {
        await store.ensure({ operatorId: ownerId, name: 'Owner', owner: true, roles: [] })
      } else if ((await store.find(operatorId)) === undefined) {
        throw new Problem('not_found')
      }
      const token = newSecret()
      const expiresAt = clock.now() + tokenLifeMs
      await store.addToken(sha256(token), operatorId ?? ownerId, new Date(expiresAt))
      return { token, expiresAt: Math.floor(expiresAt / 1000) }
    },
    async signIn(token) {
      if (!secretPattern.test(token)) return undefined
      const now = clock.now()
      const operatorId = await store.useToken(sha256(token), new Date(now))
      if (operatorId === undefined) return undefined
      const cookie = newSecret()
      const expiresAt = new Date(now + sessionLifeMs)
      await store.addSession(sha256(cookie), { operatorId, lastSeenAt: new Date(now), expiresAt })
      return { cookie, maxAgeSeconds: sessionLifeMs / 1000 }
    },
    async operatorOf(cookie) {
      if (!secretPattern.test(cookie)) return undefined
      const hash = sha256(cookie)
      const session = await store.session(hash)
      const now = clock.now()
      if (session === undefined || session.expiresAt.getTime() <= now) return undefined
      const quietMs = now - session.lastSeenAt.getTime()
      if (quietMs > idleMs) return undefined
      const operator = await store.find(session.operatorId)
      if (operator === undefined) return undefined
      if (quietMs > touchMs) await store.touchSession(hash, new Date(now))
      const { operatorId, name } = operator
      // Whoever knows the cookie can compute it; a foreign page can make the browser send the cookie but never read it.
      return { operatorId, name, tenants: await tenantsOf(deps.tenants, operator), csrf: sha256(`csrf:${cookie}`) }
    },
    signOut: (cookie) => store.removeSession(sha256(cookie)),
    async createOperator(name, roles) {
      const operatorId = newId('op')
      await store.ensure({ operatorId, name, owner: false, roles })
      return operatorId
    },
    setRoles: (operatorId, roles) => store.setRoles(operatorId, roles),
  }
}

async function tenantsOf(tenants: Tenants, operator: OperatorRecord): Promise<Operator['tenants']> {
  const roles = new Map(operator.roles.map((each) => [each.tenantId, each.role]))
  const roleIn = (tenant: Tenant): string | undefined => (operator.owner ? 'owner' : roles.get(tenant.id))
  return (await tenants.all()).flatMap((tenant) => {
    const role = roleIn(tenant)
    if (role === undefined) return []
    return [{ id: tenant.id, slug: tenant.slug, name: tenant.name, role: builtinRole(role) ?? role }]
  })
}
