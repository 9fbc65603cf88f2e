// An answer against what its route declares. For tests and development: nobody should learn from a client that the
// document is wrong.

import type { OtherReply, Route, RouteReply } from '../platform/http.ts'

/** The status of an answer whose `run` names none. */
export function statusOf(route: Route, reply: RouteReply): number {
  return reply.status ?? route.status ?? (isEmpty(reply) ? 204 : 200)
}

const isEmpty = ({ json, text, stream }: RouteReply): boolean =>
  json === undefined && text === undefined && stream === undefined

/** In the log line of every answer that is not as declared. */
export const misfitMark = 'is not what the route declares'

/** What of the answer is not declared; undefined: all is. */
export function misfit(route: Route, reply: RouteReply): string | undefined {
  const status = statusOf(route, reply)
  const said = `the answer ${misfitMark}: ${route.method} ${route.path} answered ${status}`
  if (isEmpty(reply)) {
    const declared = declaredStatus(route)
    const empty = route.reply === undefined && route.replies === undefined
    return empty && status === declared
      ? undefined
      : `${said} with nothing, and declares ${empty ? declared : 'a body'}`
  }
  const isJson = reply.text === undefined && reply.stream === undefined
  const type = isJson ? 'application/json' : (reply.headers?.['content-type'] ?? 'text/plain')
  const fitting = repliesOf(route).find((each) => each.status === status && type.startsWith(each.type))
  if (fitting === undefined) return `${said} with ${type}: its \`reply\`, \`status\` and \`replies\` do not say so`
  if (!isJson || fitting.schema === undefined) return undefined
  // As the client gets it: dates are text there, and what is undefined is missing.
  const parsed = fitting.schema.safeParse(JSON.parse(JSON.stringify(reply.json)))
  if (parsed.success) return undefined
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  return `${said} with what is not its \`reply\`: ${issues.join('; ')}`
}

function declaredStatus(route: Route): number {
  return route.status ?? (route.reply === undefined ? 204 : 200)
}

/** Everything a route may answer with, apart from problems. */
export function repliesOf(route: Route): readonly (OtherReply & { readonly status: number })[] {
  const others = (route.replies ?? []).map((each) => ({ status: 200, ...each }))
  if (route.reply === undefined) return others
  return [{ type: 'application/json', status: declaredStatus(route), schema: route.reply }, ...others]
}
