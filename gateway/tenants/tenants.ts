// The customers of the gateway. Owns who they are, whether they are active, where their widget may stand and which
// tools a channel may use. Knows nothing of credentials or agents.

import type { Db } from 'mongodb'
import type { z } from 'zod'
import type { TenantId } from '../platform/ids.ts'
import type { CollectionSpec } from '../platform/mongo.ts'
import { Problem } from '../platform/problem.ts'
import { numberedSlug, slugOf } from '../platform/slug.ts'
import { tenantStore } from './store.ts'
import { isOrigin, type NewTenant, newTenant, type Tenant, type TenantChange, tenantChange } from './tenant.ts'

export type { NewTenant, Tenant, TenantChange, ToolRule } from './tenant.ts'

export interface ScopedTenant {
  /** Throws `not_found` for an id nobody has. */
  get(): Promise<Tenant>
  change(change: TenantChange): Promise<Tenant>
  setStatus(status: Tenant['status']): Promise<Tenant>
  /** Adds origins that are missing. */
  allowOrigins(origins: readonly string[]): Promise<void>
  children(): Promise<readonly Tenant[]>
}

export interface Tenants {
  bySlug(slug: string): Promise<Tenant | undefined>
  byId(id: TenantId): Promise<Tenant | undefined>
  all(): Promise<readonly Tenant[]>
  /** `invalid` for values out of shape, `conflict` for a slug that is taken. */
  create(tenant: NewTenant): Promise<Tenant>
  /** With a slug made of the name; where that is taken, with a number after it. */
  createNamed(tenant: Omit<NewTenant, 'slug'>): Promise<Tenant>
  setStatus(id: TenantId, status: Tenant['status']): Promise<Tenant>
  /** The ids among these that exist and are active: one indexed query for any number. */
  active(ids: readonly string[]): Promise<ReadonlySet<string>>
  of(id: TenantId): ScopedTenant
}

/** Each is one attempt to insert. */
const maxNamesakes = 500

export const tenantCollections: readonly CollectionSpec[] = [tenantStore.spec]

export function createTenants(deps: { readonly db: Db }): Tenants {
  const store = tenantStore.open(deps.db)
  const found = (tenant: Tenant | undefined): Tenant => {
    if (tenant === undefined) throw new Problem('not_found')
    return tenant
  }
  const setStatus = async (id: TenantId, status: Tenant['status']) => found(await store.change(id, { status }))
  return {
    bySlug: (slug) => store.bySlug(slug),
    byId: (id) => store.byId(id),
    all: () => store.all(),
    async create(input) {
      const tenant = await store.insert(valid(newTenant, input))
      if (tenant === undefined) throw new Problem('conflict', 'This slug is taken.')
      return tenant
    },
    async createNamed(input) {
      const slug = slugOf(input.name, 'tenant')
      for (let nth = 1; nth <= maxNamesakes; nth++) {
        const tenant = await store.insert(valid(newTenant, { ...input, slug: numberedSlug(slug, nth) }))
        if (tenant !== undefined) return tenant
      }
      throw new Problem('conflict', 'Too many tenants have this name.')
    },
    setStatus,
    active: (ids) => store.active(ids),
    of: (id) => ({
      get: async () => found(await store.byId(id)),
      change: async (change) => {
        valid(tenantChange, change)
        return found(await store.change(id, change))
      },
      setStatus: (status) => setStatus(id, status),
      async allowOrigins(origins) {
        const wrong = origins.find((origin) => !isOrigin(origin))
        if (wrong !== undefined) throw new Problem('invalid', `Not an exact origin: ${wrong.slice(0, 80)}`)
        await store.addOrigins(id, origins)
      },
      children: () => store.children(id),
    }),
  }
}

function valid<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const parse = schema.safeParse(input)
  if (parse.success) return parse.data
  const issues = parse.error.issues.map((each) => ({ path: each.path.map(String).join('.'), message: each.message }))
  throw new Problem('invalid', 'The tenant has a wrong value.', { issues })
}
