// Who is calling. Owns every credential: visitors' tokens and the keys that sign them, site keys, API keys, operators'
// sessions; and the contacts behind visitors. Secrets are stored hashed or sealed and shown once.

import type { Db } from 'mongodb'
import type { Actor, AuthContext } from '../platform/access.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import type { RequestFacts } from '../platform/http.ts'
import type { TenantId } from '../platform/ids.ts'
import type { Log } from '../platform/log.ts'
import type { CollectionSpec } from '../platform/mongo.ts'
import { rowFilter } from '../platform/row-filter.ts'
import type { ContactView } from '../protocol/chat.ts'
import type { Tenants } from '../tenants/tenants.ts'
import { type Audit, createAudit } from './audit/audit.ts'
import { auditStore } from './audit/audit-store.ts'
import { type AuthFor, createAuthFor } from './auth-for.ts'
import { clientSessionStore } from './client-session-store.ts'
import { type ContactBook, contactBook } from './contact-book.ts'
import { type ContactQuery, contactRowFields, contactStore } from './contact-store.ts'
import { type ContactRequest, contactOf } from './contacts.ts'
import { keyStore } from './key-store.ts'
import { createKeys, type Keys } from './keys.ts'
import type { Operator } from './operators.ts'
import type { OutsideSettings } from './outside/outside.ts'
import { createPeople, type People, peopleCollections, sessionCookieName } from './people.ts'
import { createSeal } from './seal.ts'
import { createLocalKeys, type KeyService } from './secrets/key-service.ts'
import { secretStore } from './secrets/secret-store.ts'
import { createSecrets, type Secrets } from './secrets/secrets.ts'
import { signingKeyStore } from './signing-key-store.ts'
import { createSigningKeys } from './signing-keys.ts'
import { type AgentBook, createVisitors, type Visitors } from './visitors.ts'

export type { Audit } from './audit/audit.ts'
export type { AuditOutcome, NewAuditEntry } from './audit/audit-store.ts'
export type { AuthFor } from './auth-for.ts'
export type { ContactBook } from './contact-book.ts'
export type { ContactDetails } from './contact-details.ts'
export type { Operator } from './operators.ts'
export type { OutsideSettings } from './outside/outside.ts'
export type { KeyService } from './secrets/key-service.ts'

/** A live session's credentials. `signingKeyId` when it began with a token: a revoked signing key ends it too. */
export interface LivePair {
  readonly tenantId: TenantId
  readonly keyId: string
  readonly signingKeyId?: string
}

export interface Identity extends Visitors, Keys, People {
  /** What a credential may do: the one place where that is decided. */
  readonly authFor: AuthFor
  /**
   * The rights of somebody who acted before, as they are now: of a visitor, a key, an operator. Undefined: there are none any
   * more.
   */
  authOf(tenantId: TenantId, actor: Actor, agentId: string): Promise<AuthContext | undefined>
  /** Who did what. HTTP writes it for every route of a tenant that changes something; the rest is recorded by whoever knows. */
  readonly audit: Audit
  /** Tenants' secrets at rest. */
  readonly secrets: Secrets
  /** `tenant:key` of every pair that may not go on: key revoked, tenant suspended. Two indexed queries for any number. */
  stillAllowed(pairs: readonly LivePair[]): Promise<ReadonlySet<string>>
  /** Finds or makes the contact; any number of callers at once get the same id. */
  contact(request: ContactRequest): Promise<string>
  /** As the caller may see them, newest first; one more than asked for tells that there are more. */
  contacts(auth: AuthContext, query: Omit<ContactQuery, 'rows'>): Promise<readonly ContactView[]>
  /** Contacts as the caller may find, write down and change them. */
  contactBook(auth: AuthContext): ContactBook
  /** Hash of the e-mail each contact has or claims; contacts without one are missing. Joins usage with invoices. */
  emailHashes(tenantId: TenantId, contactIds: readonly string[]): Promise<ReadonlyMap<string, string>>
  /** A new key signs from now on; the old ones verify for 20 more minutes. Returns the new key's id. */
  rotateSigningKey(): Promise<string>
  /** Tokens under this key are refused everywhere within 3 s. False for a key nobody has. */
  revokeSigningKey(signingKeyId: string): Promise<boolean>
  /** Who is signed in by this Cookie header. */
  signedIn(cookieHeader: string | undefined): Promise<Operator | undefined>
  /** Who is behind a request: by the token of a provider outside, else by the cookie. Makes who is new there. */
  operatorBehind(request: Pick<RequestFacts, 'header' | 'ip'>): Promise<Operator | undefined>
  /** The session cookie's value out of a Cookie header. */
  sessionCookie(cookieHeader: string | undefined): string | undefined
}

export const identityCollections: readonly CollectionSpec[] = [
  auditStore.spec,
  keyStore.spec,
  signingKeyStore.spec,
  contactStore.spec,
  clientSessionStore.spec,
  ...peopleCollections,
  ...secretStore.specs,
]

export interface IdentityDeps {
  readonly db: Db
  /** Issuer of the tokens: one that changes ends them all. */
  readonly publicUrl: string
  /** At least 32 bytes. Another one makes new signing keys; running tokens stay good. */
  readonly secret: Buffer
  readonly tenants: Tenants
  readonly agents: AgentBook
  readonly clock?: Clock
  /** Wraps the keys of tenants' secrets. Missing: a key derived from `secret` does. */
  readonly keyService?: KeyService | undefined
  /** Providers of identity outside. Missing: none. */
  readonly outside?: OutsideSettings
  readonly log?: Log
}

