// Collection `client_sessions`: what a customer's backend has bound to a client secret, until the secret has expired.
// The only file that knows its documents.

import type { Collection, Db } from 'mongodb'
import type { TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'

interface ClientSessionDoc {
  /** The secret's own id. */
  readonly _id: string
  readonly tenantId: string
  /** JSON: schemas of tools have keys that a document may not. */
  readonly session: string
  readonly expiresAt: Date
}

export const clientSessionStore = {
  spec: {
    name: 'client_sessions',
    indexes: [{ key: { expiresAt: 1 }, name: 'expiry', expireAfterSeconds: 0 }],
  } satisfies CollectionSpec,
  open(db: Db) {
    const sessions: Collection<ClientSessionDoc> = db.collection('client_sessions', durable)
    return {
      async add(tenantId: TenantId, tokenId: string, bound: { session: string; expiresAt: Date }): Promise<void> {
        await sessions.insertOne({ _id: tokenId, tenantId, ...bound })
      },
      async find(tenantId: TenantId, tokenId: string): Promise<string | undefined> {
        return (await sessions.findOne({ _id: tokenId, tenantId }))?.session
      },
    }
  },
}
