// Tools of Model Context Protocol servers: a tenant's own over HTTP, and processes that the person who runs the gateway has
// named. Owns the servers, what they list, and the connections to them.

import type { Db } from 'mongodb'
import type { Clock } from '../../platform/clock.ts'
import type { FetchGuard } from '../../platform/fetch-guard/fetch-guard.ts'
import type { TenantId } from '../../platform/ids.ts'
import type { Log } from '../../platform/log.ts'
import type { CollectionSpec } from '../../platform/mongo.ts'
import { Problem } from '../../platform/problem.ts'
import type { Executor } from '../tool.ts'
import { mcpExecutor } from './executor.ts'
import { httpPlace } from './http-place.ts'
import { createPool, type Target } from './pool.ts'
import { type OwnProcess, processPlace } from './process-place.ts'
import { type Descriptors, type TenantMcpServers, tenantServers } from './servers.ts'
import { type McpServer, mcpServerStore, type ServerSettings } from './store.ts'

export type { OwnProcess } from './process-place.ts'
export type { TenantMcpServers } from './servers.ts'

export interface Mcp {
  readonly executor: Executor
  of(tenantId: TenantId): TenantMcpServers
  /** Names of the processes that this tenant may use. */
  processes(tenantId: TenantId): Promise<readonly string[]>
  /** Ends the processes and closes the connections. */
  drain(): Promise<void>
}

export interface McpDeps {
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
  readonly guard: Pick<FetchGuard, 'as' | 'check'>
  readonly descriptors: Descriptors
  /** A tenant's secret by its name. */
  readonly secret: (tenantId: TenantId, name: string) => Promise<string | undefined>
  readonly slugOf: (tenantId: TenantId) => Promise<string | undefined>
  readonly processes: readonly OwnProcess[]
}

export const mcpCollections: readonly CollectionSpec[] = [mcpServerStore.spec]

/** One answer, as it comes over the wire: far more than is passed on. A call ends sooner by its own time. */
const limits = { maxBytes: 1024 * 1024, totalMs: 90_000 }
/** Shorter ones are words that an answer may hold by chance. */
const secretChars = 6

export function createMcp(deps: McpDeps): Mcp {
  const store = mcpServerStore.open(deps.db)
  const pool = createPool(deps)

  async function processOf(tenantId: TenantId, name: string): Promise<OwnProcess> {
    const own = deps.processes.find((each) => each.name === name)
    const isFor = own !== undefined && (await mayUse(deps, own, tenantId))
    if (own === undefined || !isFor) throw new Problem('invalid', 'There is no such process for this tenant.')
    return own
  }
  async function headerOf(tenantId: TenantId, { auth }: McpServer) {
    if (auth === null) return undefined
    const value = await deps.secret(tenantId, auth.secret)
    if (value === undefined) throw new Problem('invalid', `The secret ${auth.secret} is not set.`)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what it must not hold.
    if (/[\u0000-\u001f\u007f]/.test(value))
      throw new Problem('invalid', `The secret ${auth.secret} is no header's value.`)
    return { name: auth.header, value: `${auth.prefix}${value}` }
  }
  async function targetOf(tenantId: TenantId, server: McpServer): Promise<Target> {
    const { id: serverId, url } = server
    if (server.process !== null) {
      const place = processPlace(await processOf(tenantId, server.process), tenantId)
      return { tenantId, serverId, mark: server.process, place }
    }
    if (url === null) throw new Problem('invalid', 'The server has no address.')
    const header = await headerOf(tenantId, server)
    const fetch = deps.guard.as({ tenantId, lane: `mcp:${serverId}`, limits })
    return { tenantId, serverId, mark: JSON.stringify([url, header]), place: httpPlace({ url, header, fetch }) }
  }
  async function checkSettings(tenantId: TenantId, { url, process, auth }: ServerSettings): Promise<void> {
    if ((url === null) === (process === null)) throw new Problem('invalid', 'A server has an address or is a process.')
    if (process !== null) await processOf(tenantId, process)
    if (process !== null && auth !== null) throw new Problem('invalid', 'A process takes no credentials.')
    if (url !== null) await deps.guard.check(url)
  }
  async function secretsOf(tenantId: TenantId, { auth }: McpServer): Promise<readonly string[]> {
    const value = auth === null ? undefined : await deps.secret(tenantId, auth.secret)
    return value === undefined || value.length < secretChars ? [] : [value]
  }
  const servers = { store, pool, targetOf, checkSettings, ...deps }
  return {
    executor: mcpExecutor({ store, pool, targetOf, secretsOf }),
    of: (tenantId) => tenantServers(servers, tenantId),
    async processes(tenantId) {
      const may = await Promise.all(deps.processes.map((each) => mayUse(deps, each, tenantId)))
      return deps.processes.filter((_, i) => may[i]).map((each) => each.name)
    },
    drain: () => pool.drain(),
  }
}

async function mayUse({ slugOf }: McpDeps, { tenants }: OwnProcess, tenantId: TenantId): Promise<boolean> {
  if (tenants === undefined) return true
  const slug = await slugOf(tenantId)
  return slug !== undefined && tenants.includes(slug)
}
