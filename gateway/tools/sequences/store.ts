// Collections `sequence_enrolments` and `email_stops`. The only file that knows their documents.

import { type Collection, type Db, MongoServerError } from 'mongodb'
import { asTenantId, idOf, newId, type TenantId } from '../../platform/ids.ts'
import { type CollectionSpec, durable } from '../../platform/mongo.ts'

export type EnrolmentState = 'active' | 'done' | 'stopped'
export const stopReasons = ['removed', 'unsubscribed', 'replied', 'failed', 'sequence_gone'] as const
export type StopReason = (typeof stopReasons)[number]

export interface SentStep {
  readonly step: number
  /** Of the e-mail's record. */
  readonly emailId: string
  readonly status: string
  readonly at: Date
}

export interface Enrolment {
  readonly id: string
  readonly tenantId: TenantId
  readonly sequenceId: string
  readonly email: string
  readonly name?: string | undefined
  readonly contactId?: string | undefined
  readonly status: EnrolmentState
  readonly reason?: StopReason | undefined
  /** The one that comes next, from 0. */
  readonly step: number
  /** Attempts of that step that surely sent nothing. */
  readonly failures: number
  /** When it is to be sent, or looked at again. Missing: never. */
  readonly nextAt?: Date | undefined
  /** Grows each time somebody who was through comes in again. */
  readonly round: number
  readonly since: Date
  readonly sent: readonly SentStep[]
  /** What stands in the address of unsubscribing. */
  readonly token: string
}

interface EnrolmentDoc extends Omit<Enrolment, 'id' | 'tenantId'> {
  readonly _id: string
  readonly tenantId: string
  /** Of the call that brought this round about. */
  readonly key: string
  readonly updatedAt: Date
}

interface StopDoc {
  readonly _id: string
  readonly tenantId: string
  readonly at: Date
}

export interface NewEnrolment extends Pick<Enrolment, 'tenantId' | 'sequenceId' | 'email' | 'name' | 'contactId'> {
  readonly key: string
  readonly nextAt: Date
  readonly now: Date
}

const duplicateKey = 11000
const isThere = (error: unknown) => error instanceof MongoServerError && error.code === duplicateKey
const plain = (email: string) => email.trim().toLowerCase()
const enrolmentId = (tenantId: TenantId, sequenceId: string, email: string) =>
  idOf('enr', tenantId, sequenceId, plain(email))
const stopId = (tenantId: TenantId, email: string) => idOf('enr', tenantId, 'stop', plain(email))

const toEnrolment = ({ _id, tenantId, key: _, updatedAt: _u, ...rest }: EnrolmentDoc): Enrolment => ({
  ...{ id: _id, tenantId: asTenantId(tenantId) },
  ...rest,
})

export type EnrolmentStore = ReturnType<typeof enrolmentStore.open>

export const enrolmentStore = {
  specs: [
    {
      name: 'sequence_enrolments',
      indexes: [
        { key: { tenantId: 1, email: 1 }, name: 'email' },
        { key: { tenantId: 1, token: 1 }, name: 'token', unique: true },
        { key: { nextAt: 1 }, name: 'due', sparse: true },
      ],
    },
    { name: 'email_stops', indexes: [] },
  ] satisfies readonly CollectionSpec[],
  open(db: Db) {
    const collection: Collection<EnrolmentDoc> = db.collection('sequence_enrolments', durable)
    return { ...entering(collection), ...going(collection), ...stopping(db, collection) }
  },
}

