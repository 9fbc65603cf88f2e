// Site keys and API keys: making, showing once, checking, revoking.

import type { Ability, AuthContext } from '../platform/access.ts'
import type { Clock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import { Problem } from '../platform/problem.ts'
import type { ApiKeyView, SiteKeyView } from '../protocol/rest.ts'
import type { Tenants } from '../tenants/tenants.ts'
import { checkChoice } from './key-choice.ts'
import type { ApiKeyChoice, ApiKeyRecord, ApiKeyUpdate, keyStore, SiteKeyRecord } from './key-store.ts'
import { builtinRoles, keyCeiling } from './roles/builtin.ts'
import type { TenantRoles } from './roles/roles.ts'
import { randomText, sameText, sha256 } from './seal.ts'
import type { AgentBook } from './visitors.ts'

export interface ApiKeyActor {
  readonly tenantId: TenantId
  readonly keyId: string
  readonly label: string
  readonly scopes: readonly Ability[] | null
  readonly role: string | null
  readonly agentIds: readonly string[]
}

export interface NewApiKey extends ApiKeyChoice {
  /** A key of one's own (the demo's). */
  readonly raw?: string | undefined
  /** Who makes it; without, nobody is asked. */
  readonly by?: AuthContext | undefined
}

export type SiteKey = Pick<SiteKeyRecord, 'tenantId' | 'agentSlug' | 'keyId' | 'status' | 'origins'>

export interface Keys {
  /** Undefined for a key malformed, unknown, revoked, expired, or of a suspended tenant. */
  verifyApiKey(raw: string): Promise<ApiKeyActor | undefined>
  /**
   * `raw` is returned here and never again. Given a `raw` of one's own (the demo), a key the tenant already has is
   * returned as it is; one of another tenant is a `conflict`. `forbidden`: more than a key may have at all, or than its
   * maker has; `invalid`: a role or an agent there is not.
   */
  createApiKey(
    tenantId: TenantId,
    label: string,
    own?: NewApiKey,
  ): Promise<{ readonly raw: string; readonly view: ApiKeyView }>
  apiKeys(tenantId: TenantId): Promise<readonly ApiKeyView[]>
  /** `not_found` for a key of another tenant, here and below. */
  apiKey(tenantId: TenantId, keyId: string): Promise<ApiKeyView>
  /** What is not named stays. `forbidden` as at its making. */
  updateApiKey(
    tenantId: TenantId,
    keyId: string,
    change: ApiKeyUpdate & { readonly by: AuthContext },
  ): Promise<ApiKeyView>
  /** Revoked and not even listed any more. */
  removeApiKey(tenantId: TenantId, keyId: string): Promise<void>
  revokeApiKey(tenantId: TenantId, keyId: string): Promise<ApiKeyView>
  siteKey(key: string): Promise<SiteKey | undefined>
  /** `origins`: when given, only these instead of the tenant's. A `key` of one's own must begin with `pk_`. */
  createSiteKey(
    tenantId: TenantId,
    key: {
      readonly label: string
      readonly agentSlug: string
      readonly origins?: readonly string[] | undefined
      readonly key?: string | undefined
    },
  ): Promise<SiteKeyView>
  siteKeys(tenantId: TenantId): Promise<readonly SiteKeyView[]>
  revokeSiteKey(tenantId: TenantId, keyId: string): Promise<SiteKeyView>
}

const apiKeyPattern = /^(af_live_[A-Za-z0-9]{8})_[A-Za-z0-9]{32}$/
const siteKeyPattern = /^pk_[A-Za-z0-9_]{8,60}$/
/** How stale `lastUsedAt` may be. */
const touchMs = 60_000
/** Compared when a key is unknown, so that the answer takes as long. */
const nobody = sha256('')

interface KeysDeps {
  readonly store: ReturnType<typeof keyStore.open>
  readonly tenants: Tenants
  readonly agents: AgentBook
  readonly roles: { of(tenantId: TenantId): Pick<TenantRoles, 'unknown' | 'mayGrant'> }
  readonly clock: Clock
}

export function createKeys(deps: KeysDeps): Keys {
  const { store } = deps
  return {
    verifyApiKey: (raw) => verify(deps, raw),
    createApiKey: (tenantId, label, own = {}) => createApiKey(deps, { tenantId, label, own }),
    apiKey: async (tenantId, keyId) => presentApiKey(found(await store.api.byId(tenantId, keyId))),
    async updateApiKey(tenantId, keyId, { by, ...change }) {
      const { scopes, role, agentIds } = found(await store.api.byId(tenantId, keyId))
      await checkChoice(deps, { scopes, role, agentIds, ...given(change) }, { tenantId, by })
      return presentApiKey(found(await store.api.change(tenantId, keyId, change)))
    },
    async removeApiKey(tenantId, keyId) {
      if (!(await store.api.remove(tenantId, keyId))) throw new Problem('not_found')
    },
    apiKeys: async (tenantId) => (await store.api.list(tenantId)).map(presentApiKey),
    revokeApiKey: async (tenantId, keyId) => presentApiKey(found(await store.api.revoke(tenantId, keyId))),
    async siteKey(key) {
      if (!siteKeyPattern.test(key)) return undefined
      return store.site.find(key)
    },
    createSiteKey: async (tenantId, { label, agentSlug, origins, key }) => {
      const wanted = key ?? `pk_live_${randomText(24)}`
      if (!siteKeyPattern.test(wanted)) throw new Problem('invalid', 'A site key begins with pk_.')
      const added = await store.site.add(tenantId, { key: wanted, label, agentSlug, origins: origins ?? [] })
      const record = added ?? (await store.site.find(wanted))
      if (record?.tenantId !== tenantId) throw new Problem('conflict', 'This key is taken.')
      return presentSiteKey(record)
    },
    siteKeys: async (tenantId) => (await store.site.list(tenantId)).map(presentSiteKey),
    revokeSiteKey: async (tenantId, keyId) => presentSiteKey(found(await store.site.revoke(tenantId, keyId))),
  }
}

async function verify(deps: KeysDeps, raw: string): Promise<ApiKeyActor | undefined> {
  const prefix = apiKeyPattern.exec(raw)?.[1]
  if (prefix === undefined) return undefined
  const record = await deps.store.api.find(prefix)
  const same = sameText(sha256(raw), record?.hash ?? nobody)
  if (!same || record?.status !== 'active') return undefined
  if ((await deps.tenants.byId(record.tenantId))?.status !== 'active') return undefined
  const { tenantId, keyId, label, scopes, role, agentIds, expiresAt } = record
  const now = deps.clock.now()
  if (expiresAt !== null && expiresAt.getTime() <= now) return undefined
  if (now - (record.lastUsedAt?.getTime() ?? 0) > touchMs) {
    // Nobody waits for it; one that fails is made up for by the next use.
    deps.store.api.touch(tenantId, keyId, new Date(now)).catch(() => undefined)
  }
  return { tenantId, keyId, label, scopes, role, agentIds }
}

async function createApiKey(
  deps: KeysDeps,
  wanted: { readonly tenantId: TenantId; readonly label: string; readonly own: NewApiKey },
): Promise<{ raw: string; view: ApiKeyView }> {
  const { tenantId, label, own } = wanted
  const { by, raw: ownRaw, ...choice } = own
  const { store } = deps
  await checkChoice(deps, choice, { tenantId, by })
  const raw = ownRaw ?? `af_live_${randomText(8)}_${randomText(32)}`
  const prefix = apiKeyPattern.exec(raw)?.[1]
  if (prefix === undefined)
    throw new Problem('invalid', 'An API key looks like af_live_ + 8 + _ + 32 letters and digits.')
  const hash = sha256(raw)
  const record = (await store.api.add(tenantId, { prefix, hash, label, choice })) ?? (await store.api.find(prefix))
  if (record?.tenantId !== tenantId || !sameText(record.hash, hash)) throw new Problem('conflict', 'This key is taken.')
  return { raw, view: presentApiKey(record) }
}

/** Undefined is what nobody said. */
function given({ scopes, agentIds, expiresAt }: ApiKeyUpdate): ApiKeyChoice {
  return {
    ...(scopes === undefined ? {} : { scopes }),
    ...(agentIds === undefined ? {} : { agentIds }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }
}

function presentApiKey(record: ApiKeyRecord): ApiKeyView {
  const { keyId: id, prefix, label, status, role, agentIds } = record
  return {
    ...{ id, prefix, label, status, role, agentIds },
    scopes: record.scopes ?? (role === null ? builtinRoles.service : keyCeiling),
    expiresAt: record.expiresAt?.toISOString() ?? null,
    createdAt: record.createdAt.toISOString(),
    lastUsedAt: record.lastUsedAt?.toISOString() ?? null,
  }
}

function presentSiteKey(record: SiteKeyRecord): SiteKeyView {
  const { keyId: id, key, label, agentSlug, status } = record
  return { id, key, label, agentSlug, status, createdAt: record.createdAt.toISOString() }
}

function found<T>(record: T | undefined): T {
  if (record === undefined) throw new Problem('not_found')
  return record
}
