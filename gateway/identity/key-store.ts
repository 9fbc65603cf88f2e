// Collection `keys`: site keys (public, in a page) and API keys (secret, hashed). The only file that knows its documents.

import { type Collection, type Db, MongoServerError } from 'mongodb'
import type { Ability } from '../platform/access.ts'
import { asTenantId, newId, type TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'

interface KeyDoc {
  _id: string
  tenantId: string
  kind: 'site' | 'api'
  /** What a caller shows first: the whole site key, or the public part of an API key. */
  lookup: string
  label: string
  status: 'active' | 'revoked'
  createdAt: Date
  revokedAt?: Date
  /** Of a site key. */
  agentSlug?: string
  origins?: string[]
  /** Of an API key: SHA-256 of the whole. */
  hash?: string
  /** Missing: what every key has for which nothing was chosen. */
  scopes?: readonly Ability[]
  role?: string
  agentIds?: readonly string[]
  expiresAt?: Date
  lastUsedAt?: Date
}

export interface SiteKeyRecord {
  readonly tenantId: TenantId
  readonly keyId: string
  readonly key: string
  readonly label: string
  readonly agentSlug: string
  readonly status: 'active' | 'revoked'
  /** When given, only these; otherwise the tenant's. */
  readonly origins: readonly string[]
  readonly createdAt: Date
}

export interface ApiKeyRecord {
  readonly tenantId: TenantId
  readonly keyId: string
  readonly prefix: string
  readonly label: string
  readonly status: 'active' | 'revoked'
  readonly hash: string
  /** Null: nothing was chosen. */
  readonly scopes: readonly Ability[] | null
  /** Name of the role that it has instead of a key's own. */
  readonly role: string | null
  /** Empty: it is bound to none. */
  readonly agentIds: readonly string[]
  readonly expiresAt: Date | null
  readonly createdAt: Date
  readonly lastUsedAt: Date | null
}

/** What is chosen for an API key. */
export interface ApiKeyChoice {
  readonly scopes?: ApiKeyRecord['scopes'] | undefined
  readonly role?: ApiKeyRecord['role'] | undefined
  readonly agentIds?: ApiKeyRecord['agentIds'] | undefined
  readonly expiresAt?: ApiKeyRecord['expiresAt'] | undefined
}

/** What is not named stays; the role does always. */
export type ApiKeyUpdate = Omit<ApiKeyChoice, 'role'> & { readonly label?: string | undefined }

function choiceOf({ scopes, role, agentIds, expiresAt }: ApiKeyChoice) {
  return {
    ...(scopes == null ? {} : { scopes }),
    ...(role == null ? {} : { role }),
    ...(agentIds === undefined ? {} : { agentIds }),
    ...(expiresAt == null ? {} : { expiresAt }),
  }
}

function toSiteKey(doc: KeyDoc): SiteKeyRecord {
  const { _id: keyId, lookup: key, label, status, createdAt } = doc
  const tenantId = asTenantId(doc.tenantId)
  return { tenantId, keyId, key, label, status, createdAt, agentSlug: doc.agentSlug ?? '', origins: doc.origins ?? [] }
}

function toApiKey(doc: KeyDoc): ApiKeyRecord {
  const { _id: keyId, lookup: prefix, label, status, createdAt } = doc
  return {
    tenantId: asTenantId(doc.tenantId),
    keyId,
    prefix,
    label,
    status,
    hash: doc.hash ?? '',
    scopes: doc.scopes ?? null,
    role: doc.role ?? null,
    agentIds: doc.agentIds ?? [],
    expiresAt: doc.expiresAt ?? null,
    createdAt,
    lastUsedAt: doc.lastUsedAt ?? null,
  }
}

const duplicateKey = 11000
const listLimit = 500

type Keys = Collection<KeyDoc>

/** False when the key itself exists already. */
async function insert(keys: Keys, doc: KeyDoc): Promise<boolean> {
  try {
    await keys.insertOne(doc)
    return true
  } catch (error) {
    if (error instanceof MongoServerError && error.code === duplicateKey) return false
    throw error
  }
}

const base = (tenantId: TenantId) => ({
  _id: newId('key'),
  tenantId,
  status: 'active' as const,
  createdAt: new Date(),
})

const list = (keys: Keys, tenantId: TenantId, kind: KeyDoc['kind']) =>
  keys.find({ tenantId, kind }).sort({ createdAt: -1 }).limit(listLimit).toArray()

/** Revoking twice is fine; null for a key of another tenant or kind. */
async function revoke(keys: Keys, filter: Pick<KeyDoc, '_id' | 'tenantId' | 'kind'>): Promise<KeyDoc | null> {
  const update = { $set: { status: 'revoked' as const, revokedAt: new Date() } }
  await keys.updateOne({ ...filter, status: 'active' }, update)
  return keys.findOne(filter)
}

function siteKeys(keys: Keys) {
  return {
    /** No tenant in the filter: the key is what says whose it is. */
    async find(key: string): Promise<SiteKeyRecord | undefined> {
      const doc = await keys.findOne({ lookup: key, kind: 'site' })
      return doc === null ? undefined : toSiteKey(doc)
    },
    async add(
      tenantId: TenantId,
      key: { key: string; label: string; agentSlug: string; origins: readonly string[] },
    ): Promise<SiteKeyRecord | undefined> {
      const { key: lookup, label, agentSlug } = key
      const doc: KeyDoc = { ...base(tenantId), kind: 'site', lookup, label, agentSlug, origins: [...key.origins] }
      return (await insert(keys, doc)) ? toSiteKey(doc) : undefined
    },
    list: async (tenantId: TenantId) => (await list(keys, tenantId, 'site')).map(toSiteKey),
    async revoke(tenantId: TenantId, keyId: string): Promise<SiteKeyRecord | undefined> {
      const doc = await revoke(keys, { _id: keyId, tenantId, kind: 'site' })
      return doc === null ? undefined : toSiteKey(doc)
    },
  }
}

function apiKeys(keys: Keys) {
  return {
    /** No tenant in the filter: the key is what says whose it is. */
    async find(prefix: string): Promise<ApiKeyRecord | undefined> {
      const doc = await keys.findOne({ lookup: prefix, kind: 'api' })
      return doc === null ? undefined : toApiKey(doc)
    },
    async add(
      tenantId: TenantId,
      key: { prefix: string; hash: string; label: string; choice: ApiKeyChoice },
    ): Promise<ApiKeyRecord | undefined> {
      const { prefix: lookup, hash, label } = key
      const doc: KeyDoc = { ...base(tenantId), kind: 'api', lookup, label, hash, ...choiceOf(key.choice) }
      return (await insert(keys, doc)) ? toApiKey(doc) : undefined
    },
    list: async (tenantId: TenantId) => (await list(keys, tenantId, 'api')).map(toApiKey),
    async revoke(tenantId: TenantId, keyId: string): Promise<ApiKeyRecord | undefined> {
      const doc = await revoke(keys, { _id: keyId, tenantId, kind: 'api' })
      return doc === null ? undefined : toApiKey(doc)
    },
    async byId(tenantId: TenantId, keyId: string): Promise<ApiKeyRecord | undefined> {
      const doc = await keys.findOne({ _id: keyId, tenantId, kind: 'api' })
      return doc === null ? undefined : toApiKey(doc)
    },
    /** What is not named stays. */
    async change(tenantId: TenantId, keyId: string, change: ApiKeyUpdate): Promise<ApiKeyRecord | undefined> {
      const { label, ...choice } = change
      const set = { ...(label === undefined ? {} : { label }), ...choiceOf(choice) }
      const filter = { _id: keyId, tenantId, kind: 'api' as const }
      if (choice.expiresAt === null) await keys.updateOne(filter, { $unset: { expiresAt: true } })
      if (Object.keys(set).length > 0) await keys.updateOne(filter, { $set: set })
      const doc = await keys.findOne(filter)
      return doc === null ? undefined : toApiKey(doc)
    },
    /** False for a key that is not there. */
    async remove(tenantId: TenantId, keyId: string): Promise<boolean> {
      return (await keys.deleteOne({ _id: keyId, tenantId, kind: 'api' })).deletedCount === 1
    },
    /** Whether a key in force has the role. */
    async hold(tenantId: TenantId, role: string): Promise<boolean> {
      return (await keys.findOne({ tenantId, kind: 'api', role, status: 'active' })) !== null
    },
    async touch(tenantId: TenantId, keyId: string, at: Date): Promise<void> {
      await keys.updateOne({ _id: keyId, tenantId }, { $set: { lastUsedAt: at } })
    },
  }
}

export const keyStore = {
  spec: {
    name: 'keys',
    indexes: [
      { key: { lookup: 1 }, name: 'lookup', unique: true },
      { key: { tenantId: 1, kind: 1, createdAt: -1 }, name: 'list' },
    ],
  } satisfies CollectionSpec,
  open(db: Db) {
    const keys: Keys = db.collection('keys', durable)
    return {
      site: siteKeys(keys),
      api: apiKeys(keys),
      /** `tenant:key` of those in force, for any number of pairs at once. */
      async active(pairs: readonly { tenantId: string; keyId: string }[], now: Date): Promise<ReadonlySet<string>> {
        const docs = await keys
          .find({
            _id: { $in: [...new Set(pairs.map((each) => each.keyId))] },
            tenantId: { $in: [...new Set(pairs.map((each) => each.tenantId))] },
            status: 'active',
          })
          .project<{ _id: string; tenantId: string; expiresAt?: Date }>({ _id: 1, tenantId: 1, expiresAt: 1 })
          .toArray()
        const inForce = docs.filter((doc) => doc.expiresAt === undefined || doc.expiresAt > now)
        return new Set(inForce.map((doc) => `${doc.tenantId}:${doc._id}`))
      },
    }
  },
}
