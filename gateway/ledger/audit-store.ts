// Which process has taken the nightly walk of which day. Not of a tenant: the walk is over all of them.

import { type Db, type Filter, MongoServerError } from 'mongodb'
import { durable } from '../platform/mongo.ts'
import { names } from './documents.ts'

interface AuditDoc {
  /** `2026-06-14`, UTC. */
  _id: string
  startedAt: Date
  doneAt?: Date
  findings?: number
}

export interface AuditStore {
  /** True for one process per day. Another one may take what was not finished within two hours. */
  claim(day: string, now: Date): Promise<boolean>
  finish(day: string, write: { readonly now: Date; readonly findings: number }): Promise<void>
}

const duplicateKey = 11000
const longestRunMs = 2 * 3_600_000

export function openAudits(db: Db): AuditStore {
  const audits = db.collection<AuditDoc>(names.audits, durable)
  const comment = 'all-tenants'
  return {
    async claim(day, now) {
      try {
        await audits.insertOne({ _id: day, startedAt: now })
        return true
      } catch (error) {
        if (!(error instanceof MongoServerError && error.code === duplicateKey)) throw error
      }
      const abandoned = { $lt: new Date(now.getTime() - longestRunMs) }
      const filter: Filter<AuditDoc> = { _id: day, doneAt: { $exists: false }, startedAt: abandoned }
      return (await audits.updateOne(filter, { $set: { startedAt: now } }, { comment })).modifiedCount === 1
    },
    async finish(day, { now, findings }) {
      await audits.updateOne({ _id: day }, { $set: { doneAt: now, findings } }, { comment })
    },
  }
}
