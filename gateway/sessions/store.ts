// Collection `sessions`. The only file that knows its documents. `lastSeenAt` is the database's clock, never ours.

import type { Collection, Db, Filter, UpdateFilter } from 'mongodb'
import { asTenantId, type TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { EndReason } from '../protocol/realtime.ts'
import type { Page, SessionState, SessionView, Transport } from '../protocol/rest.ts'
import type { Channel } from '../protocol/turn.ts'
import type { PriceSnapshot, UsageSoFar } from '../usage/usage.ts'
import type { ResumeState } from './resume-token.ts'

export interface SessionFacts {
  readonly sessionId: string
  readonly agent: SessionView['agent']
  readonly conversationId: string
  readonly contactId: string
  readonly channel: Channel
  readonly keyId: string
  readonly engine: SessionView['engine']
  readonly owner: string
  readonly epoch: number
  readonly holdId: string
  /** What the janitor prices the last heartbeat with. */
  readonly price: PriceSnapshot
  /** Missing: no client of this session could come back. */
  readonly resume?: ResumeState
}

/** What the next owner needs beyond the turns. Written with every checkpoint. */
export interface Carried {
  /** Cumulative, all owners. */
  readonly used: UsageSoFar
  /** Seconds of absence that were not billed so far, in ms. */
  readonly freeGapMs: number
  /** Of the seconds in `used`, what had not passed yet, in ms. */
  readonly aheadMs: number
  readonly lastSeq: number
  /** The call was on. */
  readonly voice: boolean
  readonly resume?: ResumeState
  /** Only of a session that was let go in order: what its client has not acknowledged. */
  readonly frames?: readonly string[]
}

/** A session as its next owner finds it. */
export interface Resumable extends Carried {
  readonly view: SessionView
  readonly owner: string
  readonly epoch: number
  readonly holdId: string
  readonly price: PriceSnapshot
  /** The owner before let go in order. */
  readonly released: boolean
}

/** Cumulative; replaces what was there. */
export interface SessionProgress {
  readonly seconds: number
  readonly tokens: number
  readonly creditsMicro: number
  readonly costUsdMicro: number | null
  readonly turns: number
  readonly interruptions: number
  readonly latencyMs: number | null
  readonly lastText: string
  readonly activity: SessionView['activity']
  readonly transport?: Transport
}

interface SessionDoc extends Omit<SessionFacts, 'sessionId'>, SessionProgress, Partial<Carried> {
  _id: string
  tenantId: string
  state: SessionState
  endReason?: EndReason
  startedAt: Date
  endedAt?: Date
  lastSeenAt: Date
  released?: true
  /** Of the last progress. */
  written?: { epoch: number; order: number }
}

export interface SessionQuery {
  readonly state?: 'live' | 'ended'
  readonly cursor?: string
  readonly limit: number
  /** Part of the filter: what the caller may see. */
  readonly rows?: Readonly<Record<string, unknown>> | undefined
}

export interface ContactUsage {
  readonly contactId: string
  readonly sessions: number
  readonly seconds: number
  readonly creditsMicro: number
}

export interface StaleSession {
  readonly tenantId: TenantId
  readonly sessionId: string
  readonly holdId: string
  readonly epoch: number
  readonly lastSeenAt: Date
}

export const sessionCollection: CollectionSpec = {
  name: 'sessions',
  indexes: [
    { key: { tenantId: 1, startedAt: -1, _id: -1 }, name: 'by_start' },
    { key: { tenantId: 1, state: 1, startedAt: -1, _id: -1 }, name: 'by_state' },
    { key: { lastSeenAt: 1 }, name: 'alive', partialFilterExpression: { alive: true } },
  ],
}

const fresh: SessionProgress = {
  seconds: 0,
  tokens: 0,
  creditsMicro: 0,
  costUsdMicro: null,
  turns: 0,
  interruptions: 0,
  latencyMs: null,
  lastText: '',
  activity: 'listening',
}

function toView(doc: SessionDoc): SessionView {
  return {
    id: doc._id,
    tenantId: doc.tenantId,
    agent: doc.agent,
    conversationId: doc.conversationId,
    contactId: doc.contactId,
    channel: doc.channel,
    state: doc.state,
    ...(doc.endReason === undefined ? {} : { endReason: doc.endReason }),
    engine: doc.engine,
    ...(doc.transport === undefined ? {} : { transport: doc.transport }),
    startedAt: doc.startedAt.toISOString(),
    ...(doc.endedAt === undefined ? {} : { endedAt: doc.endedAt.toISOString() }),
    lastSeenAt: doc.lastSeenAt.toISOString(),
    seconds: doc.seconds,
    tokens: doc.tokens,
    creditsMicro: doc.creditsMicro,
    costUsdMicro: doc.costUsdMicro,
    turns: doc.turns,
    interruptions: doc.interruptions,
    latencyMs: doc.latencyMs,
    lastText: doc.lastText,
    activity: doc.activity,
  }
}

function toResumable(doc: SessionDoc): Resumable {
  return {
    view: toView(doc),
    owner: doc.owner,
    epoch: doc.epoch,
    holdId: doc.holdId,
    price: doc.price,
    used: doc.used ?? { seconds: doc.seconds, meters: {}, toolCalls: 0 },
    freeGapMs: doc.freeGapMs ?? 0,
    aheadMs: doc.aheadMs ?? 0,
    lastSeq: doc.lastSeq ?? 0,
    voice: doc.voice === true,
    ...(doc.resume === undefined ? {} : { resume: doc.resume }),
    ...(doc.frames === undefined ? {} : { frames: doc.frames }),
    released: doc.released === true,
  }
}

type Sessions = Collection<SessionDoc & { alive?: true }>
export type SessionStore = ReturnType<typeof openSessionStore>

export function openSessionStore(db: Db) {
  const collection: Sessions = db.collection('sessions', durable)
  return { ...writes(collection), ...ownership(collection), ...reads(collection, db) }
}

/** Later than every progress. */
const lastWord = Number.MAX_SAFE_INTEGER

const seen = { $currentDate: { lastSeenAt: true } } satisfies UpdateFilter<SessionDoc>

function writes(collection: Sessions) {
  return {
    async create(tenantId: TenantId, facts: SessionFacts, now: Date): Promise<SessionView> {
      const { sessionId, ...rest } = facts
      const doc: SessionDoc = {
        _id: sessionId,
        tenantId,
        ...rest,
        ...fresh,
        state: 'opening',
        startedAt: now,
        lastSeenAt: now,
      }
      const { _id, lastSeenAt, ...inserted } = doc
      await collection.updateOne(
        { _id, tenantId },
        { $setOnInsert: { ...inserted, alive: true }, ...seen },
        { upsert: true },
      )
      return toView(doc)
    },
    /** False when the session was ended by somebody else: the owner must stop. */
    async progress(
      tenantId: TenantId,
      sessionId: string,
      now: {
        readonly epoch: number
        /** Grows with each write of this owner: one that nobody waits for any more may come after its successor. */
        readonly order: number
        readonly state: SessionState
        readonly progress: SessionProgress
        readonly carried: Carried
      },
    ): Promise<boolean> {
      const { epoch, order } = now
      const later = { 'written.epoch': epoch, 'written.order': { $gt: order } }
      const result = await collection.updateOne(
        { _id: sessionId, tenantId, epoch, alive: true, $nor: [later] },
        { $set: { ...now.progress, ...now.carried, state: now.state, written: { epoch, order } }, ...seen },
      )
      return result.matchedCount === 1
    },
    /** Ends once: false when it had ended, or is not as the caller knew it: somebody else ends it. */
    async end(
      tenantId: TenantId,
      sessionId: string,
      end: {
        readonly reason: EndReason
        readonly progress: Partial<SessionProgress>
        readonly at: Date
        readonly onlyIf: { readonly epoch: number } | { readonly lastSeenAt: Date }
      },
    ): Promise<boolean> {
      const result = await collection.updateOne(
        { _id: sessionId, tenantId, alive: true, ...end.onlyIf },
        {
          $set: { ...end.progress, state: 'ended', endReason: end.reason, endedAt: end.at },
          $unset: { alive: '', frames: '' },
        },
      )
      return result.matchedCount === 1
    },
  }
}

/** Who owns a live session, and how that changes. */
function ownership(collection: Sessions) {
  return {
    /** The client got a new token. False: another process owns the session. */
    async rotate(
      tenantId: TenantId,
      sessionId: string,
      now: { readonly epoch: number; readonly resume: ResumeState },
    ): Promise<boolean> {
      const filter = { _id: sessionId, tenantId, epoch: now.epoch, alive: true as const }
      return (await collection.updateOne(filter, { $set: { resume: now.resume } })).matchedCount === 1
    },
    /** The owner lets go: what it carried is the last word under its epoch. */
    async release(
      tenantId: TenantId,
      sessionId: string,
      now: { readonly epoch: number; readonly progress: SessionProgress; readonly carried: Carried },
    ): Promise<boolean> {
      const result = await collection.updateOne(
        { _id: sessionId, tenantId, epoch: now.epoch, alive: true },
        {
          $set: { ...now.progress, ...now.carried, released: true, written: { epoch: now.epoch, order: lastWord } },
          ...seen,
        },
      )
      return result.matchedCount === 1
    },
    /** Takes the session over: the old epoch is refused from then on. Undefined: somebody else did, or it ended. */
    async claim(
      tenantId: TenantId,
      sessionId: string,
      by: { readonly fromEpoch: number; readonly owner: string; readonly resume: ResumeState },
    ): Promise<Resumable | undefined> {
      const before = by.resume.previous ?? ''
      const doc = await collection.findOneAndUpdate(
        {
          _id: sessionId,
          tenantId,
          alive: true,
          epoch: by.fromEpoch,
          $or: [{ 'resume.hash': before }, { 'resume.previous': before }],
        },
        {
          $set: { owner: by.owner, resume: by.resume },
          $inc: { epoch: 1 },
          $unset: { released: '', frames: '' },
          ...seen,
        },
        { returnDocument: 'after' },
      )
      return doc === null ? undefined : toResumable(doc)
    },
    /** Undefined when it has ended or never was. */
    async resumable(tenantId: TenantId, sessionId: string): Promise<Resumable | undefined> {
      const doc = await collection.findOne({ _id: sessionId, tenantId, alive: true })
      return doc === null ? undefined : toResumable(doc)
    },
    /** Whether nobody owned the session after this epoch. Who ended it may still have words of it to write. */
    async owns(tenantId: TenantId, sessionId: string, epoch: number): Promise<boolean> {
      const filter: Filter<SessionDoc> = { _id: sessionId, tenantId, epoch, endReason: { $ne: 'janitor' } }
      return (await collection.findOne(filter, { projection: { _id: 1 } })) !== null
    },
  }
}

function reads(collection: Sessions, db: Db) {
  return {
    async get(tenantId: TenantId, sessionId: string): Promise<SessionView | undefined> {
      const doc = await collection.findOne({ _id: sessionId, tenantId })
      return doc === null ? undefined : toView(doc)
    },
    /** The prices a session began with; undefined for a session nobody has. */
    async price(tenantId: TenantId, sessionId: string): Promise<PriceSnapshot | undefined> {
      const doc = await collection.findOne({ _id: sessionId, tenantId }, { projection: { price: 1 } })
      return doc?.price
    },
    async list(tenantId: TenantId, query: SessionQuery): Promise<Page<SessionView>> {
      const filter: Filter<SessionDoc> = { tenantId, ...(query.rows === undefined ? {} : { $and: [query.rows] }) }
      if (query.state === 'ended') filter.state = 'ended'
      if (query.state === 'live') filter.state = { $in: ['opening', 'live', 'ending'] }
      const after = cursorOf(query.cursor)
      if (after !== undefined)
        filter.$or = [{ startedAt: { $lt: after.at } }, { startedAt: after.at, _id: { $lt: after.id } }]
      const docs = await collection
        .find(filter)
        .sort({ startedAt: -1, _id: -1 })
        .limit(query.limit + 1)
        .toArray()
      const page = docs.slice(0, query.limit)
      const last = page.at(-1)
      return {
        items: page.map(toView),
        next: docs.length > query.limit && last !== undefined ? `${last.startedAt.getTime()}.${last._id}` : null,
      }
    },
    /** Ended and running sessions begun in the range, summed per contact. */
    async perContact(
      tenantId: TenantId,
      range: { readonly from: Date; readonly to: Date },
    ): Promise<readonly ContactUsage[]> {
      return collection
        .aggregate<ContactUsage>([
          { $match: { tenantId, startedAt: { $gte: range.from, $lt: range.to } } },
          {
            $group: {
              _id: '$contactId',
              sessions: { $sum: 1 },
              seconds: { $sum: '$seconds' },
              creditsMicro: { $sum: '$creditsMicro' },
            },
          },
          { $project: { _id: 0, contactId: '$_id', sessions: 1, seconds: 1, creditsMicro: 1 } },
        ])
        .toArray()
    },
    /** Sessions of all tenants without a checkpoint for `olderThanMs`, by the database's clock. For the janitor only. */
    async stale(olderThanMs: number, limit: number): Promise<readonly StaleSession[]> {
      const now = await databaseTime(db)
      const docs = await collection
        .find({ alive: true, lastSeenAt: { $lt: new Date(now.getTime() - olderThanMs) } })
        .sort({ lastSeenAt: 1 })
        .limit(limit)
        .toArray()
      return docs.map((doc) => ({
        tenantId: asTenantId(doc.tenantId),
        sessionId: doc._id,
        holdId: doc.holdId,
        epoch: doc.epoch,
        lastSeenAt: doc.lastSeenAt,
      }))
    },
  }
}

async function databaseTime(db: Db): Promise<Date> {
  const hello = await db.command({ hello: 1 })
  return hello.localTime instanceof Date ? hello.localTime : new Date()
}

function cursorOf(cursor: string | undefined): { at: Date; id: string } | undefined {
  const match = cursor === undefined ? null : /^(\d{1,15})\.(\w+)$/.exec(cursor)
  return match?.[1] === undefined || match[2] === undefined
    ? undefined
    : { at: new Date(Number(match[1])), id: match[2] }
}
