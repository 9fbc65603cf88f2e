// A route as data: schemas, who may call it, what it does. Slices export tables of these; http/ serves them.

import { z } from 'zod'
import type { Ability, Actor, AuthContext } from './access.ts'
import type { TenantId } from './ids.ts'

/** `public`: anyone. `operator`: a signed-in person, no tenant. An ability: an API key or operator of one tenant. */
export type Access = 'public' | 'operator' | Ability

export interface RequestFacts {
  readonly ip: string
  readonly origin: string | undefined
  readonly userAgent: string
  header(name: string): string | undefined
}

export interface RouteInput<P, Q, B> {
  readonly params: P
  readonly query: Q
  readonly body: B
  readonly facts: RequestFacts
  /** The credential's tenant. Throws a Problem on `public` and `operator` routes, which have none. */
  readonly tenantId: TenantId
  /** Undefined on public routes. */
  readonly actor: Actor | undefined
  /** What the caller may do in the credential's tenant. Throws a Problem on `public` and `operator` routes, as `tenantId` does. */
  readonly auth: AuthContext
  /** Whose token it is, on routes that visitors may call and when one does. */
  readonly visitor?: VisitorScope | undefined
}

/** What a visitor's token is bound to; the origin was checked. */
export interface VisitorScope {
  readonly agentId: string
  readonly contactId: string
  readonly channel: 'widget' | 'api'
  /** The site key or API key behind it. */
  readonly keyId: string
}

/** A page of the gateway itself (panel, console, demo): its Origin names the host that it connects to. */
export function isOwnOrigin(origin: string | undefined, host: string | undefined): boolean {
  return origin !== undefined && host !== undefined && URL.parse(origin)?.host === host
}

export const exactOrigin = z
  .string()
  .max(255)
  .refine(
    (text) => URL.parse(text)?.origin === text && !text.includes('*'),
    'an exact origin such as https://shop.example',
  )

export interface RouteReply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** One `set-cookie` header each. */
  readonly setCookies?: readonly string[]
  readonly json?: unknown
  readonly text?: string
  /** Sent as it comes, under the `content-type` of `headers`. A caller who goes away ends it by `return()` or `cancel()`. */
  readonly stream?: AsyncIterable<string> | ReadableStream<Uint8Array>
}

/** A body that is not JSON, as it came. */
export const rawBody = z.object({ type: z.string(), bytes: z.instanceof(Uint8Array) })
export type RawBody = z.output<typeof rawBody>

/** An answer beside the JSON of `reply`: in another form, or with another status. */
export interface OtherReply {
  readonly type:
    | 'application/json'
    | 'application/jsonl'
    | 'application/sdp'
    | 'text/csv'
    | 'text/event-stream'
    | 'text/html'
    | 'text/plain'
  /** Default: 200. */
  readonly status?: number
  /** Of the JSON, of one line of JSONL, of the `data` of one server-sent event. */
  readonly schema?: z.ZodType
}

/** What is not so for every route. */
export interface RouteManner {
  /**
   * `always`: reading it is noted in the audit log, as every other method is by itself. `refusals`: what it does has a record
   * of its own (a message: its conversation and its execution), and would bury what people look for in the log.
   */
  readonly audit?: 'always' | 'refusals'
  /** Name of the path parameter that tells the kind (an entity type's slug, an agent's id) on which the ability is needed. */
  readonly kind?: string
  /** Of the JSON answer as it is sent. Without it and without `replies` the route answers 204. */
  readonly reply?: z.ZodType
  /** Of the JSON answer, and of every answer whose `run` names none. Default: 200 with `reply`, 204 without. */
  readonly status?: number
  readonly replies?: readonly OtherReply[]
  /** The body is no JSON: `body` is given it as a `RawBody`. */
  readonly raw?: true
  /** Media types of a raw body. */
  readonly accepts?: readonly string[]
  /** Part of the original's API that pages call themselves: readable from any origin, errors in the original's shape. */
  readonly stock?: true
  /** A visitor's token may call it too, from any page: the token says itself which page it is for. */
  readonly visitors?: true
  /** One address speaks for many people (a webhook): a `public` route with the rate of a signed-in caller. */
  readonly busy?: true
  /** Of the body. Default: 256 KiB. */
  readonly maxBytes?: number
}

/** A path that is opened as a WebSocket: for the API document, which has no other word for it. */
export interface Door {
  readonly path: string
  readonly summary: string
  /** Who may open it. `visitor`: a visitor's token or an API key. */
  readonly access: 'visitor' | 'operator'
  readonly subprotocols: readonly string[]
}

export interface Route extends RouteManner {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** `/v1/sessions/:id` */
  readonly path: string
  readonly access: Access
  readonly summary: string
  readonly params?: z.ZodType | undefined
  readonly query?: z.ZodType | undefined
  readonly body?: z.ZodType | undefined
  /** A method, not a property: its parameter may be narrower than unknown, as the schemas guarantee. */
  run(input: RouteInput<unknown, unknown, unknown>): Promise<RouteReply>
}

type Out<S> = S extends z.ZodType ? z.output<S> : undefined

/** Ties the schemas of a route to the input of its `run`. */
export function route<
  P extends z.ZodType | undefined,
  Q extends z.ZodType | undefined,
  B extends z.ZodType | undefined,
>(
  spec: RouteManner & {
    method: Route['method']
    path: string
    access: Access
    summary: string
    params?: P
    query?: Q
    body?: B
    run(input: RouteInput<Out<P>, Out<Q>, Out<B>>): Promise<RouteReply>
  },
): Route {
  return spec
}
