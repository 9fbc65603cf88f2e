// Collections `tools` and `tool_results`. The only file that knows their documents.

import { isDeepStrictEqual } from 'node:util'
import type { Collection, Db } from 'mongodb'
import { newId, type TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { Channel } from '../protocol/turn.ts'
import type { ToolOutput } from './output.ts'
import type { JsonObject, ToolFacts } from './tool.ts'

/** A tool as data: what the model is told, what it does, what one call costs. */
export interface ToolDescriptor extends ToolFacts {
  /** JSON Schema of the arguments. */
  readonly parameters: JsonObject
  /** What its executor needs; empty for what is built in. */
  readonly spec: JsonObject
  /** When to use it and how, for the prompt. Empty: the description says enough. */
  readonly instructions: string
}

interface ToolDoc extends Omit<ToolDescriptor, 'parameters' | 'spec'> {
  readonly _id: string
  readonly tenantId: string
  /** As JSON text: a schema's field names (`$defs`) are not field names of documents. */
  readonly parametersJson: string
  readonly specJson: string
}

function toDescriptor({ _id, tenantId, parametersJson, specJson, ...facts }: ToolDoc): ToolDescriptor {
  return { ...facts, parameters: JSON.parse(parametersJson), spec: JSON.parse(specJson) }
}

/** A tenant's own; beyond it nobody finds one. */
const mostTools = 500

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
        return (await collection.find({ tenantId }).sort({ name: 1 }).limit(mostTools).toArray()).map(toDescriptor)
      },
      /** Writes what differs only. */
      async put(tenantId: TenantId, tools: readonly ToolDescriptor[]): Promise<void> {
        const names = tools.map((each) => each.name)
        const stored = new Map((await named(tenantId, names)).map((each) => [each.name, each]))
        for (const tool of tools) {
          if (isDeepStrictEqual(stored.get(tool.name), tool)) continue
          const { name, parameters, spec, ...rest } = tool
          const json = { parametersJson: JSON.stringify(parameters), specJson: JSON.stringify(spec) }
          await collection.updateOne(
            { tenantId, name },
            { $set: { ...rest, ...json }, $setOnInsert: { _id: newId('item') } },
            { upsert: true },
          )
        }
      },
      async remove(tenantId: TenantId, name: string): Promise<boolean> {
        return (await collection.deleteOne({ tenantId, name })).deletedCount === 1
      },
    }
  },
}

/** A session is over long before; later its turns hold the outputs. */
const keptSeconds = 86_400

interface CallFacts {
  readonly name: string
  readonly channel?: Channel
}

interface CallDoc extends CallFacts, Partial<Omit<ToolOutput, 'visual'>> {
  /** As JSON text: names in its data are not field names of documents. */
  readonly visualJson?: string

  readonly _id: string
  readonly tenantId: string
  readonly sessionId: string
  readonly callId: string
  /** `started`: it may be at work, or its process died over it. */
  readonly state: 'started' | 'done'
  /** Whoever comes after it may take a started call over. */
  readonly until: Date
  readonly attempt: number
  readonly createdAt: Date
}

/** `begun`: the caller runs it. `started`: somebody else does, or did. */
export type Begun =
  | { readonly is: 'begun'; readonly attempt: number }
  | { readonly is: 'done'; readonly output: ToolOutput }
  | { readonly is: 'started'; readonly attempt: number; readonly untilMs: number }

function outputOf({ output = '', ok = false, is, visualJson, cites }: CallDoc): ToolOutput {
  const visual = visualJson === undefined ? {} : { visual: JSON.parse(visualJson) }
  return { output, ok, ...(is === undefined ? {} : { is }), ...visual, ...(cites === undefined ? {} : { cites }) }
}

function stored({ visual, ...rest }: ToolOutput): Partial<CallDoc> {
  return { ...rest, ...(visual === undefined ? {} : { visualJson: JSON.stringify(visual) }) }
}

export const callStore = {
  spec: {
    name: 'tool_results',
    indexes: [
      { key: { tenantId: 1, sessionId: 1, callId: 1 }, name: 'call', unique: true },
      { key: { createdAt: 1 }, name: 'expiry', expireAfterSeconds: keptSeconds },
    ],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<CallDoc> = db.collection('tool_results', durable)
    const stateOf = (doc: CallDoc): Begun =>
      doc.state === 'done'
        ? { is: 'done', output: outputOf(doc) }
        : { is: 'started', attempt: doc.attempt, untilMs: doc.until.getTime() }
    return {
      /** Undefined: nobody began it. */
      async find(key: CallKey): Promise<Begun | undefined> {
        const doc = await collection.findOne({ ...key })
        return doc === null ? undefined : stateOf(doc)
      },
      /** Before something happens that must not happen twice. */
      async begin(key: CallKey, facts: CallFacts, until: Date): Promise<Begun> {
        const id = newId('call')
        const doc = await collection.findOneAndUpdate(
          { ...key },
          { $setOnInsert: { _id: id, ...facts, state: 'started', until, attempt: 1, createdAt: new Date() } },
          { upsert: true, returnDocument: 'after' },
        )
        if (doc === null || doc._id === id) return { is: 'begun', attempt: 1 }
        return stateOf(doc)
      },
      /** From a process that did not come back. False: somebody else was sooner. */
      async takeOver(key: CallKey, attempt: number, until: Date): Promise<boolean> {
        const update = { $set: { attempt: attempt + 1, until } }
        return (await collection.updateOne({ ...key, state: 'started', attempt }, update)).modifiedCount === 1
      },
      /** The first result of a call stays: whoever comes second gets that one back. */
      async keep(key: CallKey, facts: CallFacts, result: ToolOutput): Promise<ToolOutput> {
        const done = { state: 'done', ...stored(result) } as const
        const { modifiedCount } = await collection.updateOne({ ...key, state: 'started' }, { $set: done })
        if (modifiedCount === 1) return result
        const first = { _id: newId('call'), ...facts, ...done, until: new Date(0), attempt: 1, createdAt: new Date() }
        const doc = await collection.findOneAndUpdate(
          { ...key },
          { $setOnInsert: first },
          { upsert: true, returnDocument: 'after' },
        )
        return doc === null ? result : outputOf(doc)
      },
    }
  },
}

export interface CallKey {
  readonly tenantId: TenantId
  readonly sessionId: string
  readonly callId: string
}
