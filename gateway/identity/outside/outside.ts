// People whom an identity provider outside vouches for: by a token with each request, and by Clerk's webhooks. The first
// login makes an operator and a workspace of their own, exactly once. An address proves nothing here: nobody gets an
// operator that was there before.

import type { Db } from 'mongodb'
import { Webhook, WebhookVerificationError } from 'standardwebhooks'
import type { Clock } from '../../platform/clock.ts'
import { asTenantId, idOf, type TenantId } from '../../platform/ids.ts'
import { Problem } from '../../platform/problem.ts'
import type { Tenants } from '../../tenants/tenants.ts'
import type { OperatorRecord, operatorStore } from '../operator-store.ts'
import { asOperator, type Operator } from '../operators.ts'
import type { SignIn } from '../sign-in/sign-in.ts'
import type { Team } from '../team/team.ts'
import { clerkChange, type Wanted } from './clerk-event.ts'
import { createIssuers, externalIdOf, type Issuer, type OutsidePerson } from './issuers.ts'
import { type OutsideRecord, outsideRecordStore } from './record-store.ts'

export interface Outside {
  /** The operator a token speaks of. Throws `unauthenticated` for a token that is not genuine, or of somebody new. */
  getAuthContext(token: string): Promise<Operator>
  /** As `getAuthContext`, and makes who is new: of any number of first requests at once one operator and one workspace come. */
  getOrCreateAuthContext(token: string): Promise<Operator>
  getOrCreateFromClerk(user: {
    readonly id: string
    readonly name: string
    readonly email: string | null
  }): Promise<string>
  getOrCreateOrganization(organization: { readonly id: string; readonly name: string }): Promise<TenantId>
  getOrCreatePersonal(operatorId: string): Promise<TenantId>
  getByClerkId(clerkId: string): Promise<OperatorRecord | undefined>
  /**
   * One webhook of Clerk: done, or known already, or of no concern. `unauthenticated` for a signature that is wrong or older
   * than five minutes, `invalid` for a body that is not Clerk's, `not_found` where no secret is set.
   */
  takeClerkEvent(body: string, header: (name: string) => string | undefined): Promise<void>
}

export interface OutsideSettings {
  readonly issuers: readonly Issuer[]
  /** Clerk's issuer among them. */
  readonly clerkIssuer?: string
  /** `whsec_…` */
  readonly clerkWebhookSecret?: string
}

export interface OutsideDeps {
  readonly db: Db
  readonly clock: Clock
  readonly tenants: Tenants
  readonly operators: ReturnType<typeof operatorStore.open>
  readonly team: Team
  readonly signIns: SignIn
  readonly endSessions: (operatorId: string) => Promise<void>
  readonly settings: OutsideSettings
}

export function createOutside(deps: OutsideDeps): Outside {
  const { operators, settings } = deps
  const issuers = createIssuers({ issuers: settings.issuers, clock: deps.clock })
  const records = outsideRecordStore.open(deps.db)
  const clerkIssuer = settings.clerkIssuer ?? 'clerk'
  const isGone = async (externalId: string): Promise<boolean> => {
    const clerkId = externalId.startsWith(`${clerkIssuer}|`) ? externalId.slice(clerkIssuer.length + 1) : undefined
    return clerkId !== undefined && (await records.get(`user ${clerkId}`))?.wanted.is === 'user gone'
  }
  const verified = async (token: string): Promise<OutsidePerson> => {
    const person = await issuers.verify(token)
    if (person === undefined) throw new Problem('unauthenticated')
    return person
  }
  const people = peopleOf(deps, clerkIssuer, isGone)
  return {
    ...people,
    async getAuthContext(token) {
      const found = await operators.findBy({ externalId: (await verified(token)).externalId })
      if (found === undefined) throw new Problem('unauthenticated')
      return asOperator(deps, found, '')
    },
    async getOrCreateAuthContext(token) {
      const { externalId, name } = await verified(token)
      const found = await operators.findBy({ externalId })
      if (found?.home !== undefined) return asOperator(deps, found, '')
      // A token outlives its person by a minute: it does not bring them back.
      if (await isGone(externalId)) throw new Problem('unauthenticated')
      const operatorId = found?.operatorId ?? (await people.ensure(externalId, name ?? 'New person'))
      await people.getOrCreatePersonal(operatorId)
      const made = await operators.find(operatorId)
      if (made === undefined) throw new Problem('unauthenticated')
      return asOperator(deps, made, '')
    },
    getByClerkId: (clerkId) => operators.findBy({ externalId: externalIdOf(clerkIssuer, clerkId) }),
    async takeClerkEvent(body, header) {
      if (settings.clerkWebhookSecret === undefined) throw new Problem('not_found')
      const change = changeIn(verifiedBody(settings.clerkWebhookSecret, body, header))
      if (change === undefined) return
      await records.put(change.key, change.at, change.wanted)
      await converge(records, change.key, people.make)
    },
  }
}

