// Collection `entity_types`. The only file that queries it.

import type { Collection, Db } from 'mongodb'
import type { Actor } from '../platform/access.ts'
import { newId, type TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { EntityTypeView } from '../protocol/records.ts'
import type { EntityTypeDoc } from './documents.ts'
import { type EntityKind, ownKind } from './entity-kind.ts'
import type { NewEvent } from './outbox.ts'

export interface StoredType {
  readonly kind: EntityKind
  readonly isRemoving: boolean
}

export interface TypeFields {
  readonly name: string
  readonly description: string
  readonly schema: Readonly<Record<string, unknown>>
  readonly searchFields: readonly string[] | null
  readonly titleField: string | null
}

const duplicateKey = 11000
/** A tenant has no more. */
export const maxTypes = 200

export type TypeStore = ReturnType<typeof typeStore.open>

export const typeStore = {
  spec: {
    name: 'entity_types',
    indexes: [
      { key: { tenantId: 1, slug: 1 }, name: 'slug', unique: true },
      { key: { pendingAt: 1 }, name: 'pending', sparse: true },
    ],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<EntityTypeDoc> = db.collection('entity_types', durable)
    return { ...changing(collection), ...removing(collection) }
  },
}

function changing(collection: Collection<EntityTypeDoc>) {
  return {
    async find(tenantId: TenantId, slug: string): Promise<StoredType | undefined> {
      const doc = await collection.findOne({ tenantId, slug })
      return doc === null ? undefined : toStored(doc)
    },
    async list(tenantId: TenantId): Promise<readonly StoredType[]> {
      // What is removed begins with `~`.
      const found = collection
        .find({ tenantId, slug: { $gte: 'a', $lt: '{' } })
        .sort({ slug: 1 })
        .limit(maxTypes)
      return (await found.toArray()).map(toStored)
    },
    /** False: the slug is taken. */
    async insert(tenantId: TenantId, slug: string, { fields, event }: Change): Promise<boolean> {
      const { schema, ...rest } = fields
      const doc: EntityTypeDoc = {
        ...{
          _id: newId('type'),
          tenantId,
          slug,
          ...rest,
          schemaJson: JSON.stringify(schema),
          version: 1,
          searchVersion: 1,
        },
        ...{ outbox: [event], pendingAt: event.at, createdAt: event.at, updatedAt: event.at },
      }
      try {
        await collection.insertOne(doc)
        return true
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === duplicateKey) return false
        throw error
      }
    },
    /** False: it is not at that version any more. */
    async replace(
      tenantId: TenantId,
      slug: string,
      change: Change & { version: number; isFoundAnew: boolean },
    ): Promise<boolean> {
      const { fields, event, version, isFoundAnew } = change
      const { schema, ...rest } = fields
      const result = await collection.updateOne(
        { tenantId, slug, version, isRemoving: { $ne: true } },
        {
          $set: { ...rest, schemaJson: JSON.stringify(schema), updatedAt: event.at, pendingAt: event.at },
          $inc: { version: 1, searchVersion: isFoundAnew ? 1 : 0 },
          $push: { outbox: event },
        },
      )
      return result.modifiedCount === 1
    },
  }
}

function removing(collection: Collection<EntityTypeDoc>) {
  return {
    /** From now on nothing new is made of it. */
    async beginRemoval(tenantId: TenantId, slug: string, removal: BeginRemoval): Promise<void> {
      const { actor, takesAll, now } = removal
      await collection.updateOne(
        { tenantId, slug },
        { $set: { isRemoving: true, removal: { actor, takesAll }, pendingAt: now } },
      )
    },
    async keep(tenantId: TenantId, slug: string): Promise<void> {
      await collection.updateOne({ tenantId, slug }, { $unset: { isRemoving: true, removal: true } })
    },
    /** The slug is free again; what is left of it is deleted with its last event. */
    async remove(tenantId: TenantId, slug: string, event: NewEvent): Promise<readonly EntityTypeDoc[]> {
      const gone = { slug: `~${newId('type')}`, pendingAt: event.at }
      const doc = await collection.findOneAndUpdate(
        { tenantId, slug, isRemoving: true },
        { $set: gone, $unset: { isRemoving: true, removal: true }, $push: { outbox: event } },
        { returnDocument: 'after' },
      )
      return doc === null ? [] : [doc]
    },
    /** Documents with events that may not be in the log; without a tenant: of every one, older than `before`. */
    pending(where: { tenantId: TenantId; slug: string } | { before: Date }): Promise<EntityTypeDoc[]> {
      const filter = 'before' in where ? { pendingAt: { $lte: where.before } } : where
      return collection.find(filter).sort({ pendingAt: 1 }).limit(100).toArray()
    },
    /** Takes out what is in the log. */
    async settle({ _id, tenantId, slug, version }: EntityTypeDoc): Promise<void> {
      if (slug.startsWith('~')) await collection.deleteOne({ _id, tenantId })
      else
        await collection.updateOne(
          { _id, tenantId, version, slug, isRemoving: { $ne: true } },
          { $unset: { outbox: true, pendingAt: true } },
        )
    },
  }
}

interface BeginRemoval {
  readonly actor: Actor
  /** Its entities too. */
  readonly takesAll: boolean
  readonly now: Date
}

interface Change {
  readonly fields: TypeFields
  readonly event: NewEvent
}

/** A schema is read and checked once per version. */
const maxKinds = 500
const kinds = new Map<string, EntityKind>()

export function toStored(doc: EntityTypeDoc): StoredType {
  const key = `${doc._id} ${doc.version}`
  const kind = kinds.get(key) ?? toKind(doc)
  kinds.delete(key)
  kinds.set(key, kind)
  const oldest = kinds.size > maxKinds ? kinds.keys().next().value : undefined
  if (oldest !== undefined) kinds.delete(oldest)
  return { kind, isRemoving: doc.isRemoving === true }
}

function toKind(doc: EntityTypeDoc): EntityKind {
  const { slug, name, description, searchFields, titleField, version } = doc
  const view: EntityTypeView = {
    ...{ id: doc._id, slug, name, description, schema: JSON.parse(doc.schemaJson), searchFields, titleField },
    ...{ builtIn: false, version, createdAt: doc.createdAt.toISOString(), updatedAt: doc.updatedAt.toISOString() },
  }
  return ownKind(view, doc.searchVersion)
}
