// Operators, their teams and roles, and how they sign in, joined: each needs something of the others.

import type { Db } from 'mongodb'
import type { Clock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import type { CollectionSpec } from '../platform/mongo.ts'
import type { Tenants } from '../tenants/tenants.ts'
import type { Audit } from './audit/audit.ts'
import type { keyStore } from './key-store.ts'
import { operatorSessionStore } from './operator-session-store.ts'
import { idleMs, sessionLifeMs } from './operator-sessions.ts'
import { operatorStore } from './operator-store.ts'
import { asOperator, createOperators, type Operators } from './operators.ts'
import { createOutside, type Outside, type OutsideSettings } from './outside/outside.ts'
import { outsideRecordStore } from './outside/record-store.ts'
import { createRoleBook } from './roles/role-book.ts'
import { roleStore } from './roles/role-store.ts'
import { createRoles, type TenantRoles } from './roles/roles.ts'
import { createSignInNotes, type SignInNotes } from './sign-in/notes.ts'
import { createSignIn, type SignIn } from './sign-in/sign-in.ts'
import { signInCollections } from './sign-in/store.ts'
import { invitationStore } from './team/invitation-store.ts'
import { ownerStore } from './team/owner-store.ts'
import { createTeam, type Team } from './team/team.ts'

export interface People extends Operators {
  readonly team: Team
  /** The tenant's own roles, their policies, and who has a role for one thing only. */
  readonly roles: { of(tenantId: TenantId): TenantRoles }
  /** E-mail and password, second factor, passkeys. */
  readonly signIns: SignIn
  /** What is written down of signing in. */
  readonly notes: SignInNotes
  /** Clerk and other providers of identity. */
  readonly outside: Outside
}

export const peopleCollections: readonly CollectionSpec[] = [
  operatorStore.spec,
  ...operatorSessionStore.specs,
  ...signInCollections,
  invitationStore.spec,
  ownerStore.spec,
  ...roleStore.specs,
  outsideRecordStore.spec,
]

export const sessionCookieName = 'parley_session'

export interface PeopleDeps {
  readonly db: Db
  readonly clock: Clock
  readonly publicUrl: string
  readonly secret: Buffer
  readonly tenants: Tenants
  readonly keys: ReturnType<typeof keyStore.open>
  readonly outside: OutsideSettings
  readonly audit: Audit
  readonly onLost: (error: unknown) => void
}

export function createPeople(deps: PeopleDeps): People {
  const { db, clock, publicUrl, secret, tenants, keys, audit } = deps
  const store = operatorStore.open(db)
  const invitations = invitationStore.open(db)
  const roles = createRoles({
    store: roleStore.open(db),
    isMember: async (tenantId, operatorId) => (await store.member(tenantId, operatorId)) !== undefined,
    isHeld: async (tenantId, role) =>
      (await Promise.all([store, keys.api, invitations].map((each) => each.hold(tenantId, role)))).includes(true),
  })
  const team = createTeam({
    operators: store,
    invitations,
    owners: ownerStore.open(db),
    roles: createRoleBook(roles),
    signInUrl: new URL('/console/sign-in', publicUrl).href,
    clock,
  })
  const signIns = createSignIn({
    ...{ db, clock, publicUrl, secret, idleMs },
    cookieName: sessionCookieName,
    sessionSeconds: sessionLifeMs / 1000,
  })
  const sessions = operatorSessionStore.open(db)
  const setRoles = team.setAllRoles
  const operators = createOperators({ store, sessions, tenants, clock, setRoles, cookieOf: signIns.cookieOf })
  const notes = createSignInNotes({
    ...{ audit, onLost: deps.onLost },
    async find(operatorId) {
      const found = await store.find(operatorId)
      return found === undefined ? undefined : asOperator({ tenants }, found, '')
    },
  })
  const outside = createOutside({
    ...{ db, clock, tenants, team, signIns, audit, notes, operators: store, settings: deps.outside },
    endSessions: operators.endSessions,
  })
  return { ...operators, roles, team, signIns, notes, outside }
}
