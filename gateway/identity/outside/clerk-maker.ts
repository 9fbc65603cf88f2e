// What Clerk said, made so, and written to the log of each tenant that it changed.

import { asTenantId, type TenantId } from '../../platform/ids.ts'
import type { Tenants } from '../../tenants/tenants.ts'
import type { Audit } from '../audit/audit.ts'
import type { OperatorRecord, operatorStore } from '../operator-store.ts'
import type { SignIn } from '../sign-in/sign-in.ts'
import type { Team } from '../team/team.ts'
import type { Wanted } from './clerk-event.ts'

export interface ClerkMakerDeps {
  readonly operators: ReturnType<typeof operatorStore.open>
  readonly tenants: Tenants
  readonly team: Team
  readonly signIns: SignIn
  readonly audit: Audit
  readonly endSessions: (operatorId: string) => Promise<void>
  readonly externalIdOf: (clerkId: string) => string
  readonly isGone: (externalId: string) => Promise<boolean>
  readonly getOrCreateFromClerk: (user: { id: string; name: string; email: string | null }) => Promise<string>
  /** The operator of a Clerk id, made where there is none. */
  readonly ofClerk: (clerkId: string, name: string) => Promise<string>
  readonly organization: (id: string, name: string) => Promise<TenantId>
}

export function createClerkMaker(deps: ClerkMakerDeps) {
  const { operators, tenants, team, externalIdOf, isGone, ofClerk, organization } = deps
  async function forget(userId: string, ip: string): Promise<void> {
    const found = await operators.findBy({ externalId: externalIdOf(userId) })
    if (found === undefined) return
    for (const tenantId of tenantsOf(found)) {
      await team.of(tenantId).withdraw(found.operatorId)
      await noted(tenantId, { ability: 'team.write', target: found.operatorId, ip })
    }
    await deps.endSessions(found.operatorId)
    await deps.signIns.forget(found.operatorId)
    await operators.remove(found.operatorId)
  }
  /** Who said it is Clerk; the ability is that of a person who would do the same. */
  async function noted(
    tenantId: TenantId,
    what: { readonly ability: 'team.write' | 'tenant.write'; readonly target: string; readonly ip: string },
  ): Promise<void> {
    const actor = { kind: 'webhook', id: 'clerk', name: 'Clerk' } as const
    const door = { method: 'POST', route: '/webhook/clerk' }
    await deps.audit.of(tenantId).record({ actor, ...door, ...what, outcome: 'done', status: 204, code: null })
  }
  async function makeUser(wanted: Wanted & { readonly is: 'user' }, ip: string): Promise<void> {
    const target = await deps.getOrCreateFromClerk({ id: wanted.userId, ...wanted })
    // The name is what the team of each of their tenants sees.
    for (const tenantId of tenantsOf(await operators.find(target)))
      await noted(tenantId, { ability: 'team.write', target, ip })
  }
  async function makeMember(wanted: Wanted & { readonly is: 'member' }, ip: string): Promise<void> {
    const tenantId = await organization(wanted.organizationId, wanted.organizationName)
    const externalId = externalIdOf(wanted.userId)
    if (wanted.roles.length === 0) {
      const found = await operators.findBy({ externalId })
      if (found === undefined) return
      await team.of(tenantId).withdraw(found.operatorId)
      await noted(tenantId, { ability: 'team.write', target: found.operatorId, ip })
    } else if (!(await isGone(externalId))) {
      const target = await ofClerk(wanted.userId, wanted.userName)
      await team.of(tenantId).assign(target, wanted.roles)
      await noted(tenantId, { ability: 'team.write', target, ip })
    }
  }
  return async function make(wanted: Wanted, ip: string): Promise<void> {
    if (wanted.is === 'user') return makeUser(wanted, ip)
    if (wanted.is === 'user gone') return forget(wanted.userId, ip)
    if (wanted.is === 'member') return makeMember(wanted, ip)
    const isGoing = wanted.is === 'organization gone'
    const tenantId = await organization(wanted.organizationId, isGoing ? 'Organization' : wanted.name)
    if (isGoing) await tenants.of(tenantId).setStatus('suspended')
    else await tenants.of(tenantId).change({ name: wanted.name })
    await noted(tenantId, { ability: 'tenant.write', target: tenantId, ip })
  }
}

function tenantsOf(operator: OperatorRecord | undefined): readonly TenantId[] {
  return [...new Set(operator?.roles.map((each) => each.tenantId))].map(asTenantId)
}
