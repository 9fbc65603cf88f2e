// The composition root: the only file that knows every slice. What comes back (a voice, a finished session) is joined here.

import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { agentCollections, type Brief, createAgents } from './agents/agents.ts'
import type { Config } from './config.ts'
import { createCascade } from './engines/cascade/cascade.ts'
import { createDemo, createHoldingLine } from './engines/demo/demo.ts'
import { createVoice, type Voice } from './engines/demo/voice.ts'
import type { EngineFactory, OpenSteady } from './engines/engines.ts'
import { createGeminiLive } from './engines/gemini-live/gemini-live.ts'
import { createOpenAiLive } from './engines/openai-live/openai-live.ts'
import { createOpenAiRealtime } from './engines/openai-realtime/openai-realtime.ts'
import { createEngines } from './engines/registry.ts'
import { createSteady } from './engines/steady/steady.ts'
import { needsKey } from './engines/upstream/address.ts'
import { createEntities, entityCollections } from './entities/entities.ts'
import { entityRoutes } from './entities/routes.ts'
import { createHttp, type HttpDeps } from './http/http.ts'
import { createIdentity, identityCollections } from './identity/identity.ts'
import { identityRoutes } from './identity/routes.ts'
import { createJobs } from './jobs/jobs.ts'
import { createKnowledge, knowledgeCollections } from './knowledge/knowledge.ts'
import { createLedger, ledgerCollections } from './ledger/ledger.ts'
import { createLegs, type Legs } from './legs/legs.ts'
import { clientSecretRoutes } from './legs/realtime/client-secrets.ts'
import { createBus } from './platform/bus.ts'
import { type Clock, systemClock } from './platform/clock.ts'
import { isOwnOrigin } from './platform/http.ts'
import { newId } from './platform/ids.ts'
import { createLog, type Log } from './platform/log.ts'
import type { MongoOptions } from './platform/mongo.ts'
import { type Seeded, seedDemo } from './seed/seed.ts'
import { sessionRoutes } from './sessions/routes.ts'
import { createSessions, sessionCollections } from './sessions/sessions.ts'
import { openSecret, openStores, StartError, type Stores } from './stores.ts'
import { tenantRoutes } from './tenants/routes.ts'
import { createTenants, tenantCollections } from './tenants/tenants.ts'
import { createTools, toolCollections } from './tools/tools.ts'
import { createTranscript, openWal, transcriptCollections, type Wal } from './transcript/transcript.ts'
import { usageRoutes } from './usage/routes.ts'
import { createUsage, usageCollections } from './usage/usage.ts'

const collections = [
  ...tenantCollections,
  ...agentCollections,
  ...identityCollections,
  ...knowledgeCollections,
  ...entityCollections,
  ...toolCollections,
  ...transcriptCollections,
  ...ledgerCollections,
  ...usageCollections,
  ...sessionCollections,
]

/** What tests exchange. */
export interface Outside {
  readonly clock: Clock
  readonly log: Log
  /** Sees every command that goes to the truth store. */
  readonly onCommand?: MongoOptions['onCommand']
}

export interface App extends AsyncDisposable {
  readonly slices: Slices
  readonly stores: Stores
  /** Seeds, listens, starts the jobs. */
  start(): Promise<Started>
  /** Ends the sessions, then the jobs, then the stores. */
  drain(): Promise<void>
}

export interface Started {
  readonly port: number
  readonly url: string
  /** Shown once, at the first start of a data folder. */
  readonly demoApiKey: string | undefined
  readonly signInUrl: string
  /** What is on or off, and why. */
  readonly integrations: readonly string[]
}

export type Slices = ReturnType<typeof createSlices>

