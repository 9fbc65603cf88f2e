// What the sweeps must know of a route that its schemas do not say. The cases are in cases/*.ts, one file per part of the API.

import type { Fixture } from './plant.ts'

/** A thing of a tenant by its kind (`session`), or a value that is the same in every tenant (`=1`). */
export type IdOf = Fixture | `=${string}`

export interface ById {
  readonly is: 'byId'
  /** Of every `:param` of the path. At least one names a thing. */
  readonly params: Readonly<Record<string, IdOf>>
  readonly query?: Readonly<Record<string, string>>
  /** A valid body, so that the id is what is refused. */
  readonly body?: unknown
  /** Of an own thing beside another tenant's: what is not there is as good as taken away. Default: 404. */
  readonly besideOwn?: number
  /** A thing of the own tenant cannot be had in a test, and why: no control that the id would be found. */
  readonly noControl?: string
}

/** No thing in the path: what is told or changed is the own tenant's. */
export interface Own {
  readonly is: 'own'
  /** Values that every tenant has (`=1`). */
  readonly params?: Readonly<Record<string, `=${string}`>>
  readonly query?: Readonly<Record<string, string>>
  /** A valid one; without it the route takes none. */
  readonly body?: unknown
}

/** No credential of a tenant is asked for: `why` it needs none, and how it is bound to what it may show. */
export interface Open {
  readonly is: 'open'
  readonly why: string
}

/** Refuses whatever it is asked, with this status. */
export interface Refuses {
  readonly is: 'refuses'
  readonly status: number
}

/** Ids in the body or the query: each a request of its own with a thing of another tenant in it. */
export interface Reference {
  readonly of: Fixture
  readonly where: 'body' | 'query'
  readonly request: (id: string) => Readonly<Record<string, unknown>>
  /** Default: 404. A filter finds nothing: 200 and none of the other tenant's. */
  readonly status?: number
}

export type RouteCase = (ById | Own | Open | Refuses) & { readonly references?: readonly Reference[] }

/** By `METHOD /path`. */
export type Cases = Readonly<Record<string, RouteCase>>
