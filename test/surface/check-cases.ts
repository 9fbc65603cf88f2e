// Is every route of the table known to the sweeps, and every case a route of the table? Pure, so that it is tested too.

import type { Route } from '../../gateway/platform/http.ts'
import type { Cases, RouteCase } from './case.ts'

export const nameOf = ({ method, path }: Pick<Route, 'method' | 'path'>): string => `${method} ${path}`

/** One line per defect, with what to do about it. */
export function caseProblems(routes: readonly Route[], cases: Cases): readonly string[] {
  const known = new Set(routes.map(nameOf))
  const stale = Object.keys(cases).filter((name) => !known.has(name))
  return [
    ...routes.flatMap((route) => problemsOf(route, cases[nameOf(route)])),
    ...stale.map((name) => `'${name}' has a case in test/surface/cases/ and is no route (any more): remove the line`),
  ]
}

function problemsOf(route: Route, known: RouteCase | undefined): readonly string[] {
  const name = nameOf(route)
  if (known === undefined)
    return [`${name} has no case: add a line to a file of test/surface/cases/, e.g.\n    ${example(route)}`]
  return [...kindProblems(route, known), ...(isAnswering(route, known) ? [] : [noReply(name)])]
}

const noReply = (name: string): string =>
  `${name} does not say what it answers: give \`reply\` (zod, in the slice's views.ts) or \`replies\`; 204 needs none`

/** What answers nothing but 204 is a change. */
function isAnswering({ reply, replies, method, status }: Route, { is }: RouteCase): boolean {
  return reply !== undefined || replies !== undefined || is === 'refuses' || method !== 'GET' || status !== undefined
}

function kindProblems(route: Route, known: RouteCase): readonly string[] {
  const name = nameOf(route)
  const params = paramsOf(route)
  const isScoped = route.access !== 'public' && route.access !== 'operator'
  if (known.is === 'open') return isScoped ? [`${name} belongs to a tenant: its case cannot be 'open'`] : []
  if (!isScoped) return [`${name} belongs to no tenant: its case must be { is: 'open', why: … }`]
  if (known.is === 'refuses') return []
  const missing = params.filter((each) => !(each in (known.params ?? {})))
  const silent = missing.map(
    (each) =>
      `${name}: its case says nothing of :${each}, e.g. { is: 'byId', params: { ${each}: '<a thing of plant.ts>' } }`,
  )
  if (known.is === 'own') return silent
  const things = Object.values(known.params).filter((each) => !each.startsWith('='))
  return [...silent, ...(things.length === 0 ? [`${name}: no parameter of its case names a thing of a tenant`] : [])]
}

const paramsOf = ({ path }: Route): readonly string[] => [...path.matchAll(/:(\w+)/g)].map(([, each = '']) => each)

function example(route: Route): string {
  const params = paramsOf(route)
  const body = route.body === undefined ? '' : ', body: { /* a valid one */ }'
  if (route.access === 'public' || route.access === 'operator') return `'${nameOf(route)}': { is: 'open', why: '…' },`
  if (params.length === 0) return `'${nameOf(route)}': { is: 'own'${body} },`
  const ids = params.map((each) => `${each}: '<a thing of plant.ts>'`).join(', ')
  return `'${nameOf(route)}': { is: 'byId', params: { ${ids} }${body} },`
}
