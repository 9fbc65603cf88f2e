// Collection `invitations`. The only file that knows its documents; the link's secret is kept as a hash.

import type { Collection, Db } from 'mongodb'
import { asTenantId, type TenantId } from '../../platform/ids.ts'
import { type CollectionSpec, durable } from '../../platform/mongo.ts'

export interface InvitationRecord {
  readonly invitationId: string
  readonly tenantId: TenantId
  /** In lower case. */
  readonly email: string
  readonly roles: readonly string[]
  readonly status: 'open' | 'accepted' | 'revoked'
  readonly invitedBy: string
  readonly createdAt: Date
  readonly expiresAt: Date
}

interface InvitationDoc extends Omit<InvitationRecord, 'invitationId' | 'tenantId'> {
  readonly _id: string
  readonly tenantId: string
  readonly tokenHash: string
}

const toRecord = ({ _id, tenantId, tokenHash: _secret, ...rest }: InvitationDoc): InvitationRecord => ({
  invitationId: _id,
  tenantId: asTenantId(tenantId),
  ...rest,
})

export const invitationStore = {
  spec: {
    name: 'invitations',
    indexes: [
      { key: { tokenHash: 1 }, name: 'token', unique: true },
      { key: { tenantId: 1, _id: 1 }, name: 'list' },
      { key: { tenantId: 1, email: 1, status: 1 }, name: 'open' },
      { key: { tenantId: 1, status: 1, roles: 1 }, name: 'promised' },
    ],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<InvitationDoc> = db.collection('invitations', durable)
    return {
      async insert({ invitationId, ...rest }: InvitationRecord, tokenHash: string): Promise<void> {
        await collection.insertOne({ _id: invitationId, ...rest, tokenHash })
      },
      async list(
        tenantId: TenantId,
        { after, limit }: { readonly after?: string | undefined; readonly limit: number },
      ): Promise<readonly InvitationRecord[]> {
        const filter = { tenantId, ...(after === undefined ? {} : { _id: { $gt: after } }) }
        return (await collection.find(filter).sort({ _id: 1 }).limit(limit).toArray()).map(toRecord)
      },
      /** Whether an open one promises the role. */
      async hold(tenantId: TenantId, role: string): Promise<boolean> {
        return (await collection.findOne({ tenantId, status: 'open', roles: role })) !== null
      },
      /** Ends every open invitation of an address. */
      async revokeOpen(tenantId: TenantId, email: string): Promise<void> {
        await collection.updateMany({ tenantId, email, status: 'open' }, { $set: { status: 'revoked' } })
      },
      /** False for one that is not there or not open. */
      async revoke(tenantId: TenantId, invitationId: string): Promise<boolean> {
        const filter = { _id: invitationId, tenantId, status: 'open' as const }
        return (await collection.updateOne(filter, { $set: { status: 'revoked' } })).matchedCount === 1
      },
      // The secret is what names the tenant here: whoever accepts is in none yet.
      async openOne(tokenHash: string, now: Date): Promise<InvitationRecord | undefined> {
        const doc = await collection.findOne({ tokenHash, status: 'open', expiresAt: { $gt: now } })
        return doc === null ? undefined : toRecord(doc)
      },
      /** Compare and set: of any number of callers with one link, one gets the invitation. */
      async accept(tokenHash: string, now: Date): Promise<InvitationRecord | undefined> {
        const doc = await collection.findOneAndUpdate(
          { tokenHash, status: 'open', expiresAt: { $gt: now } },
          { $set: { status: 'accepted' } },
          { returnDocument: 'after' },
        )
        return doc === null ? undefined : toRecord(doc)
      },
    }
  },
}
