// A tenant's servers: named, listed, put away; what each offers becomes tools of the tenant.

import type { Clock } from '../../platform/clock.ts'
import type { TenantId } from '../../platform/ids.ts'
import type { Log } from '../../platform/log.ts'
import { found, Problem } from '../../platform/problem.ts'
import type { Page } from '../../protocol/rest.ts'
import type { ToolDescriptor } from '../store.ts'
import { listingOf } from './listing.ts'
import type { Pool, Target } from './pool.ts'
import type { McpServer, mcpServerStore, ServerSettings, ServerTool } from './store.ts'
import { descriptorOf, synced } from './sync.ts'

export type SettingsChange = { readonly [K in keyof ServerSettings]?: ServerSettings[K] | undefined }

export interface NewServer extends SettingsChange {
  /** `a-z`, digits and inner hyphens: its tools are called `<name>__<tool>`. */
  readonly name: string
}

export interface ToolDecision {
  /** Hash of the description that was looked at: it is the accepted one from now on. */
  readonly accept?: string | undefined
  readonly state?: 'on' | 'off' | undefined
  /** Somebody has made sure that it changes nothing; the server's own word is not taken for it. */
  readonly readOnly?: boolean | undefined
}

export interface TenantMcpServers {
  /** By name. */
  list(page: { readonly cursor?: string | undefined; readonly limit: number }): Promise<Page<McpServer>>
  get(id: string): Promise<McpServer>
  /** Listed at once: what went wrong with that is in `error`. `invalid`, `conflict` for a name that is taken, `too_many`. */
  create(server: NewServer): Promise<McpServer>
  /** As `create`. */
  change(id: string, change: SettingsChange): Promise<McpServer>
  refresh(id: string): Promise<McpServer>
  /** With its tools. */
  remove(id: string): Promise<void>
  /** One of its tools. `not_found`, `conflict` when it has changed once more since it was looked at. */
  decide(id: string, tool: string, decision: ToolDecision): Promise<McpServer>
}

/** The tenant's tools, as the tools slice keeps them. */
export interface Descriptors {
  named(tenantId: TenantId, names: readonly string[]): Promise<readonly ToolDescriptor[]>
  put(tenantId: TenantId, tools: readonly ToolDescriptor[]): Promise<void>
  remove(tenantId: TenantId, name: string): Promise<unknown>
}

export interface ServersDeps {
  readonly store: ReturnType<typeof mcpServerStore.open>
  readonly descriptors: Descriptors
  readonly pool: Pool
  readonly clock: Clock
  readonly log: Log
  /** How to reach it. Throws `invalid` where it cannot be at all. */
  readonly targetOf: (tenantId: TenantId, server: McpServer) => Promise<Target>
  /** Throws `invalid` for an address or a process that is not for this tenant. */
  readonly checkSettings: (tenantId: TenantId, settings: ServerSettings) => Promise<void>
}

const maxServers = 20
const listTimeoutMs = 25_000
const unset: ServerSettings = { url: null, process: null, auth: null, isOn: true, only: null, not: null }

export function tenantServers(deps: ServersDeps, tenantId: TenantId): TenantMcpServers {
  const { store, descriptors } = deps
  const get = async (id: string) => found(await store.byId(tenantId, id))
  const unchanged = (server: McpServer | undefined): McpServer => {
    if (server === undefined) throw new Problem('conflict', 'Somebody else has changed this server meanwhile.')
    return server
  }

  const refresh = async (server: McpServer) => unchanged(await refreshed(deps, tenantId, server))

  return {
    async list({ cursor, limit }) {
      const some = await store.list(tenantId, { after: cursor, limit: limit + 1 })
      const items = some.slice(0, limit)
      return { items, next: some.length > limit ? (items.at(-1)?.name ?? null) : null }
    },
    get,
    async create({ name, ...given }) {
      const settings = settled(unset, given)
      await deps.checkSettings(tenantId, settings)
      if ((await store.list(tenantId, { limit: maxServers })).length === maxServers)
        throw new Problem('too_many', `A tenant has ${maxServers} servers at most.`)
      const server = await store.insert(tenantId, name, settings)
      if (server === undefined) throw new Problem('conflict', 'There is a server of this name.')
      return refresh(server)
    },
    async change(id, change) {
      const server = await get(id)
      const settings = settled(server, change)
      await deps.checkSettings(tenantId, settings)
      const changed = unchanged(await store.change(tenantId, server, settings))
      await deps.pool.forget(tenantId, id)
      return changed.isOn ? refresh(changed) : changed
    },
    refresh: async (id) => refresh(await get(id)),
    async remove(id) {
      const server = await get(id)
      for (const each of await descriptors.named(
        tenantId,
        server.tools.map((tool) => tool.name),
      ))
        if (each.spec.server === id) await descriptors.remove(tenantId, each.name)
      await store.remove(tenantId, id)
      await deps.pool.forget(tenantId, id)
    },
    async decide(id, name, decision) {
      const server = await get(id)
      const tool = found(server.tools.find((each) => each.name === name && each.state !== 'gone'))
      const [stored] = await descriptors.named(tenantId, [name])
      const { decided, descriptor } = decidedOn(server, { tool, stored }, decision)
      const tools = server.tools.map((each) => (each === tool ? decided : each))
      const changed = unchanged(await store.change(tenantId, server, { tools }))
      if (decided.state === 'on') await descriptors.put(tenantId, [descriptor])
      else if (stored?.spec.server === id) await descriptors.remove(tenantId, name)
      return changed
    },
  }
}