function entering(collection: Collection<EnrolmentDoc>) {
  return {
    /** Comes in, or again after being through. Whoever is in stays where they are, and so does a repeated call. */
    async enrol({ tenantId, sequenceId, key, nextAt, now, ...who }: NewEnrolment): Promise<Enrolment> {
      const _id = enrolmentId(tenantId, sequenceId, who.email)
      const fresh = {
        status: 'active' as const,
        step: 0,
        failures: 0,
        nextAt,
        since: now,
        sent: [],
        key,
        updatedAt: now,
      }
      const person = { ...who, email: plain(who.email) }
      try {
        await collection.insertOne({ _id, tenantId, sequenceId, ...person, ...fresh, round: 1, token: newId('tok') })
      } catch (error) {
        if (!isThere(error)) throw error
        await collection.updateOne(
          { _id, tenantId, status: { $ne: 'active' }, key: { $ne: key } },
          { $set: { ...person, ...fresh }, $unset: { reason: true }, $inc: { round: 1 } },
        )
      }
      const doc = await collection.findOne({ _id, tenantId })
      if (doc === null) throw new Error('an enrolment that was made is not there')
      return toEnrolment(doc)
    },
    /** All of one person. */
    async ofPerson(tenantId: TenantId, email: string): Promise<readonly Enrolment[]> {
      return (
        await collection
          .find({ tenantId, email: plain(email) })
          .limit(100)
          .toArray()
      ).map(toEnrolment)
    },
    async byToken(tenantId: TenantId, token: string): Promise<Enrolment | undefined> {
      const doc = await collection.findOne({ tenantId, token })
      return doc === null ? undefined : toEnrolment(doc)
    },
  }
}

function going(collection: Collection<EnrolmentDoc>) {
  return {
    /** Of all tenants, the most overdue first. */
    async due(now: Date, limit: number): Promise<readonly Enrolment[]> {
      const found = collection.find({ nextAt: { $lte: now } }).sort({ nextAt: 1 })
      return (await found.limit(limit).toArray()).map(toEnrolment)
    },
    /** For whoever sends: nobody else takes it before `until`. Undefined: somebody else was faster. */
    async claim({ id, tenantId, nextAt }: Enrolment, until: Date): Promise<Enrolment | undefined> {
      if (nextAt === undefined) return undefined
      const doc = await collection.findOneAndUpdate(
        { _id: id, tenantId, status: 'active', nextAt },
        { $set: { nextAt: until } },
        { returnDocument: 'after' },
      )
      return doc === null ? undefined : toEnrolment(doc)
    },
    /** Only while it is as it was claimed: what was stopped meanwhile stays stopped. */
    async advance(claimed: Enrolment, { sent, nextAt, ...set }: Advance): Promise<boolean> {
      const { modifiedCount } = await collection.updateOne(
        { _id: claimed.id, tenantId: claimed.tenantId, status: 'active', round: claimed.round, step: claimed.step },
        {
          $set: { ...set, ...(nextAt === undefined ? {} : { nextAt }) },
          ...(nextAt === undefined ? { $unset: { nextAt: true } } : {}),
          ...(sent === undefined ? {} : { $push: { sent } }),
        },
      )
      return modifiedCount > 0
    },
  }
}

export interface Advance {
  readonly status?: EnrolmentState
  readonly reason?: StopReason
  readonly step?: number
  readonly failures?: number
  readonly nextAt?: Date | undefined
  readonly sent?: SentStep
  readonly updatedAt: Date
}

function stopping(db: Db, collection: Collection<EnrolmentDoc>) {
  const stops: Collection<StopDoc> = db.collection('email_stops', durable)
  return {
    /** How many it stopped. Without a sequence all of the person's. */
    async stop(
      tenantId: TenantId,
      email: string,
      on: { sequenceId?: string; reason: StopReason; now: Date },
    ): Promise<number> {
      const { sequenceId, reason, now } = on
      const { modifiedCount } = await collection.updateMany(
        { tenantId, email: plain(email), status: 'active', ...(sequenceId === undefined ? {} : { sequenceId }) },
        { $set: { status: 'stopped', reason, updatedAt: now }, $unset: { nextAt: true } },
      )
      return modifiedCount
    },
    async isStopped(tenantId: TenantId, email: string): Promise<boolean> {
      return (await stops.findOne({ _id: stopId(tenantId, email), tenantId })) !== null
    },
    async stopFor(tenantId: TenantId, email: string, now: Date): Promise<void> {
      await stops.updateOne({ _id: stopId(tenantId, email), tenantId }, { $setOnInsert: { at: now } }, { upsert: true })
    },
  }
}
