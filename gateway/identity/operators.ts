// Operators' sign-in: a link that works once, then a session cookie. Owns no HTTP.

import { randomBytes } from 'node:crypto'
import type { Clock } from '../platform/clock.ts'
import { newId, type TenantId } from '../platform/ids.ts'
import { Problem } from '../platform/problem.ts'
import type { Tenant, Tenants } from '../tenants/tenants.ts'
import type { operatorSessionStore } from './operator-session-store.ts'
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
    /** The first of the roles: of the five every tenant has, or one of the tenant's own. */
    readonly role: string
    /** All of them; never empty. */
    readonly roles: readonly string[]
  }[]
  /** Comes back as `x-parley-csrf` with every state-changing call. */
  readonly csrf: string
}

export interface Operators {
  /** For the local owner unless an operator is named. Works once, for 30 minutes. */
  createSignInToken(operatorId?: string): Promise<{ readonly token: string; readonly expiresAt: number }>
  /** The cookie's value; undefined for a token unknown, used or expired. Of many callers with one token, one succeeds. */
  signIn(token: string): Promise<{ readonly cookie: string; readonly maxAgeSeconds: number } | undefined>
  /** For who has shown otherwise who they are. */
  startSession(operatorId: string): Promise<{ readonly cookie: string; readonly maxAgeSeconds: number }>
  operatorOf(cookie: string): Promise<Operator | undefined>
  signOut(cookie: string): Promise<void>
  /** A person with roles in tenants. */
  createOperator(name: string, roles: OperatorRecord['roles']): Promise<string>
  /** Takes effect with the operator's next request. `conflict` where a tenant would lose its last owner. */
  setRoles(operatorId: string, roles: OperatorRecord['roles']): Promise<void>
  rename(operatorId: string, name: string): Promise<void>
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
  readonly sessions: ReturnType<typeof operatorSessionStore.open>
  readonly tenants: Tenants
  readonly clock: Clock
  readonly setRoles: Operators['setRoles']
}): Operators {
  const { store, sessions, clock } = deps
  async function startSession(operatorId: string): Promise<{ cookie: string; maxAgeSeconds: number }> {
    const now = clock.now()
    const cookie = newSecret()
    const expiresAt = new Date(now + sessionLifeMs)
    await sessions.addSession(sha256(cookie), { operatorId, lastSeenAt: new Date(now), expiresAt })
    return { cookie, maxAgeSeconds: sessionLifeMs / 1000 }
  }
  return {
    async createSignInToken(operatorId) {
      if (operatorId === undefined) {
        await store.ensure({ operatorId: ownerId, name: 'Owner', owner: true, roles: [] })
      } else if ((await store.find(operatorId)) === undefined) {
        throw new Problem('not_found')
      }
      const token = newSecret()
      const expiresAt = clock.now() + tokenLifeMs
      await sessions.addToken(sha256(token), operatorId ?? ownerId, new Date(expiresAt))
      return { token, expiresAt: Math.floor(expiresAt / 1000) }
    },
    async signIn(token) {
      if (!secretPattern.test(token)) return undefined
      const operatorId = await sessions.useToken(sha256(token), new Date(clock.now()))
      return operatorId === undefined ? undefined : startSession(operatorId)
    },
    startSession,
    async operatorOf(cookie) {
      if (!secretPattern.test(cookie)) return undefined
      const hash = sha256(cookie)
      const session = await sessions.session(hash)
      const now = clock.now()
      if (session === undefined || session.expiresAt.getTime() <= now) return undefined
      const quietMs = now - session.lastSeenAt.getTime()
      if (quietMs > idleMs) return undefined
      const operator = await store.find(session.operatorId)
      if (operator === undefined) return undefined
      if (quietMs > touchMs) await sessions.touchSession(hash, new Date(now))
      const { operatorId, name } = operator
      // Whoever knows the cookie can compute it; a foreign page can make the browser send the cookie but never read it.
      return { operatorId, name, tenants: await tenantsOf(deps.tenants, operator), csrf: sha256(`csrf:${cookie}`) }
    },
    signOut: (cookie) => sessions.removeSession(sha256(cookie)),
    async createOperator(name, roles) {
      const operatorId = newId('op')
      await store.ensure({ operatorId, name, owner: false, roles: [] })
      await deps.setRoles(operatorId, roles)
      return operatorId
    },
    setRoles: deps.setRoles,
    async rename(operatorId, name) {
      await store.change(operatorId, { name })
    },
  }
}

async function tenantsOf(tenants: Tenants, operator: OperatorRecord): Promise<Operator['tenants']> {
  const rolesIn = (tenant: Tenant): readonly string[] =>
    operator.owner ? ['owner'] : operator.roles.filter((each) => each.tenantId === tenant.id).map((each) => each.role)
  return (await tenants.all()).flatMap((tenant) => {
    const roles = rolesIn(tenant).map((each) => builtinRole(each) ?? each)
    const [role] = roles
    if (role === undefined) return []
    return [{ id: tenant.id, slug: tenant.slug, name: tenant.name, role, roles }]
  })
}
