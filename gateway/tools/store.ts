// Collections `tools` and `tool_results`. The only file that knows their documents.

import { isDeepStrictEqual } from 'node:util'
import type { Collection, Db } from 'mongodb'
import { newId, type TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { Channel } from '../protocol/turn.ts'
import type { ToolKind } from './kinds.ts'
import type { ToolOutput } from './output.ts'

/** A tool as data: what the model is told, what it does, what one call costs. */
export interface ToolDescriptor {
  readonly name: string
  readonly description: string
  /** JSON Schema of the arguments. */
  readonly parameters: Readonly<Record<string, unknown>>
  readonly kind: ToolKind
  /** Micro-credits per call. */
  readonly creditCostMicro: number
  /** True: running it twice harms nobody. */
  readonly readOnly: boolean
}

interface ToolDoc extends Omit<ToolDescriptor, 'parameters'> {
  readonly _id: string
  readonly tenantId: string
  /** As JSON text: a schema's field names (`$defs`) are not field names of documents. */
  readonly parametersJson: string
}

interface ResultDoc extends ToolOutput {
  readonly _id: string
  readonly tenantId: string
  readonly sessionId: string
  readonly callId: string
  readonly channel?: Channel
  readonly name: string
  readonly createdAt: Date
}

function toDescriptor(doc: ToolDoc): ToolDescriptor {
  const { name, description, kind, creditCostMicro, readOnly } = doc
  return { name, description, kind, creditCostMicro, readOnly, parameters: JSON.parse(doc.parametersJson) }
}

export const toolStore = {
  spec: {
    name: 'tools',
    indexes: [{ key: { tenantId: 1, name: 1 }, name: 'name', unique: true }],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<ToolDoc> = db.collection('tools', durable)
    const named = async (tenantId: TenantId, names: readonly string[]): Promise<readonly ToolDescriptor[]> =>
      (await collection.find({ tenantId, name: { $in: [...names] } }).toArray()).map(toDescriptor)
    return {
      named,
      async list(tenantId: TenantId): Promise<readonly ToolDescriptor[]> {
        return (await collection.find({ tenantId }).sort({ name: 1 }).toArray()).map(toDescriptor)
      },
      /** Writes what differs only. */
      async put(tenantId: TenantId, tools: readonly ToolDescriptor[]): Promise<void> {
        const stored = new Map(
          (
            await named(
              tenantId,
              tools.map((each) => each.name),
            )
          ).map((each) => [each.name, each]),
        )
        for (const tool of tools) {
          if (isDeepStrictEqual(stored.get(tool.name), tool)) continue
          const { name, parameters, ...rest } = tool
          await collection.updateOne(
            { tenantId, name },
            { $set: { ...rest, parametersJson: JSON.stringify(parameters) }, $setOnInsert: { _id: newId('item') } },
            { upsert: true },
          )
        }
      },
    }
  },
}

/** A session is over long before; later its turns hold the outputs. */
const keptSeconds = 86_400

export const resultStore = {
  spec: {
    name: 'tool_results',
    indexes: [
      { key: { tenantId: 1, sessionId: 1, callId: 1 }, name: 'call', unique: true },
      { key: { createdAt: 1 }, name: 'expiry', expireAfterSeconds: keptSeconds },
    ],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<ResultDoc> = db.collection('tool_results', durable)
    return {
      async find(key: CallKey): Promise<ToolOutput | undefined> {
        const doc = await collection.findOne({ ...key })
        return doc === null ? undefined : { output: doc.output, ok: doc.ok }
      },
      /** The first result of a call stays: whoever comes second gets that one back. */
      async keep(
        key: CallKey,
        facts: { readonly name: string; readonly channel?: Channel } & ToolOutput,
      ): Promise<ToolOutput> {
        const doc = await collection.findOneAndUpdate(
          { ...key },
          { $setOnInsert: { _id: newId('call'), ...facts, createdAt: new Date() } },
          { upsert: true, returnDocument: 'after' },
        )
        return doc === null ? facts : { output: doc.output, ok: doc.ok }
      },
    }
  },
}

export interface CallKey {
  readonly tenantId: TenantId
  readonly sessionId: string
  readonly callId: string
}
