// The gateway's HTTP: the slices' route tables joined with what they need of each other, the front ends, health.

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { agentRoutes } from './agents/routes.ts'
import { agentView } from './agents/views.ts'
import { openAiRoutes, openAiStores } from './chat/openai/routes.ts'
import { chatRoutes } from './chat/routes.ts'
import type { Config } from './config.ts'
import { textModelRoutes } from './engines/text/routes.ts'
import { productRoutes } from './entities/product-routes.ts'
import { recordRoutes } from './entities/record-routes.ts'
import { entityRoutes } from './entities/routes.ts'
import { entityTypeRoutes } from './entities/type-routes.ts'
import { eventRoutes } from './events/routes.ts'
import { executionRoutes } from './executions/routes.ts'
import { type Change, createHttp, type HttpDeps } from './http/http.ts'
import { contactRoutes } from './identity/contact-routes.ts'
import { identityRoutes } from './identity/routes.ts'
import { knowledgeRoutes } from './knowledge/routes.ts'
import { doors, type Legs } from './legs/legs.ts'
import { clientSecretRoutes } from './legs/realtime/client-secrets.ts'
import { objectRoutes } from './objects/routes.ts'
import { found } from './platform/problem.ts'
import type { Seeded } from './seed/seed.ts'
import { sessionRoutes } from './sessions/routes.ts'
import { type Outside, publicUrl, type Slices } from './slices.ts'
import type { Stores } from './stores.ts'
import { tenantRoutes } from './tenants/routes.ts'
import { approvalRoutes } from './tools/approvals/routes.ts'
import { effectRoutes } from './tools/effect-routes.ts'
import { toolDraftRoutes } from './tools/http/draft-routes.ts'
import { toolTrialRoutes } from './tools/http/trial-routes.ts'
import { mcpRoutes } from './tools/mcp/routes.ts'
import { toolRoutes } from './tools/routes.ts'
import { conversationRoutes } from './transcript/routes.ts'
import { usageRoutes } from './usage/routes.ts'
import { webhookRoutes } from './webhooks/routes.ts'

export function createAppHttp(
  config: Config,
  deps: Slices &
    Outside & {
      readonly stores: Stores
      readonly legs: Legs
      readonly demo: () => Seeded | undefined
    },
): ReturnType<typeof createHttp> {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..')
  const { identity, tenants } = deps
  return createHttp({
    ...{ clock: deps.clock, log: deps.log, identity, tenants },
    trustedProxies: config.PARLEY_TRUSTED_PROXIES,
    rateFactor: config.PARLEY_RATE_FACTOR,
    routes: [
      ...identityRoutes({ identity, tenants, publicUrl: publicUrl(config) }),
      ...clientSecretRoutes(deps),
      ...tenantRoutes({
        ...{ tenants, agentView },
        agentsOf: (tenantId) => deps.agents.of(tenantId).views(),
        mayChoosePlan: async ({ kind, id }) => kind === 'operator' && (await identity.runsGateway(id)),
      }),
      ...agentRoutes(deps),
      ...textModelRoutes(deps),
      ...objectRoutes(deps),
      ...knowledgeRoutes(deps),
      ...allToolRoutes(deps),
      ...sessionRoutes(deps),
      ...chatRoutes(deps),
      ...conversationRoutes({
        ...deps,
        requireAgent: async ({ tenantId }, agentId) => void found(await deps.agents.of(tenantId).byId(agentId)),
      }),
      ...contactRoutes(deps),
      ...openAiRoutes({ ...deps, ...openAiStores(deps.stores.mongo.db) }),
      ...deps.legs.routes,
      ...usageRoutes(deps),
      ...entityTypeRoutes(deps),
      ...productRoutes(deps),
      ...recordRoutes(deps),
      ...eventRoutes(deps),
      ...executionRoutes(deps),
      ...approvalRoutes(deps),
      ...effectRoutes(deps),
      ...entityRoutes({
        ...deps,
        tenantIdOf: async (slug) => {
          const tenant = await tenants.bySlug(slug)
          return tenant?.status === 'active' ? tenant.id : undefined
        },
      }),
    ],
    doors,
    version: versionOf(root),
    site: {
      ...builtIn(root),
      frameAncestors: (key) => identity.pagesOf(key),
      demoTenants: () => demoTenants(deps),
    },
    health: () => healthOf(deps),
    allowKey: async (tenantId, keyId) => {
      const plan = (await tenants.byId(tenantId))?.plan
      if (plan === undefined) return undefined
      const answer = await deps.usage.allowRequest({ tenantId, plan, keyId, ip: undefined })
      return answer.is === 'refused' ? answer : undefined
    },
    checkReplies: config.PARLEY_CHECK_REPLIES,
    onChange: (change) => changeEvent(deps, change),
    isOwn: deps.guard.isOwn,
    upgrade: deps.legs.upgrade,
  })
}

/** A fixed path goes before one with a name in its place. */
const allToolRoutes = (deps: Slices) => [
  ...toolTrialRoutes(deps),
  ...toolDraftRoutes(deps),
  ...toolRoutes(deps),
  ...mcpRoutes(deps),
  ...webhookRoutes(deps),
]

async function healthOf({ stores, sessions, legs }: Slices & { readonly stores: Stores; readonly legs: Legs }) {
  const [truth, redis] = await Promise.all([stores.mongo.ping(1_000), stores.redis.ping()])
  const checks = { mongodb: truth ? 'ok' : 'unreachable', redis: redis ? 'ok' : 'unreachable' }
  return {
    ready: truth && redis && !sessions.draining,
    checks: { ...checks, sessions: String(sessions.liveCount), calls: String(legs.callCount) },
  }
}

const builtIn = (root: string) => ({
  widgetDir: join(root, 'widget', 'dist'),
  consoleDir: join(root, 'console', 'dist'),
  apiDocsDir: join(root, 'api-docs', 'dist'),
})

/** Slices that tell of their changes themselves, with more than a path knows. */
const tellThemselves: ReadonlySet<string> = new Set([
  'approvals',
  'entities',
  'entities-relations',
  'entity-types',
  'events',
])

async function changeEvent({ events }: Slices, { tenantId, actor, resource, action, id, at }: Change): Promise<void> {
  if (tellThemselves.has(resource)) return
  await events.of(tenantId).emit({ type: `${resource}.${action}`, actor, at, payload: id === null ? {} : { id } })
}

function versionOf(root: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return z.object({ version: z.string() }).parse(manifest).version
}

async function demoTenants(
  deps: Slices & { readonly demo: () => Seeded | undefined },
): ReturnType<HttpDeps['site']['demoTenants']> {
  const seeded = deps.demo()?.tenants ?? []
  const found = await Promise.all(seeded.map(async (each) => ({ each, tenant: await deps.tenants.byId(each.id) })))
  return found.flatMap(({ each, tenant }) =>
    tenant?.status === 'active'
      ? [
          {
            slug: each.slug,
            name: tenant.name,
            agent: each.agent,
            key: each.siteKey,
            accent: tenant.brand.accent,
            blurb: tenant.texts.greeting,
          },
        ]
      : [],
  )
}
