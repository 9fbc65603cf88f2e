// The HTTP server: serves the slices' route tables, the two front ends, health, and hands upgrades on.
// Owns authentication of requests, CSRF, sizes, rates and error bodies; knows no slice's business.

import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import { secureHeaders } from 'hono/secure-headers'
import type { Identity } from '../identity/identity.ts'
import type { Clock } from '../platform/clock.ts'
import type { Door, RequestFacts, Route } from '../platform/http.ts'
import { newId, type TenantId } from '../platform/ids.ts'
import type { Log } from '../platform/log.ts'
import { asProblem, Problem } from '../platform/problem.ts'
import type { ProblemCode } from '../protocol/codes.ts'
import type { Tenants } from '../tenants/tenants.ts'
import { authenticate, type Caller } from './auth.ts'
import { clientIp, RateLimit } from './caller.ts'
import { discard } from './discard.ts'
import { type AskInside, createInside } from './inside.ts'
import { type NotedDeps, noteRefusal, noting } from './noted.ts'
import { withOwnRoutes } from './own-routes.ts'
import { serveRoute } from './serve-route.ts'
import { type Site, siteRoutes } from './site.ts'

export type { Change } from './noted.ts'

export interface HttpDeps {
  readonly clock: Clock
  readonly log: Log
  readonly identity: Identity
  readonly tenants: Tenants
  readonly routes: readonly Route[]
  /** WebSockets that `upgrade` opens, for the API document. */
  readonly doors: readonly Door[]
  readonly version: string
  readonly site: Site
  /** Proxies in front whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: number
  /** Multiplies how often one address may ask. */
  readonly rateFactor: number
  readonly health: () => Promise<{ readonly ready: boolean; readonly checks: Readonly<Record<string, string>> }>
  /** Counts a request against what the key's tenant may do; undefined: it may. */
  readonly allowKey: (
    tenantId: TenantId,
    keyId: string,
  ) => Promise<{ readonly code: ProblemCode; readonly retryAfterMs: number } | undefined>
  /** For tests and development: an answer that is not what its route declares is an internal error. */
  readonly checkReplies: boolean
  /** Told of every change that was made by HTTP in a tenant, before its answer goes out. */
  readonly onChange?: NotedDeps['onChange'] | undefined
  /** Whether this gateway has sent the request itself: a tool would call the agent that calls it. */
  readonly isOwn: (header: (name: string) => string | undefined) => boolean
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer, ip: string) => boolean
}

export interface Http {
  /** Everything that is served, apart from files and WebSockets. */
  readonly routes: readonly Route[]
  readonly server: Server
  /** For tools of the gateway itself. */
  readonly askInside: AskInside
  /** Resolves with the port bound. */
  listen(port: number, host: string): Promise<number>
  close(): Promise<void>
}

type Env = { Bindings: HttpBindings }

/** Bodies of the JSON API; uploads get their own route when they come. */
const maxBodyBytes = 256 * 1024

export function createHttp(deps: HttpDeps): Http {
  const app = new Hono<Env>()
  app.use(
    secureHeaders({
      crossOriginResourcePolicy: false,
      crossOriginOpenerPolicy: false,
      xFrameOptions: false,
      strictTransportSecurity: false,
    }),
  )
  app.onError((thrown, context) => problemReply(deps, context, { thrown }))
  app.notFound((context) => problemReply(deps, context, { thrown: new Problem('not_found') }))
  const routes = withOwnRoutes(deps)
  mountRoutes(app, deps, routes)
  siteRoutes(app, deps.site)
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, getRequestListener(app.fetch))
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy())
    const ip = clientIp(request, deps.trustedProxies)
    if (!deps.upgrade(request, socket, head, ip))
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  })
  return {
    routes,
    server,
    askInside: createInside(routes),
    listen: (port, host) =>
      new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, host, () => {
          const address = server.address()
          resolve(typeof address === 'object' && address !== null ? address.port : port)
        })
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections()
        // Keep-alive connections in use get a moment; a restart must not wait for a browser.
        setTimeout(() => server.closeAllConnections(), 1_000).unref()
      }),
  }
}

