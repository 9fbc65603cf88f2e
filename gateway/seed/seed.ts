// Fills an empty gateway with three demo tenants, so that it can be talked to at once. Running it again changes nothing:
// what exists is left as its owner made it.

import type { Agents } from '../agents/agents.ts'
import type { Entities } from '../entities/entities.ts'
import type { Identity } from '../identity/identity.ts'
import type { Knowledge } from '../knowledge/knowledge.ts'
import type { TenantLedger } from '../ledger/ledger.ts'
import type { TenantId } from '../platform/ids.ts'
import type { Tenant, Tenants } from '../tenants/tenants.ts'
import type { Tools } from '../tools/tools.ts'
import { type DemoTenant, demoTenants, sharedPrompt } from './plan.ts'

export interface SeedDeps {
  readonly tenants: Tenants
  readonly agents: Agents
  readonly identity: Identity
  readonly knowledge: Knowledge
  readonly entities: Entities
  readonly tools: Tools
  readonly ledger: { of(tenantId: TenantId): Pick<TenantLedger, 'post'> }
  /** Pages that may show the demo widgets. */
  readonly origins: readonly string[]
  /** The demo API key; without it one is made and told once. */
  readonly apiKey?: string | undefined
}

export interface Seeded {
  readonly tenants: readonly {
    readonly id: TenantId
    readonly slug: string
    readonly agent: string
    readonly siteKey: string
  }[]
  /** Of tenant `productco`. Missing when it was told at an earlier run. */
  readonly apiKey?: string
}

/** 10,000 credits. */
const grantMicro = 10_000 * 1_000_000
const apiKeyLabel = 'Demo'

export async function seedDemo(deps: SeedDeps): Promise<Seeded> {
  await deps.agents.putSharedPrompt(0, sharedPrompt)
  const seeded: Seeded['tenants'][number][] = []
  for (const demo of demoTenants) {
    const tenant = await tenantOf(deps.tenants, demo)
    await fill(deps, tenant.id, demo)
    seeded.push({ id: tenant.id, slug: tenant.slug, agent: demo.agent.slug, siteKey: demo.siteKey })
  }
  const productco = seeded.find((each) => each.slug === 'productco')
  const apiKey = productco === undefined ? undefined : await demoApiKey(deps, productco.id)
  return { tenants: seeded, ...(apiKey === undefined ? {} : { apiKey }) }
}

async function tenantOf(tenants: Tenants, demo: DemoTenant): Promise<Tenant> {
  return (await tenants.bySlug(demo.tenant.slug)) ?? (await tenants.create(demo.tenant))
}

async function fill(deps: SeedDeps, tenantId: TenantId, demo: DemoTenant): Promise<void> {
  await deps.tenants.of(tenantId).allowOrigins(deps.origins)
  const agents = deps.agents.of(tenantId)
  const agent = (await agents.bySlug(demo.agent.slug)) ?? (await agents.create(demo.agent))
  if (agent.live === undefined) await agents.publish(agent.id)
  await deps.knowledge.of(tenantId).put(demo.answers)
  await deps.tools.of(tenantId).put(demo.tools)
  const entities = deps.entities.of(tenantId)
  const { product, event, speaker, session } = demo.records
  await entities.put('product', product ?? [])
  await entities.put('event', event ?? [])
  await entities.put('speaker', speaker ?? [])
  await entities.put('session', session ?? [])
  await deps.identity.createSiteKey(tenantId, { label: 'Demo page', agentSlug: demo.agent.slug, key: demo.siteKey })
  await deps.ledger.of(tenantId).post({
    key: `seed:${demo.tenant.slug}`,
    kind: 'grant',
    amountMicro: grantMicro,
    note: 'Demo credits',
  })
}

/** The raw key when it is new or was given; undefined when one was told before. */
async function demoApiKey(deps: SeedDeps, tenantId: TenantId): Promise<string | undefined> {
  if (deps.apiKey !== undefined)
    return (await deps.identity.createApiKey(tenantId, apiKeyLabel, { raw: deps.apiKey })).raw
  const known = (await deps.identity.apiKeys(tenantId)).some((key) => key.label === apiKeyLabel)
  return known ? undefined : (await deps.identity.createApiKey(tenantId, apiKeyLabel)).raw
}
