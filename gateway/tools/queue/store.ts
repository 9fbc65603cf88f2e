// Collection `queued_jobs`. The only file that knows its documents.

import type { Collection, Db } from 'mongodb'
import { asTenantId, idOf, type TenantId } from '../../platform/ids.ts'
import { type CollectionSpec, durable } from '../../platform/mongo.ts'

export const jobStates = ['queued', 'running', 'done', 'failed'] as const
export type JobState = (typeof jobStates)[number]

export interface QueuedJob {
  readonly id: string
  readonly tenantId: TenantId
  readonly kind: string
  readonly payload: Readonly<Record<string, unknown>>
  readonly state: JobState
  readonly attempts: number
  readonly actor: {
    readonly kind: 'operator' | 'key' | 'visitor' | 'agent' | 'system' | 'webhook'
    readonly id: string
    readonly name: string
  }
  readonly dueAt: Date
  readonly result: Readonly<Record<string, unknown>> | null
  readonly error: string | null
  readonly createdAt: Date
}

interface JobDoc extends Omit<QueuedJob, 'id' | 'tenantId'> {
  readonly _id: string
  readonly tenantId: string
  /** Of one that waits or runs: when somebody may take it. Missing: it is over. */
  readonly turnAt?: Date
  readonly endedAt?: Date
}

/** What became of it is asked for in the days after. */
const keptSeconds = 30 * 86_400

export const jobStore = {
  spec: {
    name: 'queued_jobs',
    indexes: [
      { key: { turnAt: 1 }, name: 'turn', sparse: true },
      { key: { endedAt: 1 }, name: 'expiry', expireAfterSeconds: keptSeconds },
    ],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<JobDoc> = db.collection('queued_jobs', durable)
    return {
      /** The same key is one job. */
      async put(
        tenantId: TenantId,
        key: string,
        job: Pick<QueuedJob, 'kind' | 'payload' | 'actor' | 'dueAt' | 'createdAt'>,
      ) {
        const id = idOf('obj', 'job', tenantId, key)
        const first = { ...job, state: 'queued' as const, attempts: 0, result: null, error: null, turnAt: job.dueAt }
        await collection.updateOne({ _id: id, tenantId }, { $setOnInsert: first }, { upsert: true })
        return id
      },
      async find(tenantId: TenantId, id: string): Promise<QueuedJob | undefined> {
        const doc = await collection.findOne({ _id: id, tenantId })
        return doc === null ? undefined : toJob(doc)
      },
      /** Whose turn it is: nobody else gets it until `until`. */
      async take(now: Date, until: Date): Promise<QueuedJob | undefined> {
        const doc = await collection.findOneAndUpdate(
          { turnAt: { $lte: now } },
          { $set: { state: 'running', turnAt: until }, $inc: { attempts: 1 } },
          { sort: { turnAt: 1 }, returnDocument: 'after' },
        )
        return doc === null ? undefined : toJob(doc)
      },
      /** Does nothing when another one has it meanwhile. */
      async end({ id, tenantId, attempts }: QueuedJob, end: JobEnd): Promise<void> {
        const at = { _id: id, tenantId, attempts }
        if ('againAt' in end)
          await collection.updateOne(at, { $set: { state: 'queued', turnAt: end.againAt, error: end.error } })
        else {
          const { state, result = null, error = null, endedAt } = end
          await collection.updateOne(at, { $set: { state, result, error, endedAt }, $unset: { turnAt: true } })
        }
      },
    }
  },
}

export type JobEnd =
  | { readonly againAt: Date; readonly error: string }
  | {
      readonly state: 'done' | 'failed'
      readonly result?: Readonly<Record<string, unknown>>
      readonly error?: string
      readonly endedAt: Date
    }

function toJob({ _id, tenantId, turnAt: _turn, endedAt: _ended, ...job }: JobDoc): QueuedJob {
  return { ...job, id: _id, tenantId: asTenantId(tenantId) }
}
