// Collection `turns`. The only file that knows its documents, their versions and their fence.

import { type AnyBulkWriteOperation, type Collection, type Db, MongoBulkWriteError } from 'mongodb'
import type { Clock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { Channel, ToolState, Turn, TurnRole, TurnState } from '../protocol/turn.ts'
import type { ShownVisual } from '../protocol/visuals/visual.ts'
import { WriteQueue } from './write-queue.ts'

interface TurnDoc {
  _id: string
  tenantId: string
  channel: Channel
  sessionId: string
  conversationId: string
  role: TurnRole
  state: TurnState
  seq: number
  text: string
  unheard?: string
  voice: boolean
  itemId: string
  tool?: Turn['tool']
  toolCalls?: Turn['toolCalls']
  /** Its data as JSON text: names in it are not field names of documents. */
  visual?: Omit<ShownVisual, 'data'> & { readonly dataJson: string }
  citations?: Turn['citations']
  usage?: Turn['usage']
  audio?: Turn['audio']
  latencyMs?: number
  latency?: Turn['latency']
  createdAt: Date
  updatedAt: Date
  /** Who wrote this version. Missing in documents older than the field: anybody may change them. */
  epoch?: number
  /** Orders the versions of one epoch. */
  rev?: number
  /** A later owner of the session has been here: owners before it change nothing any more. */
  fence?: number
}

/** A turn as one owner had it at one moment. A stored turn is replaced by a later (epoch, rev) only. */
export interface Version {
  readonly turn: Turn
  readonly epoch: number
  readonly rev: number
}

/** `superseded`: a later version of the same owner is stored, which is as good. */
export type Outcome =
  | { readonly is: 'stored' | 'superseded' | 'fenced' }
  | { readonly is: 'failed'; readonly error: unknown }

interface Item {
  readonly tenantId: TenantId
  readonly version: Version
  /** Of a process that is dead: it wrote before anybody could take over, so the fence does not concern it. */
  readonly late: boolean
}

type Stamp = Pick<TurnDoc, '_id' | 'epoch' | 'rev' | 'fence'>
type Attempt = Outcome | { readonly is: 'raced' }

const duplicateKey = 11000
/** Two first versions of a turn in flight at once: one insert loses and finds the other at the next try. */
const maxTries = 4

function toTurn(doc: TurnDoc): Turn {
  return {
    id: doc._id,
    sessionId: doc.sessionId,
    conversationId: doc.conversationId,
    channel: doc.channel,
    role: doc.role,
    state: doc.state,
    seq: doc.seq,
    text: doc.text,
    ...(doc.unheard === undefined ? {} : { unheard: doc.unheard }),
    voice: doc.voice,
    itemId: doc.itemId,
    ...(doc.tool === undefined ? {} : { tool: doc.tool }),
    ...(doc.visual === undefined ? {} : { visual: toVisual(doc.visual) }),
    ...(doc.toolCalls === undefined ? {} : { toolCalls: doc.toolCalls }),
    ...(doc.citations === undefined ? {} : { citations: doc.citations }),
    ...(doc.usage === undefined ? {} : { usage: doc.usage }),
    ...(doc.audio === undefined ? {} : { audio: doc.audio }),
    ...(doc.latencyMs === undefined ? {} : { latencyMs: doc.latencyMs }),
    ...(doc.latency === undefined ? {} : { latency: doc.latency }),
    createdAt: doc.createdAt.toISOString(),
    updatedAt: doc.updatedAt.toISOString(),
  }
}

function toVisual({ dataJson, ...visual }: NonNullable<TurnDoc['visual']>): ShownVisual {
  return { ...visual, data: JSON.parse(dataJson) }
}

function visualDoc({ id, visual, data }: ShownVisual): NonNullable<TurnDoc['visual']> {
  return { id, visual, dataJson: JSON.stringify(data) }
}

/** What may change of a stored turn; the rest is set once. */
function changes(turn: Turn) {
  return {
    state: turn.state,
    text: turn.text,
    ...(turn.unheard === undefined ? {} : { unheard: turn.unheard }),
    voice: turn.voice,
    ...(turn.tool === undefined ? {} : { tool: turn.tool }),
    ...(turn.visual === undefined ? {} : { visual: visualDoc(turn.visual) }),
    ...(turn.toolCalls === undefined ? {} : { toolCalls: turn.toolCalls }),
    ...(turn.citations === undefined ? {} : { citations: turn.citations }),
    ...(turn.usage === undefined ? {} : { usage: turn.usage }),
    ...(turn.audio === undefined ? {} : { audio: turn.audio }),
    ...(turn.latencyMs === undefined ? {} : { latencyMs: turn.latencyMs }),
    ...(turn.latency === undefined ? {} : { latency: turn.latency }),
    updatedAt: new Date(turn.updatedAt),
  }
}

function upsert({ tenantId, version, late }: Item): AnyBulkWriteOperation<TurnDoc> {
  const { turn, epoch, rev } = version
  const newer = [{ epoch: { $gt: epoch } }, { epoch, rev: { $gt: rev } }]
  return {
    updateOne: {
      // Where a newer version stands the filter finds nothing and the insert meets the `_id`: E11000, nothing is written.
      filter: { _id: turn.id, tenantId, $nor: late ? newer : [...newer, { fence: { $gt: epoch } }] },
      update: {
        $set: { ...changes(turn), epoch, rev },
        $setOnInsert: {
          channel: turn.channel,
          sessionId: turn.sessionId,
          conversationId: turn.conversationId,
          role: turn.role,
          seq: turn.seq,
          itemId: turn.itemId,
          createdAt: new Date(turn.createdAt),
        },
      },
      upsert: true,
    },
  }
}

/** Why an upsert met a stored turn. */
function verdict(doc: Stamp | undefined, { version, late }: Item): Attempt {
  if (doc === undefined) return { is: 'raced' }
  const { epoch = 0, rev = 0, fence = 0 } = doc
  if (epoch > version.epoch || (!late && fence > version.epoch)) return { is: 'fenced' }
  return { is: epoch === version.epoch && rev > version.rev ? 'superseded' : 'raced' }
}

function createBulk(collection: Collection<TurnDoc>) {
  const refused = async (items: readonly Item[]): Promise<Map<string, Stamp>> => {
    const found = new Map<string, Stamp>()
    for (const [tenantId, mine] of Map.groupBy(items, (item) => item.tenantId)) {
      const ids = mine.map((item) => item.version.turn.id)
      const stamps = collection.find({ _id: { $in: ids }, tenantId }).project<Stamp>({ epoch: 1, rev: 1, fence: 1 })
      for await (const stamp of stamps) found.set(stamp._id, stamp)
    }
    return found
  }
  /** One command. Unordered: each turn is its own document and versions are ordered by themselves. */
  return async (items: readonly Item[]): Promise<readonly Attempt[]> => {
    const attempts = new Map<number, Attempt>()
    try {
      await collection.bulkWrite(items.map(upsert), { ordered: false })
    } catch (error) {
      if (!(error instanceof MongoBulkWriteError)) throw error
      const failures = error.result.getWriteErrors()
      // Without a single write that failed the command did. Thrown bare: this error carries the documents, what was said
      // among them, and may be logged by whoever catches it.
      if (failures.length === 0 || error.result.getWriteConcernError() !== undefined) throw new Error(error.message)
      const duplicates = failures.filter((each) => each.code === duplicateKey).map((each) => each.index)
      const docs = await refused(items.filter((_, at) => duplicates.includes(at)))
      for (const { index, code, errmsg } of failures)
        attempts.set(index, { is: 'failed', error: new Error(`the store refused a turn (${code}): ${errmsg ?? ''}`) })
      for (const at of duplicates) {
        const item = items[at]
        if (item !== undefined) attempts.set(at, verdict(docs.get(item.version.turn.id), item))
      }
    }
    return items.map((_, at) => attempts.get(at) ?? { is: 'stored' })
  }
}

export interface CallKey {
  readonly conversationId: string
  readonly callId: string
}

export interface Settled {
  readonly state: ToolState
  readonly output: string
  readonly rev: number
}

export interface TurnWrite {
  readonly versions: readonly Version[]
  readonly late?: boolean
  /** Asked in the moment of sending. */
  readonly mayGo?: () => boolean
}

export const turnStore = {
  spec: {
    name: 'turns',
    indexes: [
      { key: { tenantId: 1, conversationId: 1, seq: 1 }, name: 'conversation' },
      { key: { tenantId: 1, sessionId: 1, seq: 1 }, name: 'session' },
    ],
  } satisfies CollectionSpec,
  open(db: Db, clock: Clock) {
    const collection: Collection<TurnDoc> = db.collection('turns', durable)
    const queue = new WriteQueue<Item, Attempt>({ clock, write: createBulk(collection) })
    let lastRev = 0
    return {
      /** Orders versions: later calls give later ones, over restarts too while the wall clock does not step back. */
      nextRev(): number {
        lastRev = Math.max(lastRev + 1, Math.floor(clock.now()) * 1000)
        return lastRev
      },
      /** Outcomes in the order of the versions; undefined: `mayGo` said no and the rest was not sent. Rejects when the store failed. */
      async write(
        tenantId: TenantId,
        { versions, late = false, mayGo }: TurnWrite,
      ): Promise<readonly Outcome[] | undefined> {
        const outcomes = new Map<number, Outcome>()
        let left = versions.map((version, at) => ({ at, item: { tenantId, version, late } }))
        for (let tries = 0; left.length > 0; tries++) {
          if (tries === maxTries) throw new Error('the same turns are written from elsewhere at the same time')
          const attempts = await queue.add(
            left.map((each) => each.item),
            mayGo,
          )
          if (attempts === undefined) return undefined
          const raced: typeof left = []
          for (const [n, each] of left.entries()) {
            const attempt = attempts[n] ?? { is: 'raced' }
            if (attempt.is === 'raced') raced.push(each)
            else outcomes.set(each.at, attempt)
          }
          left = raced
        }
        return versions.map((_, at) => outcomes.get(at) ?? { is: 'stored' })
      },
      async ofConversation(tenantId: TenantId, conversationId: string, limit: number): Promise<readonly Turn[]> {
        const docs = await collection.find({ tenantId, conversationId }).sort({ seq: -1 }).limit(limit).toArray()
        return docs.reverse().map(toTurn)
      },
      ...reads(collection),
      async ofSession(tenantId: TenantId, sessionId: string): Promise<readonly Turn[]> {
        const docs = await collection.find({ tenantId, sessionId }).sort({ seq: 1 }).toArray()
        return docs.map(toTurn)
      },
      /** From now on owners before `epoch` change nothing that is stored. */
      async fence(tenantId: TenantId, sessionId: string, epoch: number): Promise<void> {
        const filter = { tenantId, sessionId, $nor: [{ fence: { $gte: epoch } }] }
        await collection.updateMany(filter, { $set: { fence: epoch } })
      },
      /** A later version of a call that waited, whoever wrote it. False: none waits. */
      async settleCall(tenantId: TenantId, of: CallKey, { rev, ...how }: Settled): Promise<boolean> {
        const { conversationId, callId } = of
        const filter = { tenantId, conversationId, 'tool.callId': callId, 'tool.state': 'waiting' } as const
        const set = { 'tool.state': how.state, 'tool.output': how.output, rev, updatedAt: new Date(clock.now()) }
        return (await collection.updateOne(filter, { $set: set })).matchedCount === 1
      },
      async closePartial(tenantId: TenantId, sessionId: string, epoch: number): Promise<number> {
        const result = await collection.updateMany(
          { tenantId, sessionId, state: 'partial', $nor: [{ epoch: { $gt: epoch } }, { fence: { $gt: epoch } }] },
          { $set: { state: 'final', updatedAt: new Date(clock.now()) } },
        )
        return result.modifiedCount
      },
    }
  },
}

/** What the turns of one conversation took in all. */
export interface TurnSums {
  readonly messageCount: number
  readonly tokensUsed: number
  readonly costUsdMicro: number
  readonly creditsMicro: number
}

function reads(collection: Collection<TurnDoc>) {
  return {
    /** Oldest first, those after the position. */
    async after(tenantId: TenantId, conversationId: string, page: { seq: number; limit: number }): Promise<Turn[]> {
      const filter = { tenantId, conversationId, seq: { $gt: page.seq } }
      return (await collection.find(filter).sort({ seq: 1 }).limit(page.limit).toArray()).map(toTurn)
    },
    async sums(tenantId: TenantId, conversationIds: readonly string[]): Promise<ReadonlyMap<string, TurnSums>> {
      const used = (field: string) => ({ $sum: `$usage.${field}` })
      const groups = await collection
        .aggregate<{ _id: string; input: number; output: number } & Omit<TurnSums, 'tokensUsed'>>([
          { $match: { tenantId, conversationId: { $in: [...conversationIds] } } },
          {
            $group: {
              _id: '$conversationId',
              messageCount: { $sum: 1 },
              ...{ input: used('inputTokens'), output: used('outputTokens') },
              ...{ costUsdMicro: used('costUsdMicro'), creditsMicro: used('creditsMicro') },
            },
          },
        ])
        .toArray()
      return new Map(
        groups.map(({ _id, input, output, ...sums }) => [_id, { ...sums, tokensUsed: input + output }] as const),
      )
    },
    /** Which of these calls a turn of the conversation asked for, and which have their output. */
    async calls(tenantId: TenantId, conversationId: string, callIds: readonly string[]) {
      const wanted = { $in: [...callIds] }
      const filter = { tenantId, conversationId, $or: [{ 'toolCalls.callId': wanted }, { 'tool.callId': wanted }] }
      const docs = await collection.find(filter).toArray()
      return {
        asked: new Map(docs.flatMap((doc) => (doc.toolCalls ?? []).map((call) => [call.callId, call] as const))),
        answered: new Set(docs.flatMap((doc) => (doc.tool === undefined ? [] : [doc.tool.callId]))),
      }
    },
    async removeAll(tenantId: TenantId, conversationId: string): Promise<void> {
      await collection.deleteMany({ tenantId, conversationId })
    },
  }
}
