// Site keys and API keys: making, showing once, checking, revoking.

import type { Ability } from '../platform/access.ts'
import type { Clock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import { Problem } from '../platform/problem.ts'
import type { ApiKeyView, SiteKeyView } from '../protocol/rest.ts'
import type { Tenants } from '../tenants/tenants.ts'
import type { ApiKeyRecord, keyStore, SiteKeyRecord } from './key-store.ts'
import { builtinRoles } from './roles/builtin.ts'
import { randomText, sameText, sha256 } from './seal.ts'

export interface ApiKeyActor {
  readonly tenantId: TenantId
  readonly keyId: string
  readonly label: string
  readonly abilities: readonly Ability[]
}

export type SiteKey = Pick<SiteKeyRecord, 'tenantId' | 'agentSlug' | 'keyId' | 'status' | 'origins'>

export interface Keys {
  /** Undefined for a key malformed, unknown, revoked, or of a suspended tenant. */
  verifyApiKey(raw: string): Promise<ApiKeyActor | undefined>
  /**
   * `raw` is returned here and never again. Given a `raw` of one's own (the demo), a key the tenant already has is
   * returned as it is; one of another tenant is a `conflict`.
   */
  createApiKey(
    tenantId: TenantId,
    label: string,
    raw?: string,
  ): Promise<{ readonly raw: string; readonly view: ApiKeyView }>
  apiKeys(tenantId: TenantId): Promise<readonly ApiKeyView[]>
  /** `not_found` for a key of another tenant. */
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

export function createKeys(deps: {
  readonly store: ReturnType<typeof keyStore.open>
  readonly tenants: Tenants
  readonly clock: Clock
}): Keys {
  const { store } = deps
  return {
    verifyApiKey: (raw) => verify(deps, raw),
    createApiKey: (tenantId, label, raw) => createApiKey(store, { tenantId, label, raw }),
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

async function verify(deps: Parameters<typeof createKeys>[0], raw: string): Promise<ApiKeyActor | undefined> {
  const prefix = apiKeyPattern.exec(raw)?.[1]
  if (prefix === undefined) return undefined
  const record = await deps.store.api.find(prefix)
  const same = sameText(sha256(raw), record?.hash ?? nobody)
  if (!same || record?.status !== 'active') return undefined
  if ((await deps.tenants.byId(record.tenantId))?.status !== 'active') return undefined
  const { tenantId, keyId, label, abilities } = record
  const now = deps.clock.now()
  if (now - (record.lastUsedAt?.getTime() ?? 0) > touchMs) {
    // Nobody waits for it; one that fails is made up for by the next use.
    deps.store.api.touch(tenantId, keyId, new Date(now)).catch(() => undefined)
  }
  return { tenantId, keyId, label, abilities }
}

async function createApiKey(
  store: ReturnType<typeof keyStore.open>,
  wanted: { readonly tenantId: TenantId; readonly label: string; readonly raw: string | undefined },
): Promise<{ raw: string; view: ApiKeyView }> {
  const raw = wanted.raw ?? `af_live_${randomText(8)}_${randomText(32)}`
  const prefix = apiKeyPattern.exec(raw)?.[1]
  if (prefix === undefined)
    throw new Problem('invalid', 'An API key looks like af_live_ + 8 + _ + 32 letters and digits.')
  const hash = sha256(raw)
  const { tenantId, label } = wanted
  const record =
    (await store.api.add(tenantId, { prefix, hash, label, abilities: builtinRoles.service })) ??
    (await store.api.find(prefix))
  if (record?.tenantId !== tenantId || !sameText(record.hash, hash)) throw new Problem('conflict', 'This key is taken.')
  return { raw, view: presentApiKey(record) }
}

function presentApiKey(record: ApiKeyRecord): ApiKeyView {
  const { keyId: id, prefix, label, status } = record
  const lastUsedAt = record.lastUsedAt?.toISOString() ?? null
  return { id, prefix, label, status, createdAt: record.createdAt.toISOString(), lastUsedAt }
}

function presentSiteKey(record: SiteKeyRecord): SiteKeyView {
  const { keyId: id, key, label, agentSlug, status } = record
  return { id, key, label, agentSlug, status, createdAt: record.createdAt.toISOString() }
}

function found<T>(record: T | undefined): T {
  if (record === undefined) throw new Problem('not_found')
  return record
}
