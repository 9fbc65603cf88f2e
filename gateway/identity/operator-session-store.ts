// Collections `sign_in_tokens` and `operator_sessions`. The only file that knows their documents. Secrets are kept as hashes
// only. Operators stand above tenants: no tenant in these filters.

import type { Collection, Db } from 'mongodb'
import { type CollectionSpec, durable } from '../platform/mongo.ts'

interface TokenDoc {
  readonly _id: string
  readonly operatorId: string
  readonly expiresAt: Date
  readonly usedAt?: Date
}

interface SessionDoc {
  readonly _id: string
  readonly operatorId: string
  readonly lastSeenAt: Date
  readonly expiresAt: Date
  readonly createdAt: Date
  readonly ipAddress?: string
  readonly userAgent?: string
}

export interface OperatorSessionRecord {
  readonly operatorId: string
  readonly lastSeenAt: Date
  readonly expiresAt: Date
  readonly ipAddress?: string
  readonly userAgent?: string
}

/** Of one person; the ended ones go by themselves. */
const maxSessions = 200

/** The database removes what is long over; every reader checks the time itself. */
const expiry = { key: { expiresAt: 1 }, name: 'expiry', expireAfterSeconds: 0 } as const

export const operatorSessionStore = {
  specs: [
    { name: 'sign_in_tokens', indexes: [expiry] },
    { name: 'operator_sessions', indexes: [expiry, { key: { operatorId: 1 }, name: 'operator' }] },
  ] satisfies readonly CollectionSpec[],
  open(db: Db) {
    const tokens: Collection<TokenDoc> = db.collection('sign_in_tokens', durable)
    const sessions: Collection<SessionDoc> = db.collection('operator_sessions', durable)
    return {
      async addToken(hash: string, operatorId: string, expiresAt: Date): Promise<void> {
        await tokens.insertOne({ _id: hash, operatorId, expiresAt })
      },
      /** Compare and set: of any number of callers with one token, one gets the operator. */
      async useToken(hash: string, now: Date): Promise<string | undefined> {
        const doc = await tokens.findOneAndUpdate(
          { _id: hash, usedAt: { $exists: false }, expiresAt: { $gt: now } },
          { $set: { usedAt: now } },
        )
        return doc?.operatorId
      },
      async tokenOf(hash: string): Promise<string | undefined> {
        return (await tokens.findOne({ _id: hash }))?.operatorId
      },
      async addSession(hash: string, session: OperatorSessionRecord): Promise<void> {
        await sessions.insertOne({ _id: hash, ...session, createdAt: session.lastSeenAt })
      },
      async session(hash: string): Promise<OperatorSessionRecord | undefined> {
        const doc = await sessions.findOne({ _id: hash })
        return doc === null
          ? undefined
          : { operatorId: doc.operatorId, lastSeenAt: doc.lastSeenAt, expiresAt: doc.expiresAt }
      },
      async touchSession(hash: string, at: Date): Promise<void> {
        await sessions.updateOne({ _id: hash }, { $set: { lastSeenAt: at } })
      },
      async removeSession(hash: string): Promise<void> {
        await sessions.deleteOne({ _id: hash })
      },
      /** Newest first. */
      async sessionsOf(operatorId: string): Promise<readonly (Omit<SessionDoc, '_id'> & { readonly id: string })[]> {
        const docs = await sessions.find({ operatorId }).limit(maxSessions).toArray()
        docs.sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime())
        return docs.map(({ _id, ...rest }) => ({ id: _id, ...rest }))
      },
      async removeSessionOf(operatorId: string, hash: string): Promise<boolean> {
        return (await sessions.deleteOne({ _id: hash, operatorId })).deletedCount === 1
      },
      async removeSessionsOf(operatorId: string, exceptHash: string): Promise<void> {
        await sessions.deleteMany({ operatorId, _id: { $ne: exceptHash } })
      },
    }
  },
}