function createSlices(
  config: Config,
  stores: Stores,
  outside: Outside & { readonly secret: Buffer; readonly wal?: Wal },
) {
  const { clock, log, secret, wal } = outside
  const nodeId = newId('node')
  const { db } = stores.mongo
  const { redis } = stores.redis
  const bus = createBus({ redis, nodeId, log, clock })
  const tenants = createTenants({ db })
  const agents = createAgents({ db, tenants })
  const identity = createIdentity({ db, tenants, agents, clock, secret, publicUrl: publicUrl(config) })
  const knowledge = createKnowledge({ db })
  const entities = createEntities({ db })
  const tools = createTools({ db, entities, knowledge, log, clock })
  const transcript = createTranscript({ db, clock, log, ...(wal === undefined ? {} : { wal }) })
  const ledger = createLedger({ db, clock })
  const usage = createUsage({ db, redis, ledger, clock, log })
  const voice = createVoice({ log })
  const openEngine = createSteady({ clock, log, random: Math.random, holdingLine: createHoldingLine(voice) })
  const factories = engineFactories(config, { clock, log, knowledge, voice, openEngine })
  const engines = createEngines(factories, { clock, log, forced: config.PARLEY_ENGINE })
  const sessions = createSessions({
    db,
    clock,
    log,
    nodeId,
    bus,
    openBus: (channel) => createBus({ redis, nodeId: channel, log, clock }),
    // The in-process Redis reaches nobody else.
    hasPeers: stores.redis.kind !== 'embedded',
    drainMs: config.PARLEY_DRAIN_SECONDS * 1000,
    transcript,
    usage,
    ledger,
    tools,
    enginesFor: (brief: Brief) => engines.chain(brief.engine, brief.fallbackEngines),
    openEngine,
    notAllowed: (pairs) => identity.stillAllowed(pairs),
    emailHashes: (tenantId, contactIds) => identity.emailHashes(tenantId, contactIds),
  })
  return { tenants, agents, identity, knowledge, entities, tools, transcript, ledger, usage, engines, sessions, bus }
}

function engineFactories(
  config: Config,
  deps: Outside & Parameters<typeof createDemo>[0] & { readonly voice: Voice; readonly openEngine: OpenSteady },
): EngineFactory[] {
  const openai = createOpenAiRealtime({
    apiKey: config.OPENAI_API_KEY,
    baseUrl: config.OPENAI_BASE_URL,
    defaultModel: config.OPENAI_REALTIME_MODEL,
    transcriptionModel: config.OPENAI_TRANSCRIPTION_MODEL,
    log: deps.log,
    clock: deps.clock,
  })
  const gemini = createGeminiLive({
    apiKey: config.GEMINI_API_KEY,
    baseUrl: config.GEMINI_BASE_URL,
    defaultModel: config.GEMINI_LIVE_MODEL,
    log: deps.log,
    clock: deps.clock,
  })
  const demo = createDemo(deps)
  return [
    openai,
    liveFactory(config, deps, openai.off === undefined ? openai : demo),
    gemini,
    createCascade({ ...deps, plan: config.cascade }),
    demo,
  ]
}

/** GPT-Live, with an engine of ours at work behind the voice. */
function liveFactory(
  config: Config,
  deps: Outside & { readonly openEngine: OpenSteady },
  behind: EngineFactory,
): EngineFactory {
  const backendModel = config.OPENAI_LIVE_RESPONSES_MODEL
  return createOpenAiLive({
    apiKey: config.OPENAI_API_KEY,
    baseUrl: config.OPENAI_LIVE_BASE_URL ?? config.OPENAI_BASE_URL,
    isOffered: config.OPENAI_LIVE_BASE_URL !== undefined || needsKey(config.OPENAI_BASE_URL),
    defaultModel: config.OPENAI_LIVE_MODEL,
    ...(backendModel === undefined ? {} : { backendModel }),
    // It outlives the connections of its provider, as the voice in front of it does.
    desk: {
      model: behind.defaultModel,
      open: (options, history) => deps.openEngine({ ...options, factories: [behind], history }),
    },
    log: deps.log,
    clock: deps.clock,
  })
}

