// The collections of signing in: passwords, second factors, passkeys, challenges on their way, attempts that failed.
// better-auth decides what is in the first four (adapter.ts writes them). Operators stand above tenants: no tenant here.

import type { Collection, Db } from 'mongodb'
import { type CollectionSpec, durable } from '../../platform/mongo.ts'

/** The database removes what is long over; every reader checks the time itself. */
const expiry = { key: { expiresAt: 1 }, name: 'expiry', expireAfterSeconds: 0 } as const
const operator = { key: { operatorId: 1 }, name: 'operator' } as const

export const signInCollections: readonly CollectionSpec[] = [
  {
    name: 'operator_accounts',
    indexes: [operator, { key: { providerId: 1, accountId: 1 }, name: 'account', unique: true }],
  },
  { name: 'operator_second_factors', indexes: [operator] },
  {
    name: 'operator_passkeys',
    indexes: [operator, { key: { credentialID: 1 }, name: 'credential', unique: true }],
  },
  {
    name: 'sign_in_challenges',
    indexes: [{ key: { identifier: 1, createdAt: -1 }, name: 'identifier' }, expiry],
  },
  { name: 'sign_in_attempts', indexes: [expiry] },
]

interface AttemptsDoc {
  readonly _id: string
  readonly count: number
  readonly expiresAt: Date
}

export function openSignInStore(db: Db) {
  const attempts: Collection<AttemptsDoc> = db.collection('sign_in_attempts', durable)
  const accounts: Collection<{ _id: string; operatorId: string; providerId: string }> = db.collection(
    'operator_accounts',
    durable,
  )
  const passkeys: Collection<{ _id: string; operatorId: string; credentialID: string }> = db.collection(
    'operator_passkeys',
    durable,
  )
  const operators: Collection<{ _id: string; email?: string; twoFactorEnabled?: boolean }> = db.collection(
    'operators',
    durable,
  )
  return {
    async hasPassword(operatorId: string): Promise<boolean> {
      return (await accounts.findOne({ operatorId, providerId: 'credential' })) !== null
    },
    async operatorWith(fact: { readonly email: string } | { readonly passkey: string }): Promise<string | undefined> {
      const doc =
        'email' in fact
          ? await operators.findOne({ email: fact.email })
          : await passkeys.findOne({ credentialID: fact.passkey })
      return doc === null ? undefined : 'operatorId' in doc ? doc.operatorId : doc._id
    },
    async hasSecondFactor(operatorId: string): Promise<boolean> {
      return (await operators.findOne({ _id: operatorId }))?.twoFactorEnabled === true
    },
    /** How many there were in the window that is running, this one counted. */
    async countAttempt(key: string, now: number, windowMs: number): Promise<number> {
      const running = await attempts.findOneAndUpdate(
        { _id: key, expiresAt: { $gt: new Date(now) } },
        { $inc: { count: 1 } },
        { returnDocument: 'after' },
      )
      if (running !== null) return running.count
      const first = { count: 1, expiresAt: new Date(now + windowMs) }
      await attempts.updateOne({ _id: key }, { $set: first }, { upsert: true })
      return 1
    },
    async forgetAttempts(key: string): Promise<void> {
      await attempts.deleteOne({ _id: key })
    },
    /** Everything by which an operator signs in. */
    async forget(operatorId: string): Promise<void> {
      for (const name of ['operator_accounts', 'operator_second_factors', 'operator_passkeys'])
        await db.collection(name, durable).deleteMany({ operatorId })
    },
  }
}