export function createIdentity(deps: IdentityDeps): Identity {
  const { db, tenants } = deps
  const clock = deps.clock ?? systemClock
  const keys = keyStore.open(db)
  const contacts = contactStore.open(db)
  const seal = createSeal(deps.secret, 'parley signing keys')
  const signingKeys = createSigningKeys({ store: signingKeyStore.open(db), seal, clock })
  const contact = (request: ContactRequest) => contactOf(contacts, request)
  const audit = createAudit({ db, clock })
  const people = createPeople({
    audit,
    onLost: (error) => deps.log?.error({ err: error }, 'a failed sign-in was not written to the audit log'),
    db,
    clock,
    publicUrl: deps.publicUrl,
    secret: deps.secret,
    tenants,
    keys,
    outside: deps.outside ?? { issuers: [] },
  })
  const authFor = createAuthFor(people.roles)
  const signedIn = async (cookieHeader: string | undefined): Promise<Operator | undefined> => {
    const cookie = readSessionCookie(cookieHeader)
    return cookie === undefined ? undefined : people.operatorOf(cookie)
  }
  return {
    ...createVisitors({
      issuer: deps.publicUrl,
      tenants,
      agents: deps.agents,
      signingKeys,
      clock,
      siteKey: (key) => keys.site.find(key),
      activeKeys: (pairs) => keys.active(pairs, new Date(clock.now())),
      contact,
      sessions: clientSessionStore.open(db),
    }),
    ...createKeys({ store: keys, tenants, agents: deps.agents, roles: people.roles, clock }),
    ...people,
    authFor,
    authOf: (tenantId, actor, agentId) => authOf({ authFor, people, keys, clock }, { tenantId, actor, agentId }),
    audit,
    secrets: createSecrets({ db, clock, keys: deps.keyService ?? createLocalKeys([deps.secret]) }),
    contact,
    contacts: (auth, query) =>
      contacts.list(auth.tenantId, { ...query, rows: rowFilter(auth.rows('contacts'), auth, contactRowFields) }),
    contactBook: (auth) => contactBook(contacts, auth),
    stillAllowed: (pairs) => stillAllowed({ keys, tenants, signingKeys, clock }, pairs),
    emailHashes: (tenantId, contactIds) => contacts.emailHashes(tenantId, contactIds),
    rotateSigningKey: () => signingKeys.rotate(),
    revokeSigningKey: (signingKeyId) => signingKeys.revoke(signingKeyId),
    signedIn,
    async operatorBehind({ header, ip }) {
      const token = outsideToken(header('authorization'))
      return token === undefined ? signedIn(header('cookie')) : people.outside.getOrCreateAuthContext(token, ip)
    },
    sessionCookie: readSessionCookie,
  }
}

type KeyStore = ReturnType<typeof keyStore.open>

async function authOf(
  deps: { readonly authFor: AuthFor; readonly people: People; readonly keys: KeyStore; readonly clock: Clock },
  who: { readonly tenantId: TenantId; readonly actor: Actor; readonly agentId: string },
): Promise<AuthContext | undefined> {
  const { tenantId, actor, agentId } = who
  if (actor.kind === 'visitor') return deps.authFor.visitor({ tenantId, agentId, contactId: actor.id })
  if (actor.kind === 'operator') {
    const operator = await deps.people.operatorById(actor.id)
    return operator === undefined ? undefined : deps.authFor.operator(operator, tenantId)
  }
  if (actor.kind !== 'key') return undefined
  const key = await deps.keys.api.byId(tenantId, actor.id)
  const isOver = key?.expiresAt != null && key.expiresAt.getTime() <= deps.clock.now()
  return key === undefined || key.status !== 'active' || isOver ? undefined : deps.authFor.key({ ...key, tenantId })
}

async function stillAllowed(
  {
    keys,
    tenants,
    signingKeys,
    clock,
  }: {
    readonly keys: KeyStore
    readonly tenants: Tenants
    readonly signingKeys: ReturnType<typeof createSigningKeys>
    readonly clock: Clock
  },
  pairs: readonly LivePair[],
): Promise<ReadonlySet<string>> {
  if (pairs.length === 0) return new Set()
  const [activeKeys, activeTenants, signers] = await Promise.all([
    keys.active(pairs, new Date(clock.now())),
    tenants.active([...new Set(pairs.map((each) => each.tenantId))]),
    signingKeys.inForce(),
  ])
  const ended = pairs.filter(
    ({ tenantId, keyId, signingKeyId }) =>
      !activeTenants.has(tenantId) ||
      !activeKeys.has(`${tenantId}:${keyId}`) ||
      (signingKeyId !== undefined && !signers.has(signingKeyId)),
  )
  return new Set(ended.map((each) => `${each.tenantId}:${each.keyId}`))
}

/** Three parts of base64url, the first a JSON object: no key of ours looks like that. */
export function outsideToken(authorization: string | undefined): string | undefined {
  return /^Bearer\s+(ey[\w-]*\.[\w-]+\.[\w-]*)$/.exec(authorization ?? '')?.[1]
}

function readSessionCookie(header: string | undefined): string | undefined {
  for (const part of header?.split(';') ?? []) {
    const [name, value] = part.trim().split('=')
    if (name === sessionCookieName && value !== undefined && value !== '') return value
  }
  return undefined
}
