// Collection `contacts`. The only file that knows its documents.

import { type Collection, type Db, type Filter, MongoServerError } from 'mongodb'
import { newId, type TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { Filter as RowFilter } from '../platform/row-filter.ts'
import type { ContactView } from '../protocol/chat.ts'
import { searchWordsOf, type Written } from './contact-details.ts'

interface ContactDoc extends Written {
  _id: string
  tenantId: string
  /**
   * `visitor:…` (a browser), `api:…` (a customer's own id), `email:<hash>`, `phone:<hash>`, `whatsapp:…` and the like;
   * `record:<its id>` where it was written down before the person was ever heard of. One contact per identity and tenant.
   */
  identities: string[]
  emailHash?: string
  email?: string
  /** E.164. */
  phone?: string
  /** The contact of the e-mail a visitor claimed: joins usage with invoices, opens nothing. */
  claims?: string
  /** What it is searched by. Missing where nothing of it was written since there were any. */
  words?: string[]
  createdAt: Date
  updatedAt: Date
}

const duplicateKey = 11000
const lost = (error: unknown) => error instanceof MongoServerError && error.code === duplicateKey

export const contactStore = {
  spec: {
    name: 'contacts',
    indexes: [
      { key: { tenantId: 1, identities: 1 }, name: 'identity', unique: true },
      { key: { tenantId: 1, emailHash: 1 }, name: 'email' },
      { key: { tenantId: 1, createdAt: -1, _id: -1 }, name: 'latest' },
      { key: { tenantId: 1, words: 1 }, name: 'words', partialFilterExpression: { words: { $exists: true } } },
    ],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<ContactDoc> = db.collection('contacts', durable)
    return { ...making(collection), ...joining(collection), ...reads(collection), ...writes(collection) }
  },
}

function making(collection: Collection<ContactDoc>) {
  return {
    /** Finds or makes the contact of an identity; any number of callers at once get the same. */
    async upsert(
      tenantId: TenantId,
      identity: string,
      facts: {
        readonly email?: string
        readonly emailHash?: string
        readonly phone?: string
        readonly claims?: string
      },
    ): Promise<string> {
      const { emailHash, ...set } = facts
      const words = searchWordsOf(facts)
      for (let attempt = 0; ; attempt++) {
        try {
          const doc = await collection.findOneAndUpdate(
            { tenantId, identities: identity },
            {
              $set: { ...set, updatedAt: new Date() },
              ...found(words),
              $setOnInsert: {
                _id: newId('cont'),
                identities: [identity],
                ...(emailHash === undefined ? {} : { emailHash }),
                createdAt: new Date(),
              },
            },
            { upsert: true, returnDocument: 'after' },
          )
          if (doc !== null) return doc._id
        } catch (error) {
          // Two first sessions at once: the unique index lets one insert win, the other finds it.
          if (!lost(error) || attempt > 4) throw error
        }
      }
    },
  }
}

function joining(collection: Collection<ContactDoc>) {
  return {
    /** Gives a contact known by another identity its e-mail; undefined when it has one, or the e-mail has a contact. */
    async adopt(
      tenantId: TenantId,
      identity: string,
      person: { readonly identity: string; readonly email: string; readonly emailHash: string },
    ): Promise<string | undefined> {
      const { identity: added, ...set } = person
      try {
        const doc = await collection.findOneAndUpdate(
          { tenantId, identities: identity, emailHash: { $exists: false } },
          {
            $addToSet: { identities: added, words: { $each: searchWordsOf(person) } },
            $set: { ...set, updatedAt: new Date() },
          },
        )
        return doc?._id
      } catch (error) {
        if (lost(error)) return undefined
        throw error
      }
    },
    /** Gives a contact one more identity; false when another contact has it (people are not merged unasked). */
    async link(
      tenantId: TenantId,
      contactId: string,
      identity: string,
      facts: { readonly email?: string; readonly emailHash?: string; readonly phone?: string } = {},
    ): Promise<boolean> {
      const now = Object.keys(facts).length === 0 ? {} : { $set: { ...facts, updatedAt: new Date() } }
      try {
        // What it has stays: a second number is one more identity, not another first one.
        const filter = { _id: contactId, tenantId, identities: { $ne: identity } }
        const words = searchWordsOf(facts)
        await collection.updateOne(filter, {
          $addToSet: { identities: identity, ...(words.length === 0 ? {} : { words: { $each: words } }) },
          ...now,
        })
        return true
      } catch (error) {
        if (lost(error)) return false
        throw error
      }
    },
  }
}

const found = (words: readonly string[]) => (words.length === 0 ? {} : { $addToSet: { words: { $each: [...words] } } })

/** What people write down about a contact. */
function writes(collection: Collection<ContactDoc>) {
  return {
    /** Under an id that is always the same for the same thing asked for: whoever comes second finds it there. */
    async insert(tenantId: TenantId, id: string, written: Written): Promise<void> {
      const now = new Date()
      const doc = { ...written, _id: id, tenantId, identities: [`record:${id}`], words: searchWordsOf(written) }
      await collection.insertOne({ ...doc, createdAt: now, updatedAt: now }).catch((error: unknown) => {
        if (!lost(error)) throw error
      })
    },
    /** False: it was changed meanwhile. */
    async write(tenantId: TenantId, known: KnownContact, written: Written): Promise<boolean> {
      const kept = { ...known.written, ...written }
      const set = Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined))
      const gone = Object.keys(known.written).filter((name) => !Object.hasOwn(set, name))
      const { email, phone } = known
      const words = searchWordsOf({
        ...set,
        ...(email === undefined ? {} : { email }),
        ...(phone === undefined ? {} : { phone }),
      })
      const result = await collection.updateOne(
        { _id: known.id, tenantId, updatedAt: known.updatedAt },
        {
          $set: { ...set, words, updatedAt: new Date(Math.max(Date.now(), known.updatedAt.getTime() + 1)) },
          ...(gone.length === 0 ? {} : { $unset: Object.fromEntries(gone.map((name) => [name, true])) }),
        },
      )
      return result.modifiedCount === 1
    },
  }
}

