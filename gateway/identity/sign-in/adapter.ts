// better-auth on our own collections: string ids, one durable write per step, indexes that are declared. Sessions are the
// operators' sessions of every other way in: their `_id` is the hash of the cookie's token, which is kept nowhere.

import { type CleanedWhere, type CustomAdapter, createAdapterFactory } from 'better-auth/adapters'
import type { Collection, Db, Document, Filter } from 'mongodb'
import { newId } from '../../platform/ids.ts'
import { durable } from '../../platform/mongo.ts'
import { sha256 } from '../seal.ts'

export const sessionCollection = 'operator_sessions'

const comparisons = {
  ...{ eq: '$eq', ne: '$ne', lt: '$lt', lte: '$lte', gt: '$gt', gte: '$gte', in: '$in', not_in: '$nin' },
} as const
type Comparison = keyof typeof comparisons
const isComparison = (operator: string = 'eq'): operator is Comparison => Object.hasOwn(comparisons, operator)

interface Asked {
  readonly model: string
  readonly where?: readonly CleanedWhere[] | undefined
}

/** The row in whatever type the caller of the factory names. */
const told = (row: Document | null): { readonly row: Document[string] } => ({ row })

export interface AdapterOptions {
  readonly db: Db
  readonly now: () => number
  /** A session quieter than this is none. */
  readonly idleMs: number
}

export function operatorAdapter(options: AdapterOptions): ReturnType<typeof createAdapterFactory> {
  return createAdapterFactory({
    config: {
      adapterId: 'parley',
      supportsNumericIds: false,
      supportsJSON: false,
      supportsArrays: true,
      transaction: false,
      customIdGenerator: () => newId('acct'),
      mapKeysTransformInput: { id: '_id' },
      mapKeysTransformOutput: { _id: 'id' },
    },
    adapter: () => rowsOf(options),
  })
}

function rowsOf({ db, now, idleMs }: AdapterOptions): CustomAdapter {
  const collection = (model: string): Collection<Document> => db.collection(model, durable)
  const filter = ({ model, where = [] }: Asked): Filter<Document> => ({
    ...(model === sessionCollection ? { lastSeenAt: { $gt: new Date(now() - idleMs) } } : {}),
    ...conditions(model, where),
  })
  return {
    async create({ model, data }) {
      const stored = model === sessionCollection ? storedSession(data, now()) : data
      await collection(model).insertOne({ ...stored })
      return { ...data, ...told(stored).row, ...('token' in data ? { token: data.token } : {}) }
    },
    async findOne(asked) {
      return told(withToken(await collection(asked.model).findOne(filter(asked)), asked)).row
    },
    async findMany(asked) {
      const { model, limit, sortBy, offset } = asked
      const found = collection(model).find(filter(asked))
      if (sortBy !== undefined) found.sort({ [sortBy.field]: sortBy.direction === 'desc' ? -1 : 1 })
      const rows: Document = {
        rows: await found
          .skip(offset ?? 0)
          .limit(limit)
          .toArray(),
      }
      return rows.rows
    },
    count: ({ model, where }) => collection(model).countDocuments(filter({ model, where })),
    async update({ model, where, update }) {
      const change: Document = { $set: update }
      const row = await collection(model).findOneAndUpdate(filter({ model, where }), change, {
        returnDocument: 'after',
      })
      return told(withToken(row, { model, where })).row
    },
    async updateMany({ model, where, update }) {
      return (await collection(model).updateMany(filter({ model, where }), { $set: update })).modifiedCount
    },
    async delete({ model, where }) {
      await collection(model).deleteOne(conditions(model, where))
    },
    async deleteMany({ model, where }) {
      return (await collection(model).deleteMany(conditions(model, where))).deletedCount
    },
    async consumeOne({ model, where }) {
      return told(await collection(model).findOneAndDelete(filter({ model, where }))).row
    },
    async incrementOne({ model, where, increment, set }) {
      const change = {
        ...(Object.keys(increment).length === 0 ? {} : { $inc: increment }),
        ...(set === undefined || Object.keys(set).length === 0 ? {} : { $set: set }),
      }
      const row = await collection(model).findOneAndUpdate(filter({ model, where }), change, {
        returnDocument: 'after',
      })
      return told(row).row
    },
  }
}

/** Everything better-auth asks of us is a conjunction of comparisons; anything else is refused loudly. */
function conditions(model: string, where: readonly CleanedWhere[]): Filter<Document> {
  const parts = where.map(({ field, operator, value, connector }) => {
    if (connector !== 'AND' || !isComparison(operator)) throw new TypeError(`${model}: ${connector} ${operator}`)
    const isToken = model === sessionCollection && field === 'token'
    const name = isToken ? '_id' : field === 'id' ? '_id' : field
    return { name, condition: { [comparisons[operator]]: isToken ? hashes(value) : value } }
  })
  const names = new Set(parts.map((each) => each.name))
  if (names.size !== parts.length) return { $and: parts.map((each) => ({ [each.name]: each.condition })) }
  return Object.fromEntries(parts.map((each) => [each.name, each.condition]))
}

function hashes(value: unknown): unknown {
  return Array.isArray(value) ? value.map((each) => sha256(String(each))) : sha256(String(value))
}

function storedSession(data: Readonly<Record<string, unknown>>, now: number): Document {
  const { token, ...rest } = data
  return { ...rest, _id: sha256(String(token)), lastSeenAt: new Date(now) }
}

/** Who asks by a token gets it back; nobody else can be told it. */
function withToken(row: Document | null, { model, where = [] }: Asked): Document | null {
  if (row === null || model !== sessionCollection) return row
  return { ...row, token: String(where.find((each) => each.field === 'token')?.value ?? '') }
}
