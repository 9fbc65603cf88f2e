// Collection `conversations`. The only file that knows its documents.

import type { Collection, Db, Filter, UpdateFilter } from 'mongodb'
import type { Clock } from '../platform/clock.ts'
import { newId, type TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { Filter as RowFilter } from '../platform/row-filter.ts'
import type { ConversationStats, ConversationStatus, ConversationView } from '../protocol/chat.ts'
import type { Channel } from '../protocol/turn.ts'

interface ConversationDoc {
  _id: string
  tenantId: string
  agentId: string
  /** Missing: nobody knows yet who writes. */
  contactId?: string
  status: 'active' | 'closed'
  /** A person answers since then. */
  handedOffAt?: Date
  /** Its own id: one of the contact's many with the agent. Null or missing: the one that calls and channels share. */
  thread?: string | null
  /** Where it began. Missing in documents older than the field. */
  channel?: Channel
  externalId?: string
  /** It has an external id and is not closed: the one of that id. */
  externalOpen?: true
  /** As JSON text: its field names are not field names of documents. */
  metadataJson?: string
  /** Last position given to a turn in writing. */
  seq?: number
  createdAt: Date
  updatedAt: Date
}

export type Conversation = Omit<ConversationView, keyof ConversationStats>

export interface NewConversation {
  /** Of the caller's making: the same one twice is one conversation. */
  readonly id?: string | undefined
  readonly agentId: string
  readonly channel: Channel
  readonly contactId?: string | undefined
  readonly externalId?: string | undefined
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
}

export interface ConversationQuery {
  readonly agentId?: string | undefined
  readonly contactId?: string | undefined
  readonly channel?: Channel | undefined
  readonly status?: ConversationStatus | undefined
  /** Of the last one before: `<updatedAt ms>.<id>`. */
  readonly cursor?: string | undefined
  readonly limit: number
}

export interface ConversationChange {
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
  readonly status?: ConversationStatus | undefined
}

const ruleFields: ReadonlySet<string> = new Set(['agentId', 'contactId', 'channel', 'externalId', 'status'])
export const conversationRowFields = {
  path: (field: string) => (field === 'id' ? '_id' : ruleFields.has(field) ? field : undefined),
}

const duplicateKey = 11000
const maxTries = 5

function toConversation(doc: ConversationDoc): Conversation {
  return {
    id: doc._id,
    agentId: doc.agentId,
    contactId: doc.contactId ?? null,
    channel: doc.channel ?? 'widget',
    externalId: doc.externalId ?? null,
    status: doc.status === 'closed' ? 'closed' : doc.handedOffAt === undefined ? 'active' : 'handed_off',
    metadata: doc.metadataJson === undefined ? {} : JSON.parse(doc.metadataJson),
    createdAt: doc.createdAt.toISOString(),
    updatedAt: doc.updatedAt.toISOString(),
  }
}

const spec: CollectionSpec = {
  name: 'conversations',
  // Let a contact have one open conversation with an agent, and no thread beside it.
  retired: ['one_active'],
  indexes: [
    {
      key: { tenantId: 1, agentId: 1, contactId: 1, thread: 1 },
      name: 'one_open',
      unique: true,
      partialFilterExpression: { status: 'active' },
    },
    {
      key: { tenantId: 1, channel: 1, externalId: 1 },
      name: 'external_open',
      unique: true,
      partialFilterExpression: { externalOpen: true },
    },
    { key: { tenantId: 1, externalId: 1, createdAt: -1 }, name: 'external' },
    { key: { tenantId: 1, updatedAt: -1, _id: -1 }, name: 'latest' },
    { key: { tenantId: 1, agentId: 1, updatedAt: -1, _id: -1 }, name: 'of_agent' },
    { key: { tenantId: 1, contactId: 1, updatedAt: -1, _id: -1 }, name: 'of_contact' },
  ],
}

type Conversations = Collection<ConversationDoc>

export const conversationStore = {
  spec,
  open(db: Db, clock: Clock) {
    const collection: Conversations = db.collection('conversations', durable)
    const now = (): Date => new Date(clock.now())
    return { ...making(collection, now), ...reading(collection), ...changing(collection, now) }
  },
}

export type ConversationStore = ReturnType<typeof conversationStore.open>

/** Two first messages at once: the unique index lets one insert win, the other finds it. */
async function winning(upsert: () => Promise<ConversationDoc | null>): Promise<Conversation> {
  for (let attempt = 1; ; attempt++) {
    try {
      const found = await upsert()
      if (found !== null) return toConversation(found)
    } catch (error) {
      const lost = error instanceof Error && 'code' in error && error.code === duplicateKey
      if (!lost || attempt === maxTries) throw error
    }
  }
}

function making(collection: Conversations, now: () => Date) {
  const after = { upsert: true, returnDocument: 'after' } as const
  return {
    /** The one that calls and channels share, of a contact with an agent. */
    findOrCreate(
      tenantId: TenantId,
      key: { readonly agentId: string; readonly contactId: string },
      channel?: Channel,
    ): Promise<Conversation> {
      const filter = {
        tenantId,
        agentId: key.agentId,
        contactId: key.contactId,
        status: 'active' as const,
        thread: null,
      }
      return winning(() => {
        const first = { _id: newId('conv'), createdAt: now(), ...(channel === undefined ? {} : { channel }) }
        return collection.findOneAndUpdate(filter, { $set: { updatedAt: now() }, $setOnInsert: first }, after)
      })
    },
    /** With an external id: the open one that has it, by any number of callers at once. */
    create(tenantId: TenantId, wanted: NewConversation): Promise<Conversation> {
      const { agentId, channel, contactId, externalId, metadata } = wanted
      return winning(() => {
        const id = wanted.id ?? newId('conv')
        const fields = {
          ...{ agentId, status: 'active' as const, thread: id, createdAt: now() },
          ...(contactId === undefined ? {} : { contactId }),
          ...(metadata === undefined ? {} : { metadataJson: JSON.stringify(metadata) }),
        }
        const set = { $set: { updatedAt: now() } }
        if (externalId === undefined)
          return collection.findOneAndUpdate(
            { _id: id, tenantId },
            { ...set, $setOnInsert: { ...fields, channel } },
            after,
          )
        const filter = { tenantId, channel, externalId, externalOpen: true as const }
        return collection.findOneAndUpdate(filter, { ...set, $setOnInsert: { ...fields, _id: id } }, after)
      })
    },
  }
}

function reading(collection: Conversations) {
  return {
    async get(tenantId: TenantId, id: string, rows: RowFilter = {}): Promise<Conversation | undefined> {
      const doc = await collection.findOne({ $and: [rows], _id: id, tenantId })
      return doc === null ? undefined : toConversation(doc)
    },
    /** The open one, else the latest. */
    async byExternalId(
      tenantId: TenantId,
      externalId: string,
      by: { readonly channel?: Channel | undefined; readonly rows?: RowFilter },
    ): Promise<Conversation | undefined> {
      const { channel, rows = {} } = by
      const only = channel === undefined ? {} : { channel }
      const filter: Filter<ConversationDoc> = { $and: [rows], tenantId, externalId, ...only }
      const docs = await collection.find(filter).sort({ createdAt: -1 }).limit(100).toArray()
      const doc = docs.find((each) => each.externalOpen === true) ?? docs[0]
      return doc === undefined ? undefined : toConversation(doc)
    },
    /** Those with the latest message first; one more than asked for tells that there are more. */
    async list(tenantId: TenantId, query: ConversationQuery, rows: RowFilter = {}): Promise<readonly Conversation[]> {
      const { agentId, contactId, channel, status } = query
      const filter: Filter<ConversationDoc> = {
        $and: [rows],
        tenantId,
        ...(agentId === undefined ? {} : { agentId }),
        ...(contactId === undefined ? {} : { contactId }),
        ...(channel === undefined ? {} : { channel }),
        ...(status === undefined ? {} : { status: status === 'closed' ? 'closed' : 'active' }),
        ...(status === 'handed_off' ? { handedOffAt: { $exists: true } } : {}),
        ...(status === 'active' ? { handedOffAt: { $exists: false } } : {}),
      }
      const [, ms, id] = /^(\d{1,15})\.(\w+)$/.exec(query.cursor ?? '') ?? []
      if (ms !== undefined && id !== undefined) {
        const at = new Date(Number(ms))
        filter.$or = [{ updatedAt: { $lt: at } }, { updatedAt: at, _id: { $lt: id } }]
      }
      const found = collection.find(filter).sort({ updatedAt: -1, _id: -1 })
      return (await found.limit(query.limit + 1).toArray()).map(toConversation)
    },
  }
}

function changing(collection: Conversations, now: () => Date) {
  const change = async (
    tenantId: TenantId,
    id: string,
    update: UpdateFilter<ConversationDoc>,
    only: Filter<ConversationDoc> = {},
  ): Promise<Conversation | undefined> => {
    const filter = { ...only, _id: id, tenantId }
    const doc = await collection.findOneAndUpdate(filter, update, { returnDocument: 'after' })
    return doc === null ? undefined : toConversation(doc)
  }
  return {
    /** Undefined: nobody has it, or its status was to change and it is closed, for good. */
    change(
      tenantId: TenantId,
      id: string,
      { metadata, status }: ConversationChange,
    ): Promise<Conversation | undefined> {
      const set = {
        updatedAt: now(),
        ...(metadata === undefined ? {} : { metadataJson: JSON.stringify(metadata) }),
        ...(status === undefined ? {} : { status: status === 'closed' ? ('closed' as const) : ('active' as const) }),
        ...(status === 'handed_off' ? { handedOffAt: now() } : {}),
      }
      const unset = {
        ...(status === 'closed' ? { externalOpen: '' as const } : {}),
        ...(status === 'active' ? { handedOffAt: '' as const } : {}),
      }
      const update = { $set: set, ...(Object.keys(unset).length === 0 ? {} : { $unset: unset }) }
      return change(tenantId, id, update, status === undefined ? {} : { status: 'active' })
    },
    /** Who writes in it, once that is known; a contact it has stays. */
    async link(tenantId: TenantId, id: string, contactId: string): Promise<void> {
      await collection.updateOne({ _id: id, tenantId, contactId: { $exists: false } }, { $set: { contactId } })
    },
    /** So many positions after all given before and not before now: the first of them. Undefined: no such conversation. */
    async place(tenantId: TenantId, id: string, count: number): Promise<number | undefined> {
      const at = now()
      const last = { $max: [{ $ifNull: ['$seq', 0] }, Math.floor(at.getTime()) * 1000] }
      const update = [{ $set: { seq: { $add: [last, count] }, updatedAt: at } }]
      const doc = await collection.findOneAndUpdate({ _id: id, tenantId }, update, { returnDocument: 'after' })
      return doc?.seq === undefined ? undefined : doc.seq - count + 1
    },
    async remove(tenantId: TenantId, id: string): Promise<boolean> {
      return (await collection.deleteOne({ _id: id, tenantId })).deletedCount === 1
    },
  }
}
