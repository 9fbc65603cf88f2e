// The only way out for addresses that a tenant or a model names. Owns what may be asked (SSRF-01 … SSRF-16), how long, how
// much and how many at once. Every request, and every redirect of it, goes to an address that was checked for it.

import { networkInterfaces } from 'node:os'
import { type Clock, systemClock } from '../clock.ts'
import type { TenantId } from '../ids.ts'
import type { Log } from '../log.ts'
import type { Allow } from './allow.ts'
import { createBulkhead } from './bulkhead.ts'
import { Course } from './course.ts'
import { FetchProblem, refused } from './fetch-problem.ts'
import type { Resolve } from './resolve.ts'
import { portOf, type TargetDeps, targetOf } from './target.ts'

/** As the web's `fetch`, of what libraries ask of it. */
export type GuardedFetch = (url: string | URL, init?: RequestInit) => Promise<Response>

export interface FetchGuard {
  /**
   * Whether the address may be asked, for when it is saved: throws FetchProblem `address_refused` with words for whoever
   * typed it. A name without an address passes: it is asked again with every request.
   */
  check(url: string): Promise<URL>
  /**
   * The WHATWG Response, its body unpacked and cut at the caps while it is read. Rejects, and the body errors, with
   * FetchProblem, or with the reason of `init.signal`. A body is collected before it is sent.
   */
  fetch(url: string | URL, init: RequestInit | undefined, caller: FetchCaller): Promise<Response>
  /** `fetch` for one caller, to be handed to a library. */
  as(caller: FetchCaller): GuardedFetch
  /** Whether a request that arrived here was sent by this gateway: its address had another name, or stood behind a redirect. */
  isOwn(header: (name: string) => string | undefined): boolean
}

export interface FetchCaller {
  readonly tenantId: TenantId
  /** Requests of one tenant that shall not wait for each other: calls of tools, and streams that stay open. */
  readonly lane?: string
  /** How many gateways the request that caused this one has come through: `depthOf` its headers. */
  readonly depth?: number
  readonly limits?: Partial<FetchLimits>
}

export interface FetchLimits {
  /** Of the answer's body, packed and unpacked. */
  readonly maxBytes: number
  /** For everything, the wait for a place and the last byte included. */
  readonly totalMs: number
}

export interface FetchGuardDeps {
  readonly resolve: Resolve
  readonly allow: Allow
  /** `host:port` of this gateway's public addresses, and the port that it listens on. */
  readonly own: () => { readonly hosts: readonly string[]; readonly port: number | undefined }
  /** The same in every process of this gateway, and nobody else's. */
  readonly mark: string
  readonly log: Log
  readonly clock?: Clock
  readonly limits?: Partial<FetchLimits & { readonly atOnce: number; readonly queued: number }>
}

/** A tool's answer is read aloud, so that it is small and soon there; eight at once is one turn's worth of calls. */
const defaults = { maxBytes: 256 * 1024, totalMs: 10_000, atOnce: 8, queued: 16 }
const maxDepth = 2
const depthHeader = 'parley-depth'
const markHeader = 'parley-from'
/** The connection's own: not for whoever writes a request. */
const ours = new Set(
  'host connection content-length expect keep-alive proxy-authorization proxy-connection te trailer transfer-encoding upgrade'
    .split(' ')
    .concat(depthHeader, markHeader),
)

export function createFetchGuard(deps: FetchGuardDeps): FetchGuard {
  const { clock = systemClock, log } = deps
  const limits = { ...defaults, ...deps.limits }
  const target: TargetDeps = { ...deps, own: () => ({ ...deps.own(), addresses: machineAddresses() }) }
  const parts = { target, clock, bulkhead: createBulkhead(limits) }

  async function guarded(url: string | URL, init: RequestInit = {}, caller: FetchCaller): Promise<Response> {
    const depth = (caller.depth ?? 0) + 1
    try {
      if (depth > maxDepth) throw refused('Agents call each other in a circle.')
      const headers = new Headers(init.headers)
      for (const name of ours) headers.delete(name)
      headers.set(depthHeader, String(depth))
      headers.set(markHeader, deps.mark)
      if (!headers.has('user-agent')) headers.set('user-agent', 'Parley')
      const course = new Course(parts, {
        key: `${caller.lane ?? ''} ${caller.tenantId}`,
        maxBytes: caller.limits?.maxBytes ?? limits.maxBytes,
        totalMs: caller.limits?.totalMs ?? limits.totalMs,
        redirect: init.redirect,
        signal: init.signal ?? undefined,
      })
      const body = await collected(init.body, headers)
      return await course.run({ url, method: (init.method ?? 'GET').toUpperCase(), headers, body })
    } catch (error) {
      // The host alone: path and query belong to the tenant.
      if (error instanceof FetchProblem)
        log.info({ tenantId: caller.tenantId, host: hostOf(url), code: error.code }, 'request to the outside failed')
      throw error
    }
  }

  return {
    check: async (url) => (await targetOf(url, target)).url,
    fetch: guarded,
    isOwn: (header) => header(markHeader) === deps.mark,
    as: (caller) => (url, init) => guarded(url, init, caller),
  }
}

/** Whole, so that a redirect can have it again. Sets the content type that goes with it, as fetch does. */
async function collected(body: RequestInit['body'], headers: Headers): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (body === undefined || body === null) return undefined
  const whole = new Response(body)
  const type = whole.headers.get('content-type')
  if (type !== null && !headers.has('content-type')) headers.set('content-type', type)
  return new Uint8Array(await whole.arrayBuffer())
}

/** How many gateways a request has come through; what is no number counts as too many. */
export function depthOf(headers: Readonly<Record<string, string | string[] | undefined>>): number {
  const given = headers[depthHeader]
  if (given === undefined) return 0
  return typeof given === 'string' && /^\d$/.test(given) ? Number(given) : maxDepth
}

/** As `own.hosts` are written. */
export function hostAndPort(address: string): string {
  const url = new URL(address)
  return `${url.hostname}:${portOf(url)}`
}

function machineAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map((each) => each.address))
}

function hostOf(url: string | URL): string | undefined {
  return URL.parse(String(url))?.hostname
}
