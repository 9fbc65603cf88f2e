// Collection `mcp_servers`. The only file that knows its documents.

import { type Collection, type Db, MongoServerError } from 'mongodb'
import { newId, type TenantId } from '../../platform/ids.ts'
import { type CollectionSpec, durable } from '../../platform/mongo.ts'
import type { ToolDescriptor } from '../store.ts'
import type { ListedTool, Listing } from './listing.ts'

/**
 * `on`: among the tenant's tools. `changed`: the server describes it differently than a person accepted; `gone`: not listed
 * any more; `off`: somebody put it away. None of these three is among the tenant's tools.
 */
export const toolStates = ['on', 'off', 'changed', 'gone'] as const
export type ToolState = (typeof toolStates)[number]

export interface ServerTool extends ListedTool {
  readonly state: ToolState
  /** What was accepted, while it is not among the tenant's tools: with what the tenant has set of it. */
  readonly held?: ToolDescriptor | undefined
}

export interface ServerSettings {
  /** Where it is: one of the two. */
  readonly url: string | null
  readonly process: string | null
  readonly auth: { readonly header: string; readonly prefix: string; readonly secret: string } | null
  readonly isOn: boolean
  /** Names of the server's tools that are wanted, or not wanted; null: no list. */
  readonly only: readonly string[] | null
  readonly not: readonly string[] | null
}

export interface McpServer extends ServerSettings {
  readonly id: string
  readonly name: string
  readonly tools: readonly ServerTool[]
  readonly leftOut: Listing['leftOut']
  /** Of the protocol, at the last listing. */
  readonly version: string | null
  readonly listedAt: Date | null
  /** Why the last listing failed. */
  readonly error: string | null
  readonly revision: number
  readonly createdAt: Date
}

interface ServerDoc extends Omit<McpServer, 'id' | 'tools'> {
  readonly _id: string
  readonly tenantId: string
  /** As JSON text: the names in schemas are no field names of documents. */
  readonly toolsJson: string
}

export type ServerChange = Partial<Omit<McpServer, 'id' | 'name' | 'revision' | 'createdAt'>>

const duplicateKey = 11000

function toServer({ _id, tenantId: _, toolsJson, ...doc }: ServerDoc): McpServer {
  return { id: _id, ...doc, tools: JSON.parse(toolsJson) }
}

export const mcpServerStore = {
  spec: {
    name: 'mcp_servers',
    indexes: [{ key: { tenantId: 1, name: 1 }, name: 'name', unique: true }],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<ServerDoc> = db.collection('mcp_servers', durable)
    return {
      async byId(tenantId: TenantId, id: string): Promise<McpServer | undefined> {
        const doc = await collection.findOne({ _id: id, tenantId })
        return doc === null ? undefined : toServer(doc)
      },
      /** By name. */
      async list(
        tenantId: TenantId,
        page: { readonly after?: string | undefined; readonly limit: number },
      ): Promise<readonly McpServer[]> {
        const filter = { tenantId, ...(page.after === undefined ? {} : { name: { $gt: page.after } }) }
        return (await collection.find(filter).sort({ name: 1 }).limit(page.limit).toArray()).map(toServer)
      },
      /** Undefined when the name is taken. */
      async insert(tenantId: TenantId, name: string, settings: ServerSettings): Promise<McpServer | undefined> {
        const doc: ServerDoc = {
          ...{ _id: newId('mcp'), tenantId, name, ...settings, toolsJson: '[]', leftOut: [] },
          ...{ version: null, listedAt: null, error: null, revision: 1, createdAt: new Date() },
        }
        try {
          await collection.insertOne(doc)
          return toServer(doc)
        } catch (error) {
          if (error instanceof MongoServerError && error.code === duplicateKey) return undefined
          throw error
        }
      },
      /** Undefined when it is not there any more, or somebody else has changed it since. */
      async change(
        tenantId: TenantId,
        { id, revision }: McpServer,
        change: ServerChange,
      ): Promise<McpServer | undefined> {
        const { tools, ...rest } = change
        const set = { ...rest, ...(tools === undefined ? {} : { toolsJson: JSON.stringify(tools) }) }
        const doc = await collection.findOneAndUpdate(
          { _id: id, tenantId, revision },
          { $set: set, $inc: { revision: 1 } },
          { returnDocument: 'after' },
        )
        return doc === null ? undefined : toServer(doc)
      },
      async remove(tenantId: TenantId, id: string): Promise<boolean> {
        return (await collection.deleteOne({ _id: id, tenantId })).deletedCount === 1
      },
    }
  },
}