/** What was said last is done, also when something newer comes while it is. */
async function converge(
  records: ReturnType<typeof outsideRecordStore.open>,
  key: string,
  make: (wanted: Wanted) => Promise<void>,
): Promise<void> {
  for (;;) {
    const record: OutsideRecord | undefined = await records.get(key)
    if (record === undefined || record.doneAt === record.at) return
    await make(record.wanted)
    if (await records.done(key, record.at)) return
  }
}

function verifiedBody(secret: string, body: string, header: (name: string) => string | undefined): unknown {
  const headers = Object.fromEntries(
    ['id', 'timestamp', 'signature'].map((name) => [`webhook-${name}`, header(`svix-${name}`) ?? '']),
  )
  try {
    return new Webhook(secret).verify(body, headers)
  } catch (error) {
    if (error instanceof WebhookVerificationError)
      throw new Problem('unauthenticated', 'The signature is wrong or too old.')
    throw new Problem('invalid', 'The body is not JSON.')
  }
}

function changeIn(payload: unknown): ReturnType<typeof clerkChange> {
  try {
    return clerkChange(payload)
  } catch (error) {
    throw new Problem('invalid', 'This is no event as Clerk writes it.', { cause: error })
  }
}

function peopleOf(deps: OutsideDeps, clerkIssuer: string, isGone: (externalId: string) => Promise<boolean>) {
  const { operators, tenants, team } = deps
  /** Everybody who makes somebody of one outer id makes the same operator. */
  async function ensure(externalId: string, name: string): Promise<string> {
    const operatorId = idOf('op', 'outside', externalId)
    await operators.ensure({ operatorId, name, owner: false, externalId, roles: [] })
    return operatorId
  }
  const ofClerk = (userId: string, name: string) => ensure(externalIdOf(clerkIssuer, userId), name)
  async function workspace(prefix: string, id: string, name: string): Promise<TenantId> {
    // Nobody's wish is in the slug: it is the same for all who make it, and nobody else's.
    const slug = `${prefix}-${idOf('ten', prefix, id).slice(4, 20)}`
    const found = await tenants.bySlug(slug)
    if (found !== undefined) return found.id
    const made = await tenants.create({ slug, name }).catch(async (error: unknown) => {
      const other = await tenants.bySlug(slug)
      if (other === undefined) throw error
      return other
    })
    return made.id
  }
  const organization = (id: string, name: string) => workspace('org', `${clerkIssuer}|${id}`, name)
  async function getOrCreateFromClerk(user: { id: string; name: string; email: string | null }): Promise<string> {
    const operatorId = await ofClerk(user.id, user.name)
    const known = { name: user.name, ...(user.email === null ? {} : { email: user.email }) }
    // The address is somebody's who was here before: it stays theirs.
    if ((await operators.change(operatorId, known)) === 'taken') await operators.change(operatorId, { name: user.name })
    return operatorId
  }
  async function getOrCreatePersonal(operatorId: string): Promise<TenantId> {
    const operator = await operators.find(operatorId)
    if (operator === undefined) throw new Problem('not_found')
    if (operator.home !== undefined) return asTenantId(operator.home)
    const home = await workspace('home', operatorId, `${operator.name}’s workspace`.slice(0, 120))
    await team.of(home).assign(operatorId, ['owner'])
    await operators.change(operatorId, { home })
    return home
  }
  async function forget(userId: string): Promise<void> {
    const found = await operators.findBy({ externalId: externalIdOf(clerkIssuer, userId) })
    if (found === undefined) return
    for (const tenantId of new Set(found.roles.map((each) => each.tenantId)))
      await team.of(asTenantId(tenantId)).withdraw(found.operatorId)
    await deps.endSessions(found.operatorId)
    await deps.signIns.forget(found.operatorId)
    await operators.remove(found.operatorId)
  }
  async function make(wanted: Wanted): Promise<void> {
    if (wanted.is === 'user') await getOrCreateFromClerk({ id: wanted.userId, ...wanted })
    else if (wanted.is === 'user gone') await forget(wanted.userId)
    else if (wanted.is === 'organization') {
      await tenants.of(await organization(wanted.organizationId, wanted.name)).change({ name: wanted.name })
    } else if (wanted.is === 'organization gone') {
      await tenants.of(await organization(wanted.organizationId, 'Organization')).setStatus('suspended')
    } else {
      const tenantId = await organization(wanted.organizationId, wanted.organizationName)
      if (wanted.roles.length === 0) {
        const found = await operators.findBy({ externalId: externalIdOf(clerkIssuer, wanted.userId) })
        if (found !== undefined) await team.of(tenantId).withdraw(found.operatorId)
      } else if (!(await isGone(externalIdOf(clerkIssuer, wanted.userId)))) {
        await team.of(tenantId).assign(await ofClerk(wanted.userId, wanted.userName), wanted.roles)
      }
    }
  }
  return {
    ensure,
    make,
    getOrCreateFromClerk,
    getOrCreatePersonal,
    getOrCreateOrganization: ({ id, name }: { id: string; name: string }) => organization(id, name),
  }
}