function settled(before: ServerSettings, { url, process, auth, isOn, only, not }: SettingsChange): ServerSettings {
  return {
    url: url === undefined ? before.url : url,
    process: process === undefined ? before.process : process,
    auth: auth === undefined ? before.auth : auth,
    isOn: isOn ?? before.isOn,
    only: only === undefined ? before.only : only,
    not: not === undefined ? before.not : not,
  }
}

interface Decided {
  readonly decided: ServerTool
  /** What is among the tenant's tools while it is on. */
  readonly descriptor: ToolDescriptor
}

function decidedOn(
  server: McpServer,
  { tool, stored }: { readonly tool: ServerTool; readonly stored: ToolDescriptor | undefined },
  { accept, state, readOnly }: ToolDecision,
): Decided {
  const own = stored?.spec.server === server.id ? stored : undefined
  if (stored !== undefined && own === undefined)
    throw new Problem('conflict', 'The tenant has a tool of this name that is not of this server.')
  if (accept !== undefined && accept !== tool.hash)
    throw new Problem('conflict', 'The server describes this tool differently by now: look at it again.')
  const accepted = own ?? tool.held
  const isAccepted = accept !== undefined || accepted === undefined || accepted.spec.hash === tool.hash
  const wanted = state ?? (accept !== undefined || tool.state === 'on' ? 'on' : tool.state)
  if (wanted === 'on' && !isAccepted)
    throw new Problem(
      'conflict',
      'The server describes this tool differently than before: accept it by its hash first.',
    )
  const { hash: _, ...seen } = tool
  const made = descriptorOf(server.id, tool, accepted)
  const checked: ToolDescriptor =
    readOnly === undefined ? made : { ...made, readOnly, retry: readOnly ? 'again' : 'unknown' }
  // While it is off, what was accepted is kept; a description that nobody accepted is not.
  const kept = isAccepted ? checked : accepted
  const { held: __, ...rest } = { ...seen, hash: tool.hash }
  return {
    decided: wanted === 'on' ? { ...rest, state: 'on' } : { ...rest, state: wanted, held: kept },
    descriptor: checked,
  }
}

async function listedBy(
  { pool, targetOf }: ServersDeps,
  tenantId: TenantId,
  server: McpServer,
): Promise<{ readonly tools: readonly unknown[]; readonly version: string } | string> {
  try {
    const target = await targetOf(tenantId, server)
    return await pool.use(target, AbortSignal.timeout(listTimeoutMs), async (connection) => ({
      tools: await connection.list(),
      version: connection.version,
    }))
  } catch (error) {
    if (error instanceof Problem) return error.message
    throw error
  }
}

/** Undefined: somebody else has changed it meanwhile. */
async function refreshed(deps: ServersDeps, tenantId: TenantId, server: McpServer): Promise<McpServer | undefined> {
  const { store, descriptors } = deps
  const listed = await listedBy(deps, tenantId, server)
  if (typeof listed === 'string') return store.change(tenantId, server, { error: listed })
  const filter = { only: server.only ?? undefined, not: server.not ?? undefined }
  const listing = listingOf(server.name, listed.tools, filter)
  const names = [...new Set([...server.tools, ...listing.tools].map((each) => each.name))]
  const taken = new Map((await descriptors.named(tenantId, names)).map((each) => [each.name, each]))
  const { tools, leftOut, put, remove } = synced(server, listing, taken)
  // First what is known of them: whoever dies in between has kept what a descriptor held.
  const changed = await store.change(tenantId, server, {
    ...{ tools, leftOut, version: listed.version, listedAt: new Date(deps.clock.now()), error: null },
  })
  if (changed === undefined) return undefined
  for (const name of remove) await descriptors.remove(tenantId, name)
  await descriptors.put(tenantId, put)
  return changed
}
