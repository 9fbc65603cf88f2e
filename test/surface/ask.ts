// Requests of the sweeps: paths with ids in them, as a credential of a tenant, and what came back.

import type { Route } from '../../gateway/platform/http.ts'
import type { IdOf } from './case.ts'
import { type Fixture, makers, type Place } from './plant.ts'

export interface Told {
  readonly status: number
  readonly body: unknown
  readonly text: string
  readonly ms: number
}

export interface Credential {
  readonly place: Place
  readonly by: 'owner' | 'key'
  /** Of the `tenant` parameter; default: the credential's own (a key names none). */
  readonly tenant?: string
}

/** What a request is made of, beside the route. */
export interface Made {
  readonly params?: Readonly<Record<string, string>> | undefined
  readonly query?: Readonly<Record<string, unknown>> | undefined
  readonly body?: unknown
}

export async function ask({ place, by, tenant }: Credential, route: Route, made: Made): Promise<Told> {
  const path = route.path.replaceAll(/:(\w+)/g, (_all, name: string) => encodeURIComponent(made.params?.[name] ?? ''))
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(made.query ?? {})) query.set(name, String(value))
  const asked = query.size === 0 ? path : `${path}?${query}`
  const startedMs = performance.now()
  const { status, body } =
    by === 'owner'
      ? await place.owner.call(route.method, asked, { body: made.body, ...(tenant === undefined ? {} : { tenant }) })
      : await byKey(place, route.method, { asked, body: made.body, tenant })
  const ms = performance.now() - startedMs
  return { status, body, text: typeof body === 'string' ? body : JSON.stringify(body), ms }
}

async function byKey(
  { gateway, apiKey }: Place,
  method: string,
  { asked, body, tenant }: { asked: string; body: unknown; tenant: string | undefined },
): Promise<{ status: number; body: unknown }> {
  const url = new URL(gateway.url + asked)
  if (tenant !== undefined) url.searchParams.set('tenant', tenant)
  const answer = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${apiKey}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  const isJson = answer.headers.get('content-type')?.startsWith('application/json') === true
  return { status: answer.status, body: isJson ? JSON.parse(text) : text }
}

/** Things of one tenant, each made when it is first wanted. */
export class Things {
  readonly place: Place
  readonly #made = new Map<Fixture, Promise<string>>()

  constructor(place: Place) {
    this.place = place
  }

  get(kind: Fixture): Promise<string> {
    const known = this.#made.get(kind) ?? makers[kind](this.place)
    this.#made.set(kind, known)
    return known
  }

  async ids(params: Readonly<Record<string, IdOf>>, fresh = false): Promise<Record<string, string>> {
    const ids: Record<string, string> = {}
    for (const [name, of] of Object.entries(params))
      ids[name] = isLiteral(of) ? of.slice(1) : await (fresh ? makers[of](this.place) : this.get(of))
    return ids
  }
}

function isLiteral(of: IdOf): of is `=${string}` {
  return of.startsWith('=')
}

/** Of the same shape, and nobody's: its last letters are turned round the alphabet. */
export function unknown(id: string): string {
  const tail = id
    .slice(-6)
    .replaceAll(/[a-z0-9]/gi, (letter) => (letter === 'z' ? 'a' : letter === '9' ? '0' : next(letter)))
  return id.slice(0, -6) + tail
}

const next = (letter: string): string => String.fromCharCode(letter.charCodeAt(0) + (letter === 'Z' ? -25 : 1))

/** Parameters that name things turned into nobody's. */
export function unknownIds(
  params: Readonly<Record<string, IdOf>>,
  ids: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(ids).map(([name, id]) => [name, isLiteral(params[name] ?? '=') ? id : unknown(id)]),
  )
}
