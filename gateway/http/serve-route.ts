// One request through one route: parse strictly, note it, call, present.

import type { Context } from 'hono'
import type { z } from 'zod'
import type { RawBody, RequestFacts, Route, RouteReply } from '../platform/http.ts'
import { Problem } from '../platform/problem.ts'
import type { Caller } from './auth.ts'
import { misfit, statusOf } from './check-reply.ts'
import type { Noting } from './noted.ts'

export interface ServeContext {
  readonly context: Context
  readonly facts: RequestFacts
  readonly caller: Caller
  /** An answer that is not what the route declares is an internal error. */
  readonly checkReplies: boolean
  /** Around the call itself: what is wrong with the request comes before, the answer goes out after. */
  readonly noted: Noting
}

export async function serveRoute(route: Route, serving: ServeContext): Promise<Response> {
  const { context, facts, caller, checkReplies, noted } = serving
  const { tenant: _scope, ...query } = context.req.query()
  const input = {
    params: parse(route.params, context.req.param(), 'path'),
    query: parse(route.query, query, 'query'),
    body: route.body === undefined ? undefined : parse(route.body, await bodyOf(route, context), 'body'),
    facts,
    actor: caller.actor,
    visitor: caller.visitor,
    get tenantId() {
      return scoped(route, caller.tenantId)
    },
    get auth() {
      return scoped(route, caller.auth)
    },
  }
  const reply = await noted(async () => {
    const answer = await route.run(input)
    return { answer, status: statusOf(route, answer) }
  })
  const wrong = checkReplies ? misfit(route, reply) : undefined
  if (wrong !== undefined) throw new Problem('internal', undefined, { cause: new Error(wrong) })
  return responseOf(reply, statusOf(route, reply))
}

function responseOf(reply: RouteReply, status: number): Response {
  const headers = new Headers({ 'cache-control': 'no-store', ...reply.headers })
  for (const each of reply.setCookies ?? []) headers.append('set-cookie', each)
  if (reply.text !== undefined) return new Response(reply.text, { status, headers })
  if (reply.stream !== undefined)
    return new Response(reply.stream instanceof ReadableStream ? reply.stream : bytesOf(reply.stream), {
      status,
      headers,
    })
  if (reply.json === undefined) return new Response(null, { status, headers })
  if (!headers.has('content-type')) headers.set('content-type', 'application/json')
  return new Response(JSON.stringify(reply.json), { status, headers })
}

function bytesOf(stream: AsyncIterable<string>): ReadableStream<Uint8Array> {
  return ReadableStream.from(stream).pipeThrough(new TextEncoderStream())
}

function scoped<T>(route: Route, value: T | undefined): T {
  if (value === undefined) throw new Problem('internal', undefined, { cause: new Error(`${route.path} has no tenant`) })
  return value
}

async function bodyOf(route: Route, context: Context): Promise<unknown> {
  if (route.raw !== true) return jsonBody(context)
  const bytes = Buffer.from(await context.req.arrayBuffer())
  return { type: context.req.header('content-type') ?? '', bytes } satisfies RawBody
}

async function jsonBody(context: Context): Promise<unknown> {
  const type = context.req.header('content-type') ?? ''
  const text = await context.req.text()
  if (text === '') return {}
  if (!type.startsWith('application/json')) throw new Problem('invalid', 'Send the body as application/json.')
  try {
    return JSON.parse(text)
  } catch {
    throw new Problem('invalid', 'The body is not JSON.')
  }
}

/** Throws `invalid` with the paths of what does not fit. */
export function parse(schema: z.ZodType | undefined, value: unknown, where: string): unknown {
  if (schema === undefined) return undefined
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.map((issue) => ({
    path: [where, ...issue.path].join('.'),
    message: issue.message,
  }))
  throw new Problem(
    'invalid',
    `Invalid ${where}: ${issues.map((issue) => `${issue.path}: ${issue.message}`).join('; ')}`.slice(0, 500),
    { issues },
  )
}
