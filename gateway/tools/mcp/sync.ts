// What becomes of the tenant's tools when a server was listed again. What was accepted once is not exchanged for something
// else without a person: a tool that is described differently is off until somebody has looked at it. Pure.

import type { ToolDescriptor } from '../store.ts'
import { withDefaults } from '../tool.ts'
import type { ListedTool, Listing } from './listing.ts'
import type { McpServer, ServerTool } from './store.ts'

export const mcpKind = 'mcp'

/** Beyond it the person has long stopped waiting; servers are slower than what is built in. */
const callTimeoutMs = 20_000
/** A server that lists other names each time is not remembered for ever. */
const maxGone = 100

/** The first time, and when accepted. `held`: what the tenant had set of it stays. */
export function descriptorOf(serverId: string, tool: ListedTool, held?: ToolDescriptor): ToolDescriptor {
  const { name, description, parameters, remote, hash } = tool
  const facts = { name, kind: mcpKind, category: 'custom', description, readOnly: false, retry: 'unknown' } as const
  return {
    ...withDefaults({ ...facts, timeoutMs: callTimeoutMs }),
    instructions: '',
    ...held,
    ...{ name, description, parameters, spec: { server: serverId, tool: remote, hash } },
  }
}

export interface Synced {
  readonly tools: readonly ServerTool[]
  readonly leftOut: Listing['leftOut']
  readonly put: readonly ToolDescriptor[]
  /** Names. */
  readonly remove: readonly string[]
}

/** `taken`: the tenant's descriptors under names that the server's tools would have, by name. */
export function synced(server: McpServer, listing: Listing, taken: ReadonlyMap<string, ToolDescriptor>): Synced {
  const before = new Map(server.tools.map((each) => [each.remote, each]))
  const put: ToolDescriptor[] = []
  const remove: string[] = []
  const leftOut = [...listing.leftOut]
  const mine = (name: string) => {
    const descriptor = taken.get(name)
    return descriptor?.kind === mcpKind && descriptor.spec.server === server.id ? descriptor : undefined
  }
  const putAway = (name: string): ToolDescriptor | undefined => {
    const descriptor = mine(name)
    if (descriptor !== undefined) remove.push(name)
    return descriptor
  }
  const now = listing.tools.flatMap((tool): ServerTool[] => {
    const known = before.get(tool.remote)
    if (known === undefined) {
      if (taken.has(tool.name) && mine(tool.name) === undefined) {
        leftOut.push({ tool: tool.remote, why: `the tenant has a tool ${tool.name} already` })
        return []
      }
      put.push(descriptorOf(server.id, tool))
      return [{ ...tool, state: 'on' }]
    }
    if (known.state === 'off') return [{ ...tool, state: 'off', held: known.held }]
    const accepted = known.held ?? mine(known.name)
    if (accepted?.spec.hash === tool.hash) {
      if (known.state !== 'on') put.push(descriptorOf(server.id, tool, accepted))
      return [{ ...tool, state: 'on' }]
    }
    // Taken away by a person at the tools' own address: it stays away.
    if (accepted === undefined) return [{ ...tool, state: 'off' }]
    return [{ ...tool, state: 'changed', held: known.held ?? putAway(known.name) }]
  })
  const listed = new Set(listing.tools.map((each) => each.remote))
  const gone = server.tools.flatMap((each): ServerTool[] =>
    listed.has(each.remote)
      ? []
      : [{ ...each, state: each.state === 'off' ? 'off' : 'gone', held: each.held ?? putAway(each.name) }],
  )
  return { tools: [...now, ...gone.slice(0, maxGone)], leftOut, put, remove }
}
