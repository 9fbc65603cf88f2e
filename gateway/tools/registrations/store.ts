// Collection `event_registrations`. The only file that knows its documents. A seat is a number from 1 to the event's capacity, and
// a unique index gives it to one person: no counter that could be wrong, and one document per person and event.

import { type Collection, type Db, MongoServerError } from 'mongodb'
import { idOf, type TenantId } from '../../platform/ids.ts'
import { type CollectionSpec, durable } from '../../platform/mongo.ts'

export type RegistrationState = 'registered' | 'waiting' | 'cancelled'

export interface Registration {
  readonly id: string
  readonly eventId: string
  readonly status: RegistrationState
  readonly contactId?: string | undefined
  readonly email?: string | undefined
  readonly name?: string | undefined
  /** Of an event whose capacity is bounded. */
  readonly seat?: number | undefined
  readonly since: Date
}

interface RegistrationDoc extends Omit<Registration, 'id'> {
  readonly _id: string
  readonly tenantId: string
  readonly updatedAt: Date
}

/** Whose registration: one per person and event. */
export interface Place {
  readonly tenantId: TenantId
  readonly eventId: string
  readonly id: string
}

const duplicateKey = 11000
const isTaken = (error: unknown) => error instanceof MongoServerError && error.code === duplicateKey

export const registrationId = (tenantId: TenantId, eventId: string, person: string): string =>
  idOf('reg', tenantId, eventId, person)

const toRegistration = ({ _id, tenantId: _, updatedAt: _u, ...rest }: RegistrationDoc): Registration => ({
  id: _id,
  ...rest,
})

export type RegistrationStore = ReturnType<typeof registrationStore.open>

export const registrationStore = {
  spec: {
    name: 'event_registrations',
    indexes: [
      {
        key: { tenantId: 1, eventId: 1, seat: 1 },
        name: 'seat',
        unique: true,
        partialFilterExpression: { seat: { $exists: true } },
      },
      { key: { tenantId: 1, eventId: 1, status: 1, since: 1 }, name: 'status' },
    ],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<RegistrationDoc> = db.collection('event_registrations', durable)
    return {
      async find({ tenantId, eventId, id }: Place): Promise<Registration | undefined> {
        const doc = await collection.findOne({ _id: id, tenantId, eventId })
        return doc === null ? undefined : toRegistration(doc)
      },
      /** Numbers of the seats that are taken. */
      async seats(tenantId: TenantId, eventId: string): Promise<ReadonlySet<number>> {
        const docs = await collection
          .find({ tenantId, eventId, seat: { $exists: true } })
          .project<{ seat: number }>({ seat: 1 })
          .toArray()
        return new Set(docs.map(({ seat }) => seat))
      },
      /** Comes in, or comes in again after having cancelled. `taken`: the seat went to somebody else, or the person is in. */
      async put(
        { tenantId, eventId, id }: Place,
        {
          seat,
          ...fields
        }: Pick<Registration, 'status' | 'contactId' | 'email' | 'name' | 'seat'> & { readonly since: Date },
      ): Promise<'done' | 'taken'> {
        const set = { ...fields, updatedAt: fields.since, ...(seat === undefined ? {} : { seat }) }
        try {
          const { modifiedCount, upsertedCount } = await collection.updateOne(
            { _id: id, tenantId, eventId, status: 'cancelled' },
            { $set: set },
            { upsert: true },
          )
          return modifiedCount + upsertedCount > 0 ? 'done' : 'taken'
        } catch (error) {
          if (isTaken(error)) return 'taken'
          throw error
        }
      },
      /** The seat that came free, or undefined where there was none. False: there was nothing to cancel. */
      async cancel(
        { tenantId, eventId, id }: Place,
        now: Date,
      ): Promise<{ readonly seat: number | undefined } | false> {
        const doc = await collection.findOneAndUpdate(
          { _id: id, tenantId, eventId, status: { $in: ['registered', 'waiting'] } },
          { $set: { status: 'cancelled', updatedAt: now }, $unset: { seat: true } },
          { returnDocument: 'before' },
        )
        return doc === null ? false : { seat: doc.seat }
      },
      /** Whoever has waited longest gets it. Undefined: nobody waits, or the seat is taken again. */
      async promote(tenantId: TenantId, eventId: string, on: { seat: number | undefined; now: Date }) {
        const { seat, now } = on
        const set = { status: 'registered' as const, updatedAt: now, ...(seat === undefined ? {} : { seat }) }
        try {
          const doc = await collection.findOneAndUpdate(
            { tenantId, eventId, status: 'waiting' },
            { $set: set },
            { sort: { since: 1 }, returnDocument: 'after' },
          )
          return doc === null ? undefined : toRegistration(doc)
        } catch (error) {
          if (isTaken(error)) return undefined
          throw error
        }
      },
      /** In the order they came. */
      async list(tenantId: TenantId, eventId: string, on: { status: RegistrationState; limit: number }) {
        const found = collection.find({ tenantId, eventId, status: on.status }).sort({ since: 1 })
        return (await found.limit(on.limit).toArray()).map(toRegistration)
      },
      count: (tenantId: TenantId, eventId: string, status: RegistrationState): Promise<number> =>
        collection.countDocuments({ tenantId, eventId, status }),
    }
  },
}
