// The application: opens the stores, makes the slices, listens, drains. Scripts get the slices without a server.

import { join } from 'node:path'
import type { Config } from './config.ts'
import { createJobs } from './jobs/jobs.ts'
import { createLegs } from './legs/legs.ts'
import { systemClock } from './platform/clock.ts'
import { isOwnOrigin, type Route } from './platform/http.ts'
import { createLog } from './platform/log.ts'
import { createAppHttp } from './routes.ts'
import { type Seeded, seedDemo } from './seed/seed.ts'
import { collections, createSlices, type Outside, publicUrl, type Slices } from './slices.ts'
import { openKeys, openStores, StartError, type Stores } from './stores.ts'
import { openWal, type Wal } from './transcript/transcript.ts'

export interface App extends AsyncDisposable {
  readonly slices: Slices
  readonly stores: Stores
  /** Everything served over HTTP, apart from files. */
  readonly routes: readonly Route[]
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

/** Throws StartError when a store cannot be used. */
export async function createApp(config: Config, overrides: Partial<Outside> = {}): Promise<App> {
  const clock = overrides.clock ?? systemClock
  const log = overrides.log ?? createLog(config.LOG_LEVEL)
  const stores = await openStores(config, { log, collections, onCommand: overrides.onCommand })
  const wal = await openLog(config, { clock, log })
  let listening: number | undefined
  const slices = createSlices(config, stores, {
    ...{ ...overrides, clock, log, wal, ...(await openKeys(config)) },
    port: () => listening,
    askInside: (path, auth) => http.askInside(path, auth),
  })
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
    await Promise.all([slices.sessions.drain(), slices.chat.drain(config.PARLEY_DRAIN_SECONDS * 1000)])
    await slices.knowledge.drain()
    await jobs.drain()
    await slices.approvals.drain(config.PARLEY_DRAIN_SECONDS * 1000)
    await legs.close()
    await http.close()
    await Promise.all([slices.mcp.drain(), slices.webhooks.drain()])
    await slices.ledger.flush().catch((error: unknown) => log.warn({ err: error }, 'outbox not flushed'))
    await slices.bus.close()
    await wal.close()
    await stores.close()
  }
  return {
    slices,
    stores,
    routes: http.routes,
    drain,
    async start() {
      await slices.agents.moveStored()
      const port = await http.listen(config.PORT, config.HOST).catch((error: unknown) => {
        throw new StartError(
          `Port ${config.PORT} of ${config.HOST} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
        )
      })
      listening = port
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

/** Pages of the gateway's own that carry the widget. */
function ownOrigins(url: string, port: number): string[] {
  return [...new Set([new URL(url).origin, `http://localhost:${port}`, `http://127.0.0.1:${port}`])]
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
    config.ANTHROPIC_API_KEY === undefined
      ? 'models of Anthropic: off, no ANTHROPIC_API_KEY'
      : 'models of Anthropic: on',
    config.TOOL_EXECUTOR_URL === undefined
      ? 'tools of a tenant’s own code: off, no TOOL_EXECUTOR_URL and TOOL_EXECUTOR_SECRET'
      : `tools of a tenant’s own code: by the executor at ${new URL(config.TOOL_EXECUTOR_URL).host}`,
    config.RESEND_API_KEY === undefined && config.SENDGRID_API_KEY === undefined
      ? 'e-mail: of tenants with a provider of their own; the rest is only written down (RESEND_API_KEY or SENDGRID_API_KEY)'
      : `e-mail: on, by ${config.RESEND_API_KEY === undefined ? 'SendGrid' : 'Resend'} for tenants without a provider`,
    ...signInLines(config),
    config.livekit === undefined ? 'livekit: off, no LIVEKIT_URL' : 'livekit: on',
    config.WEBRTC ? 'calls over WebRTC: on' : 'calls over WebRTC: off, WEBRTC=false',
    config.PARLEY_DEMO ? 'demo tenants: on' : 'demo tenants: off, PARLEY_DEMO=false',
  ]
}

function signInLines({ outside, OIDC_ISSUER }: Config): string[] {
  const { clerkIssuer, clerkWebhookSecret } = outside
  if (clerkIssuer === undefined)
    return [
      'sign-in by Clerk: off, no CLERK_JWT_ISSUER_DOMAIN',
      ...(OIDC_ISSUER === undefined ? [] : [`sign-in by ${OIDC_ISSUER}: on`]),
    ]
  return [
    `sign-in by Clerk (${clerkIssuer}): on`,
    clerkWebhookSecret === undefined
      ? 'webhooks of Clerk: off, no CLERK_WEBHOOK_SECRET: people removed there stay in here'
      : 'webhooks of Clerk: on',
    ...(OIDC_ISSUER === undefined ? [] : [`sign-in by ${OIDC_ISSUER}: on`]),
  ]
}

/** The slices without a server, for a script's process. */
async function openSlices(config: Config): Promise<{ slices: Slices; close(): Promise<void> }> {
  const log = createLog(config.LOG_LEVEL)
  const stores = await openStores(config, { log, collections })
  const slices = createSlices(config, stores, { clock: systemClock, log, ...(await openKeys(config)) })
  return {
    slices,
    async close() {
      // A subscription left open would keep the script's process for ever.
      await slices.bus.close()
      await slices.knowledge.drain()
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

/** The exchange of the keys of secrets alone. Throws StartError when a store cannot be used. */
export async function createSecretRotation(
  config: Config,
): Promise<AsyncDisposable & { run(): Promise<{ readonly wrapped: number; readonly tenants: number }> }> {
  const { slices, close } = await openSlices(config)
  return {
    async run() {
      const { secrets } = slices.identity
      const wrapped = await secrets.rewrap()
      const tenants = await slices.tenants.all()
      for (const { id } of tenants) await secrets.of(id).rotate()
      return { wrapped, tenants: tenants.length }
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
    async run() {
      await slices.agents.moveStored()
      const origins = ownOrigins(publicUrl(config), config.PORT)
      return seedDemo({ ...slices, origins, apiKey: config.PARLEY_DEMO_API_KEY })
    },
    [Symbol.asyncDispose]: close,
  }
}
