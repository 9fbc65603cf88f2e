// People whom an identity provider outside vouches for: by a token with each request, and by Clerk's webhooks. The first
// login makes an operator and a workspace of their own, exactly once. An address proves nothing here: nobody gets an
// operator that was there before.

import type { Db } from 'mongodb'
import { Webhook, WebhookVerificationError } from 'standardwebhooks'
import type { Clock } from '../../platform/clock.ts'
import type { RequestFacts } from '../../platform/http.ts'
import { asTenantId, idOf, type TenantId } from '../../platform/ids.ts'
import { Problem } from '../../platform/problem.ts'
import type { Tenants } from '../../tenants/tenants.ts'
import type { Audit } from '../audit/audit.ts'
import type { OperatorRecord, operatorStore } from '../operator-store.ts'
import { asOperator, type Operator } from '../operators.ts'
import type { SignInNotes } from '../sign-in/notes.ts'
import type { SignIn } from '../sign-in/sign-in.ts'
import type { Team } from '../team/team.ts'
import { clerkChange, type Wanted } from './clerk-event.ts'
import { createClerkMaker } from './clerk-maker.ts'
import { createIssuers, externalIdOf, type Issuer, type OutsidePerson } from './issuers.ts'
import { type OutsideRecord, outsideRecordStore } from './record-store.ts'

export interface Outside {
  /** The operator a token speaks of. Throws `unauthenticated` for a token that is not genuine, or of somebody new. */
  getAuthContext(token: string): Promise<Operator>
  /** As `getAuthContext`, and makes who is new: of any number of first requests at once one operator and one workspace come. */
  getOrCreateAuthContext(token: string, ip?: string): Promise<Operator>
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
  takeClerkEvent(body: string, facts: Pick<RequestFacts, 'header' | 'ip'>): Promise<void>
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
  readonly audit: Audit
  readonly notes: SignInNotes
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
  const people = peopleOf(deps, clerkIssuer)
  const make = createClerkMaker({ ...deps, ...people, externalIdOf: (id) => externalIdOf(clerkIssuer, id), isGone })
  return {
    ...people,
    async getAuthContext(token) {
      const found = await operators.findBy({ externalId: (await verified(token)).externalId })
      if (found === undefined) throw new Problem('unauthenticated')
      return asOperator(deps, found, '')
    },
    async getOrCreateAuthContext(token, ip = '') {
      const { externalId, name } = await verified(token)
      const found = await operators.findBy({ externalId })
      if (found?.home !== undefined) return asOperator(deps, found, '')
      // A token outlives its person by a minute: it does not bring them back.
      if (await isGone(externalId)) throw new Problem('unauthenticated')
      const operatorId = found?.operatorId ?? (await people.ensure(externalId, name ?? 'New person'))
      const { isNew } = await people.personal(operatorId)
      const record = await operators.find(operatorId)
      if (record === undefined) throw new Problem('unauthenticated')
      const made = await asOperator(deps, record, '')
      if (isNew) await deps.notes.note(made, { ability: 'auth.sign-in', door: null, ip })
      return made
    },
    getByClerkId: (clerkId) => operators.findBy({ externalId: externalIdOf(clerkIssuer, clerkId) }),
    getOrCreatePersonal: async (operatorId) => (await people.personal(operatorId)).tenantId,
    async takeClerkEvent(body, { header, ip }) {
      if (settings.clerkWebhookSecret === undefined) throw new Problem('not_found')
      const change = changeIn(verifiedBody(settings.clerkWebhookSecret, body, header))
      if (change === undefined) return
      await records.put(change.key, change.at, change.wanted)
      await converge(records, change.key, (wanted) => make(wanted, ip))
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

function peopleOf(deps: OutsideDeps, clerkIssuer: string) {
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
  /** `isNew`: for one of any number of first requests at once. */
  async function personal(operatorId: string): Promise<{ readonly tenantId: TenantId; readonly isNew: boolean }> {
    const operator = await operators.find(operatorId)
    if (operator === undefined) throw new Problem('not_found')
    if (operator.home !== undefined) return { tenantId: asTenantId(operator.home), isNew: false }
    const home = await workspace('home', operatorId, `${operator.name}’s workspace`.slice(0, 120))
    await team.of(home).assign(operatorId, ['owner'])
    return { tenantId: home, isNew: await operators.settle(operatorId, home) }
  }
  return {
    ensure,
    ofClerk,
    organization,
    getOrCreateFromClerk,
    personal,
    getOrCreateOrganization: ({ id, name }: { id: string; name: string }) => organization(id, name),
  }
}
