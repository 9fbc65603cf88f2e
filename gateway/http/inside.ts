// The gateway's own GET routes for its own tools: with the rights of whoever the call is for, and never over the network.

import type { AuthContext } from '../platform/access.ts'
import type { RequestFacts, Route } from '../platform/http.ts'
import { found, Problem } from '../platform/problem.ts'
import { statusOf } from './check-reply.ts'
import { parse } from './serve-route.ts'

export type AskInside = (
  pathAndQuery: string,
  auth: AuthContext,
) => Promise<{ readonly status: number; readonly json: unknown }>

/** Nobody's browser: there is no request. */
const nowhere: RequestFacts = { ip: '', origin: undefined, userAgent: '', header: () => undefined }

/** Throws what the route throws; `not_found` where there is none that only reads, `forbidden` as for any caller. */
export function createInside(routes: readonly Route[]): AskInside {
  // What is noted whenever it is read has its reason: it is for people.
  const known = routes.filter((each) => each.method === 'GET' && each.reply !== undefined && each.audit !== 'always')
  const patterns = known.map((each) => ({ route: each, pattern: patternOf(each.path) }))
  return async (pathAndQuery, auth) => {
    const url = new URL(pathAndQuery, 'http://inside')
    const { route, pattern } = found(patterns.find((each) => each.pattern.test(url.pathname)))
    const { access, kind } = route
    if (access === 'public' || access === 'operator') throw new Problem('not_found')
    const params = paramsOf(pattern, url.pathname)
    if (!auth.may(access, kind === undefined ? undefined : params[kind])) throw new Problem('forbidden')
    const answer = await route.run({
      params: parse(route.params, params, 'path'),
      query: parse(route.query, Object.fromEntries(url.searchParams), 'query'),
      body: undefined,
      facts: nowhere,
      actor: auth.actor,
      tenantId: auth.tenantId,
      auth,
    })
    return { status: statusOf(route, answer), json: answer.json }
  }
}

function patternOf(path: string): RegExp {
  const parts = path.split('/').map((part) => (part.startsWith(':') ? `(?<${part.slice(1)}>[^/]+)` : literal(part)))
  return new RegExp(`^${parts.join('/')}$`)
}

const literal = (text: string): string => text.replace(/[^\w-]/g, '\\$&')

function paramsOf(pattern: RegExp, path: string): Record<string, string> {
  const groups = Object.entries(pattern.exec(path)?.groups ?? {})
  return Object.fromEntries(groups.map(([name, value]) => [name, decoded(value)]))
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Problem('not_found')
  }
}
