// What a URL comes to: the addresses that its connection may go to, or a refusal. Asked once per request and hop: the
// socket then goes to one of these addresses, so that a name cannot mean something else a moment later.

import { isIP } from 'node:net'
import { kindOf, metadataNames, parseAddress } from './address.ts'
import type { Allow } from './allow.ts'
import { refused } from './fetch-problem.ts'
import type { Resolve } from './resolve.ts'

export interface Target {
  readonly url: URL
  readonly addresses: readonly { readonly address: string; readonly family: number }[]
}

export interface TargetDeps {
  readonly resolve: Resolve
  readonly allow: Allow
  /** Where this gateway is itself: a tool that calls it would call itself. */
  readonly own: () => OwnPlace
}

export interface OwnPlace {
  /** `host:port` of its public addresses. */
  readonly hosts: readonly string[]
  /** What it listens on, and the addresses of this machine. Undefined: it does not listen. */
  readonly port: number | undefined
  readonly addresses: readonly string[]
}

const openPorts: ReadonlySet<number> = new Set([443, 8443])
const maxUrlLength = 8_192
/** A name server may answer with any number of them. */
const maxAddresses = 16

/** Throws FetchProblem `address_refused`, or `unreachable` when the name has no address. */
export async function targetOf(given: string | URL, deps: TargetDeps): Promise<Target> {
  const { url, named, mustBeInner } = checkForm(given, deps)
  const host = bare(url.hostname)
  const found = isIP(host) === 0 ? await deps.resolve(host, named) : [host]
  const addresses = found.slice(0, maxAddresses)
  for (const address of addresses) checkAddress(address, { ...deps, port: portOf(url), named, mustBeInner })
  return { url, addresses: addresses.map((address) => ({ address, family: isIP(address) })) }
}

interface Form {
  readonly url: URL
  /** The operator names this host and port. */
  readonly named: boolean
  /** Neither https nor a usual port: only for addresses in a range that the operator allows. */
  readonly mustBeInner: boolean
}

function checkForm(given: string | URL, { allow, own }: TargetDeps): Form {
  const url = String(given).length > maxUrlLength ? null : URL.parse(String(given))
  if (url === null) throw refused('This is no address.')
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refused('The address must begin with https://.')
  if (url.username !== '' || url.password !== '') throw refused('The address must not carry a name or password.')
  // `name.` and `name` are one host to a resolver and two to a list.
  url.hostname = url.hostname.replace(/\.+$/, '')
  const host = bare(url.hostname)
  const port = portOf(url)
  if (host === '') throw refused('This is no address.')
  if (own().hosts.includes(`${url.hostname}:${port}`)) throw refused('This is the gateway’s own address.')
  const named = allow.names(url.hostname, port)
  if (!named && isInnerName(host)) throw refused('This name means nothing on the internet.')
  const mustBeInner = !named && (url.protocol !== 'https:' || !openPorts.has(port))
  // With a range on the list, only the address tells.
  if (mustBeInner && !allow.hasRanges)
    throw refused(url.protocol === 'https:' ? 'The port must be 443 or 8443.' : 'The address must begin with https://.')
  return { url, named, mustBeInner }
}

function isInnerName(host: string): boolean {
  if (isIP(host) !== 0) return false
  if (metadataNames.has(host) || !host.includes('.')) return true
  return /\.(localhost|local|internal|intranet|home\.arpa|localdomain)$/.test(host)
}

type AddressCheck = TargetDeps & {
  readonly port: number
  readonly named: boolean
  readonly mustBeInner: boolean
}

function checkAddress(address: string, { allow, own, port, named, mustBeInner }: AddressCheck): void {
  const parsed = parseAddress(address)
  if (parsed === undefined) throw refused('This is no address.')
  const here = own()
  if (here.port === port && (parsed.range() === 'loopback' || here.addresses.includes(parsed.toString())))
    throw refused('This is the gateway’s own address.')
  if (named) return
  const kind = kindOf(parsed)
  // A range never opens these: whoever means one names it.
  if (kind === 'metadata') throw refused('This address is not on the internet.')
  if (allow.covers(address)) return
  if (kind === 'inner') throw refused('This address is not on the internet.')
  if (mustBeInner) throw refused('The address must begin with https://, its port must be 443 or 8443.')
}

export function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port)
  return url.protocol === 'https:' ? 443 : 80
}

/** Without the brackets of IPv6. */
function bare(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}