/** Throws StartError when a store cannot be used. */
export async function createApp(config: Config, overrides: Partial<Outside> = {}): Promise<App> {
  const clock = overrides.clock ?? systemClock
  const log = overrides.log ?? createLog(config.LOG_LEVEL)
  const stores = await openStores(config, { log, collections, onCommand: overrides.onCommand })
  const wal = await openLog(config, { clock, log })
  const slices = createSlices(config, stores, { clock, log, wal, secret: await openSecret(config) })
  const jobs = createJobs({ clock, log, ...slices })
  const legs = createLegs({
    ...slices,
    clock,
    log,
    consoleOrigins: ({ headers }) => isOwnOrigin(headers.origin, headers.host),
    joined: new Map(),
    webrtc: config.webrtc,
    livekit: config.livekit,
  })
  let demo: Seeded | undefined
  const http = createAppHttp(config, { ...slices, stores, clock, log, legs, demo: () => demo })
  const drain = async (): Promise<void> => {
    await slices.sessions.drain()
    await jobs.drain()
    await legs.close()
    await http.close()
    await slices.ledger.flush().catch((error: unknown) => log.warn({ err: error }, 'outbox not flushed'))
    await slices.bus.close()
    await wal.close()
    await stores.close()
  }
  return {
    slices,
    stores,
    drain,
    async start() {
      const port = await http.listen(config.PORT, config.HOST).catch((error: unknown) => {
        throw new StartError(
          `Port ${config.PORT} of ${config.HOST} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
        )
      })
      const url = publicUrl({ ...config, PORT: port }).replace(/\/$/, '')
      const seed = { ...slices, origins: ownOrigins(url, port), apiKey: config.PARLEY_DEMO_API_KEY }
      if (config.PARLEY_DEMO) demo = await seedDemo(seed)
      const { token } = await slices.identity.createSignInToken()
      // The first script loads the in-process Lua: 35 ms that no visitor should meet.
      await stores.redis.redis.eval('return 1', [], []).catch(() => undefined)
      slices.sessions.start()
      jobs.start()
      return {
        port,
        url,
        demoApiKey: demo?.apiKey,
        signInUrl: `${url}/console/sign-in#token=${token}`,
        integrations: integrations(config, slices, stores),
      }
    },
    [Symbol.asyncDispose]: drain,
  }
}

async function openLog(config: Config, outside: Pick<Outside, 'clock' | 'log'>): Promise<Wal> {
  try {
    return await openWal({ dir: join(config.dataDir, 'wal'), ...outside })
  } catch (error) {
    throw new StartError(`The folder ${config.PARLEY_DATA_DIR} cannot be used: ${String(error)}`)
  }
}

/** Issuer of the visitors' tokens: must not change with the port a test happens to get. */
function publicUrl(config: Config): string {
  return config.PUBLIC_URL ?? `http://localhost:${config.PORT}`
}

function createAppHttp(
  config: Config,
  deps: Slices &
    Outside & {
      readonly stores: Stores
      readonly legs: Legs
      readonly demo: () => Seeded | undefined
    },
): ReturnType<typeof createHttp> {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..')
  const { identity, tenants, stores } = deps
  return createHttp({
    clock: deps.clock,
    log: deps.log,
    identity,
    tenants,
    trustedProxies: config.PARLEY_TRUSTED_PROXIES,
    routes: [
      ...identityRoutes({ identity, publicUrl: publicUrl(config) }),
      ...clientSecretRoutes(deps),
      ...tenantRoutes({ tenants, agentsOf: (tenantId) => deps.agents.of(tenantId).views() }),
      ...sessionRoutes(deps),
      ...deps.legs.routes,
      ...usageRoutes(deps),
      ...entityRoutes({
        ...deps,
        tenantIdOf: async (slug) => {
          const tenant = await tenants.bySlug(slug)
          return tenant?.status === 'active' ? tenant.id : undefined
        },
      }),
    ],
    site: {
      widgetDir: join(root, 'widget', 'dist'),
      consoleDir: join(root, 'console', 'dist'),
      frameAncestors: (key) => identity.pagesOf(key),
      demoTenants: () => demoTenants(deps),
    },
    health: async () => {
      const [truth, redis] = await Promise.all([stores.mongo.ping(1_000), stores.redis.ping()])
      const checks = { mongodb: truth ? 'ok' : 'unreachable', redis: redis ? 'ok' : 'unreachable' }
      return {
        ready: truth && redis && !deps.sessions.draining,
        checks: { ...checks, sessions: String(deps.sessions.liveCount), calls: String(deps.legs.callCount) },
      }
    },
    allowKey: async (tenantId, keyId) => {
      const plan = (await tenants.byId(tenantId))?.plan
      if (plan === undefined) return undefined
      const answer = await deps.usage.allowRequest({ tenantId, plan, keyId, ip: undefined })
      return answer.is === 'refused' ? answer : undefined
    },
    upgrade: deps.legs.upgrade,
  })
}

/** Pages of the gateway's own that carry the widget. */
function ownOrigins(url: string, port: number): string[] {
  return [...new Set([new URL(url).origin, `http://localhost:${port}`, `http://127.0.0.1:${port}`])]
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

function integrations(config: Config, slices: Slices, stores: Stores): string[] {
  return [
    stores.truth === 'embedded'
      ? `truth store: embedded in ${config.PARLEY_DATA_DIR} (set MONGODB_URI for MongoDB)`
      : 'truth store: MongoDB',
    stores.redis.kind === 'embedded'
      ? 'redis: in-process (set REDIS_URL or UPSTASH_REDIS_REST_URL to share it)'
      : `redis: ${stores.redis.kind}`,
    ...slices.engines.all.map(
      (engine) => `engine ${engine.kind}: ${engine.off === undefined ? 'on' : `off, ${engine.off}`}`,
    ),
    config.livekit === undefined ? 'livekit: off, no LIVEKIT_URL' : 'livekit: on',
    config.WEBRTC ? 'calls over WebRTC: on' : 'calls over WebRTC: off, WEBRTC=false',
    config.PARLEY_DEMO ? 'demo tenants: on' : 'demo tenants: off, PARLEY_DEMO=false',
  ]
}

/** The slices without a server, for a script's process. */
async function openSlices(config: Config): Promise<{ slices: Slices; close(): Promise<void> }> {
  const log = createLog(config.LOG_LEVEL)
  const stores = await openStores(config, { log, collections })
  const slices = createSlices(config, stores, { clock: systemClock, log, secret: await openSecret(config) })
  return {
    slices,
    async close() {
      // A subscription left open would keep the script's process for ever.
      await slices.bus.close()
      await stores.close()
    },
  }
}

/** The janitor alone. Throws StartError when a store cannot be used. */
export async function createJanitor(
  config: Config,
): Promise<AsyncDisposable & { run(): ReturnType<Slices['sessions']['closeStale']> }> {
  const { slices, close } = await openSlices(config)
  return {
    async run() {
      const report = await slices.sessions.closeStale()
      await slices.ledger.flush()
      return report
    },
    [Symbol.asyncDispose]: close,
  }
}

/** The replay of the ledger alone. Throws StartError when a store cannot be used. */
export async function createLedgerCheck(
  config: Config,
): Promise<AsyncDisposable & { run(): ReturnType<Slices['ledger']['reconcile']> }> {
  const { slices, close } = await openSlices(config)
  return { run: () => slices.ledger.reconcile(), [Symbol.asyncDispose]: close }
}

/** The demo's seed alone. Throws StartError when a store cannot be used. */
export async function createSeeder(config: Config): Promise<AsyncDisposable & { run(): ReturnType<typeof seedDemo> }> {
  const { slices, close } = await openSlices(config)
  return {
    run: () =>
      seedDemo({ ...slices, origins: ownOrigins(publicUrl(config), config.PORT), apiKey: config.PARLEY_DEMO_API_KEY }),
    [Symbol.asyncDispose]: close,
  }
}
