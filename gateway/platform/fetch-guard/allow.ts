// What an operator lets through although nobody outside could reach it: `host`, `host:port` or a range of addresses. Pure.

import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import { parseAddress } from './address.ts'

export interface Allow {
  /** This very host and port is named, whatever it resolves to. */
  names(host: string, port: number): boolean
  /** The address is in a range of the list. */
  covers(address: string): boolean
  /** Whether there is any range at all: without one, a name need not be resolved to be refused. */
  readonly hasRanges: boolean
}

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number]

/** As a setting. */
export const allowList = z
  .string()
  .transform((list, context) => {
    try {
      return parseAllow(list)
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) })
      return z.NEVER
    }
  })
  .optional()

/** Throws an Error that names the entry that is none. */
export function parseAllow(list: string): Allow {
  const named = new Set<string>()
  const ranges: Range[] = []
  for (const entry of list.split(',').map((each) => each.trim())) {
    if (entry === '') continue
    if (entry.includes('/')) ranges.push(rangeOf(entry))
    else named.add(hostOf(entry))
  }
  return {
    names: (host, port) => named.has(`${host}:${port}`) || named.has(host),
    covers(address) {
      const parsed = parseAddress(address)
      return parsed !== undefined && ranges.some((range) => parsed.kind() === range[0].kind() && parsed.match(range))
    },
    hasRanges: ranges.length > 0,
  }
}

function rangeOf(entry: string): Range {
  try {
    return ipaddr.parseCIDR(entry)
  } catch {
    throw new Error(`${entry} is no range of addresses such as 10.0.0.0/8`)
  }
}

/** Written as the URL parser writes it: what is compared with it comes from there. */
function hostOf(entry: string): string {
  const url = URL.parse(`http://${entry}`)
  if (url === null || url.pathname !== '/' || url.username !== '' || url.search !== '' || url.hash !== '')
    throw new Error(`${entry} is neither a host, a host:port nor a range of addresses`)
  // The parser drops the port that http has anyway.
  const port = url.port === '' && /:80$/.test(entry) ? '80' : url.port
  return port === '' ? url.hostname : `${url.hostname}:${port}`
}
