// Collection `signing_keys`: the gateway's own keys, of no tenant. The only file that knows its documents.

import type { Collection, Db } from 'mongodb'
import { type CollectionSpec, durable } from '../platform/mongo.ts'

export interface SigningKeyRecord {
  readonly kid: string
  readonly status: 'active' | 'retiring' | 'revoked'
  /** JWK as JSON text. */
  readonly publicJwk: string
  /** PKCS8 PEM, sealed. */
  readonly sealedPrivate: string
  /** Of a retiring key: verifies until then. */
  readonly verifiesUntil?: Date
  readonly createdAt: Date
}

type SigningKeyDoc = Omit<SigningKeyRecord, 'kid'> & { readonly _id: string }

export const signingKeyStore = {
  spec: {
    name: 'signing_keys',
    indexes: [{ key: { status: 1 }, name: 'in_force' }],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<SigningKeyDoc> = db.collection('signing_keys', durable)
    return {
      /** Newest first. */
      async inForce(): Promise<readonly SigningKeyRecord[]> {
        const docs = await collection.find({ status: { $in: ['active', 'retiring'] } }).toArray()
        docs.sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime())
        return docs.map(({ _id, ...rest }) => ({ kid: _id, ...rest }))
      },
      async insert({ kid, ...rest }: SigningKeyRecord): Promise<void> {
        await collection.insertOne({ _id: kid, ...rest })
      },
      async retireOthers(kid: string, verifiesUntil: Date): Promise<void> {
        await collection.updateMany(
          { status: 'active', _id: { $ne: kid } },
          { $set: { status: 'retiring', verifiesUntil } },
        )
      },
      async revoke(kid: string): Promise<boolean> {
        return (await collection.updateOne({ _id: kid }, { $set: { status: 'revoked' } })).matchedCount === 1
      },
    }
  },
}
