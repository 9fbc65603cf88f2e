// The request that a redirect asks for, by the rules of fetch and stricter ones of ours. Pure.

import { refused } from './fetch-problem.ts'
import type { Outgoing } from './send.ts'

/** What another origin may know; everything else can be a credential of the first. */
const harmless: ReadonlySet<string> = new Set([
  ...['accept', 'accept-language', 'content-type', 'user-agent'],
  // Ours: they end circles.
  ...['parley-depth', 'parley-from'],
])
const kept: ReadonlySet<number> = new Set([307, 308])
export const redirects: ReadonlySet<number> = new Set([301, 302, 303, ...kept])

/** Throws FetchProblem `address_refused` for what is not followed. */
export function redirected(from: Outgoing, to: { status: number; location: string }): Outgoing {
  const url = URL.parse(to.location, from.url.href)
  if (url === null) throw refused('The redirect leads to no address.')
  if (url.protocol !== from.url.protocol) throw refused('The redirect leads to another protocol.')
  const isOther = url.origin !== from.url.origin
  const asGet = to.status === 303 ? from.method !== 'HEAD' : !kept.has(to.status) && from.method === 'POST'
  const headers = new Headers(from.headers)
  for (const [name] of [...headers]) {
    if ((isOther && !harmless.has(name)) || (asGet && name.startsWith('content-'))) headers.delete(name)
  }
  return asGet ? { ...from, url, headers, method: 'GET', body: undefined } : { ...from, url, headers }
}