function mountRoutes(app: Hono<Env>, deps: HttpDeps, routes: readonly Route[]): void {
  const { clock, rateFactor: factor } = deps
  const limits = {
    public: new RateLimit(clock, 120 * factor, 2 * factor),
    authorised: new RateLimit(clock, 600 * factor, 20 * factor),
  }
  const limited = (maxSize: number) =>
    bodyLimit({
      maxSize,
      onError: async (context: Context<Env>) => {
        await discard(context.req.raw)
        throw new Problem('too_large')
      },
    })
  const recording = { ...deps, audit: deps.identity.audit }
  const serve = async (each: Route, context: Context<Env>): Promise<Response> => {
    const facts = requestFacts(context, deps.trustedProxies)
    const limit = each.access === 'public' && each.busy !== true ? limits.public : limits.authorised
    const waitMs = each.path.startsWith('/health') ? 0 : limit.take(facts.ip)
    if (waitMs > 0) throw new Problem('too_many', undefined, { retryAfterMs: waitMs })
    if (deps.isOwn(facts.header))
      throw new Problem('address_refused', 'The gateway does not ask itself over the network.')
    const params = context.req.param()
    const caller = await authenticate(deps, { route: each, facts, params, tenantSlug: context.req.query('tenant') })
    const noted = { route: each, facts, caller, params }
    if (caller.refused !== undefined) {
      await noteRefusal(recording, noted)
      throw caller.refused
    }
    await allowed(deps, caller)
    const { checkReplies } = deps
    return serveRoute(each, { context, facts, caller, checkReplies, noted: noting(recording, noted) })
  }
  for (const each of routes) {
    // The credential is in the request, never a cookie, and a token says itself which page it is for.
    if (each.stock === true || each.visitors === true)
      app.use(
        each.path,
        cors({ origin: '*', exposeHeaders: ['location', 'x-parley-media', 'x-parley-resume'], maxAge: 600 }),
      )
    app.on(each.method, [each.path], limited(each.maxBytes ?? maxBodyBytes), async (context) => {
      try {
        return await serve(each, context)
      } catch (thrown) {
        return problemReply(deps, context, { thrown, route: each })
      }
    })
  }
}

/** A key may ask as often as its tenant's plan says; an operator at a console is held by the address alone. */
async function allowed({ allowKey }: HttpDeps, { tenantId, actor }: Caller): Promise<void> {
  if (tenantId === undefined || actor?.kind !== 'key') return
  const refusal = await allowKey(tenantId, actor.id)
  if (refusal !== undefined) throw new Problem(refusal.code, undefined, { retryAfterMs: refusal.retryAfterMs })
}

function requestFacts(context: Context<Env>, trustedProxies: number): RequestFacts {
  return {
    ip: clientIp(context.env.incoming, trustedProxies),
    origin: context.req.header('origin'),
    userAgent: context.req.header('user-agent') ?? '',
    header: (name) => context.req.header(name),
  }
}

function problemReply(
  deps: HttpDeps,
  context: Context<Env>,
  { thrown, route }: { readonly thrown: unknown; readonly route?: Route },
): Response {
  const problem = asProblem(thrown)
  const id = newId('err')
  const { level } = problem.kind
  deps.log[level](
    { id, code: problem.code, path: context.req.path, ...(level === 'error' ? { err: problem.cause ?? problem } : {}) },
    'request refused',
  )
  const retry = problem.details.retryAfterMs
  const headers = {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    ...(retry === undefined ? {} : { 'retry-after': String(Math.ceil(retry / 1000)) }),
  }
  const stock = route?.stock === true ? { type: errorType(problem), param: paramOf(problem) } : {}
  return new Response(JSON.stringify({ error: { ...stock, ...problem.body(level === 'error' ? id : undefined) } }), {
    status: problem.kind.http,
    headers,
  })
}

/** The field an error is about, as the original's API names it. */
function paramOf({ details: { param, issues } }: Problem): string | null {
  return param ?? issues?.[0]?.path.replace(/^(body|query|path)\./, '') ?? null
}

/** As the original's API sorts its errors. */
function errorType({ kind }: Problem): string {
  if (kind.http >= 500) return 'server_error'
  return kind.http === 429 ? 'rate_limit_error' : 'invalid_request_error'
}