/** A contact as it is, for whoever changes it. */
export interface KnownContact {
  readonly id: string
  readonly view: ContactView
  readonly email?: string
  readonly phone?: string
  readonly written: Written
  readonly updatedAt: Date
}

function reads(collection: Collection<ContactDoc>) {
  return {
    /** Hash of the e-mail a contact has or claims, by contact id. At most `ids.length` documents, twice. */
    async emailHashes(tenantId: TenantId, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
      const docs = await collection.find({ _id: { $in: [...ids] }, tenantId }).toArray()
      const claimed = docs.flatMap((doc) =>
        doc.emailHash === undefined && doc.claims !== undefined ? [doc.claims] : [],
      )
      const claims = claimed.length === 0 ? [] : await collection.find({ _id: { $in: claimed }, tenantId }).toArray()
      const hashOf = new Map(
        [...docs, ...claims].flatMap((doc) => (doc.emailHash === undefined ? [] : [[doc._id, doc.emailHash]])),
      )
      return new Map(
        docs.flatMap((doc) => {
          const hash = hashOf.get(doc._id) ?? hashOf.get(doc.claims ?? '')
          return hash === undefined ? [] : [[doc._id, hash]]
        }),
      )
    },
    /** Of the first identity that anybody has. */
    async firstKnown(tenantId: TenantId, identities: readonly string[]): Promise<string | undefined> {
      const docs = await collection.find({ tenantId, identities: { $in: [...identities] } }).toArray()
      for (const identity of identities) {
        const doc = docs.find((each) => each.identities.includes(identity))
        if (doc !== undefined) return doc._id
      }
      return undefined
    },
    async known(tenantId: TenantId, id: string, rows: RowFilter = {}): Promise<KnownContact | undefined> {
      const doc = await collection.findOne({ $and: [rows], _id: id, tenantId })
      if (doc === null) return undefined
      const { email, phone, updatedAt, name, company, jobTitle, notes, tags, said } = doc
      const all = { name, company, jobTitle, notes, tags, said }
      const written: Written = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
      return {
        ...{ id, written, updatedAt, view: toView(doc) },
        ...(email === undefined ? {} : { email }),
        ...(phone === undefined ? {} : { phone }),
      }
    },
    /** In no order: a search is narrowed, not paged. */
    async search(
      tenantId: TenantId,
      { filters, rows = {}, limit }: { filters: readonly object[]; rows?: RowFilter | undefined; limit: number },
    ): Promise<readonly ContactView[]> {
      const cursor = collection.find({ $and: [...filters, rows], tenantId })
      return (await cursor.limit(limit).toArray()).map(toView)
    },
    /** Newest first; one more than asked for tells that there are more. */
    async list(tenantId: TenantId, query: ContactQuery): Promise<readonly ContactView[]> {
      const { id, after, rows = {}, limit } = query
      const filter: Filter<ContactDoc> = { $and: [rows], tenantId, ...(id === undefined ? {} : { _id: id }) }
      if (after !== undefined)
        filter.$or = [{ createdAt: { $lt: after.at } }, { createdAt: after.at, _id: { $lt: after.id } }]
      const found = collection.find(filter).sort({ createdAt: -1, _id: -1 })
      return (await found.limit(limit + 1).toArray()).map(toView)
    },
  }
}

export interface ContactQuery {
  readonly id?: string
  readonly after?: { readonly at: Date; readonly id: string }
  readonly rows?: RowFilter | undefined
  readonly limit: number
}

const ruleFields: Readonly<Record<string, string>> = {
  ...{ id: '_id', email: 'email', phone: 'phone', name: 'name', company: 'company', tags: 'tags' },
}
export const contactRowFields = { path: (field: string) => ruleFields[field] }

const notChannels = new Set(['visitor', 'api', 'email', 'phone', 'record'])

function toView(doc: ContactDoc): ContactView {
  const email = doc.email ?? doc.said?.email
  const phone = doc.phone ?? doc.said?.phone
  const unverified = (['email', 'phone'] as const).filter((each) => doc[each] === undefined && doc.said?.[each])
  const kinds = doc.identities.map((identity) => identity.slice(0, identity.indexOf(':')))
  return {
    ...{ id: doc._id, name: doc.name ?? null, email: email ?? null, phone: phone ?? null, unverified },
    ...{ company: doc.company ?? null, jobTitle: doc.jobTitle ?? null, notes: doc.notes ?? null },
    tags: doc.tags ?? [],
    channels: [...new Set(kinds)].filter((kind) => !notChannels.has(kind)),
    createdAt: doc.createdAt.toISOString(),
    updatedAt: doc.updatedAt.toISOString(),
  }
}
