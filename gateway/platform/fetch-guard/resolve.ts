// Names into addresses. A name from a tenant is asked of the name servers (no thread waits for one that never answers);
// a name that the operator allows is asked of the operating system, which knows /etc/hosts and search domains.

import { lookup, Resolver } from 'node:dns/promises'

/** All addresses of a name; none: it has none, or nobody answered. */
export type Resolve = (host: string, isNamed: boolean) => Promise<readonly string[]>

/** Two tries of two seconds leave time for the request itself. */
const options = { timeout: 2_000, tries: 2 }

export function createResolve(servers?: readonly string[]): Resolve {
  const resolver = new Resolver(options)
  if (servers !== undefined) resolver.setServers(servers)
  return async (host, isNamed) => {
    if (isNamed) return (await lookup(host, { all: true }).catch(() => [])).map((each) => each.address)
    const asked = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
    return asked.flatMap((each) => (each.status === 'fulfilled' ? each.value : []))
  }
}
