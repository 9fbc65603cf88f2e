// The people who sign in to the console: a link that works once, their names, addresses and roles. Owns no HTTP.

import type { Clock } from '../platform/clock.ts'
import { newId, type TenantId } from '../platform/ids.ts'
import { Problem } from '../platform/problem.ts'
import type { Tenant, Tenants } from '../tenants/tenants.ts'
import type { operatorSessionStore } from './operator-session-store.ts'
import {
  createOperatorSessions,
  type From,
  type NewSession,
  newSecret,
  type OperatorSessions,
  secretPattern,
  sessionOf,
} from './operator-sessions.ts'
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

export interface Operators extends OperatorSessions {
  /** For the local owner unless an operator is named. Works once, for 30 minutes. */
  createSignInToken(operatorId?: string): Promise<{ readonly token: string; readonly expiresAt: number }>
  /** Undefined for a token unknown, used or expired. Of many callers with one token, one succeeds. */
  signIn(token: string, from?: From): Promise<NewSession | undefined>
  operatorOf(cookie: string): Promise<Operator | undefined>
  /** Without a session: nothing can be changed with it over HTTP. */
  operatorById(operatorId: string): Promise<Operator | undefined>
  /** Whose link it is, also used or expired. Undefined once it is long over. */
  linkOf(token: string): Promise<string | undefined>
  /** A person with roles in tenants. */
  createOperator(name: string, roles: OperatorRecord['roles']): Promise<string>
  /** Takes effect with the operator's next request. `conflict` where a tenant would lose its last owner. */
  setRoles(operatorId: string, roles: OperatorRecord['roles']): Promise<void>
  rename(operatorId: string, name: string): Promise<void>
  /** Whether it is one who runs this gateway, and so sees every tenant of it. */
  runsGateway(operatorId: string): Promise<boolean>
  /**
   * The operator's address; the wished one becomes it where there is none. `invalid` where there is none and none is
   * wished, or another is wished than there is; `conflict` when it is another operator's.
   */
  addressFor(operatorId: string, wished: string | undefined): Promise<string>
}

const tokenLifeMs = 30 * 60_000
const ownerId = 'op_owner'

export interface OperatorsDeps {
  readonly store: ReturnType<typeof operatorStore.open>
  readonly sessions: ReturnType<typeof operatorSessionStore.open>
  readonly tenants: Tenants
  readonly clock: Clock
  readonly setRoles: Operators['setRoles']
  /** The cookie's value for a session's token. */
  readonly cookieOf: (token: string) => string
}

export function createOperators(deps: OperatorsDeps): Operators {
  const { store, sessions, clock } = deps
  const open = createOperatorSessions(deps)
  return {
    ...open,
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
    async signIn(token, from) {
      if (!secretPattern.test(token)) return undefined
      const operatorId = await sessions.useToken(sha256(token), new Date(clock.now()))
      return operatorId === undefined ? undefined : open.startSession(operatorId, from)
    },
    linkOf: async (token) => (secretPattern.test(token) ? sessions.tokenOf(sha256(token)) : undefined),
    async operatorOf(cookie) {
      const session = await sessionOf(deps, cookie)
      const operator = session === undefined ? undefined : await store.find(session.operatorId)
      return session === undefined || operator === undefined ? undefined : asOperator(deps, operator, session.csrf)
    },
    async operatorById(operatorId) {
      const operator = await store.find(operatorId)
      return operator === undefined ? undefined : asOperator(deps, operator, '')
    },
    async createOperator(name, roles) {
      const operatorId = newId('op')
      await store.ensure({ operatorId, name, owner: false, roles: [] })
      await deps.setRoles(operatorId, roles)
      return operatorId
    },
    setRoles: deps.setRoles,
    runsGateway: async (operatorId) => (await store.find(operatorId))?.owner === true,
    async rename(operatorId, name) {
      await store.change(operatorId, { name })
    },
    addressFor: (operatorId, wished) => addressFor(store, operatorId, wished?.toLowerCase()),
  }
}

async function addressFor(
  store: OperatorsDeps['store'],
  operatorId: string,
  wished: string | undefined,
): Promise<string> {
  const operator = await store.find(operatorId)
  if (operator === undefined) throw new Problem('not_found')
  if (operator.email !== undefined) {
    if (wished !== undefined && wished !== operator.email) throw new Problem('invalid', 'Your address is another one.')
    return operator.email
  }
  if (wished === undefined) throw new Problem('invalid', 'An address is needed to sign in with a password.')
  if ((await store.change(operatorId, { email: wished })) === 'taken')
    throw new Problem('conflict', 'This address is taken.')
  return wished
}

export async function asOperator(
  { tenants }: Pick<OperatorsDeps, 'tenants'>,
  operator: OperatorRecord,
  csrf: string,
): Promise<Operator> {
  const { operatorId, name } = operator
  return { operatorId, name, tenants: await tenantsOf(tenants, operator), csrf }
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
