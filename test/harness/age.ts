// Lets a minute pass in the store for a tenant's sessions and holds: what janitors wait for.

import type { Db } from 'mongodb'

export async function age(db: Db, tenantId: string): Promise<void> {
  const old = new Date(Date.now() - 60_000)
  await db.collection('sessions').updateMany({ tenantId }, { $set: { lastSeenAt: old } })
  const accounts = db.collection<{ _id: string; holds: Record<string, unknown> }>('credit_accounts')
  const account = await accounts.findOne({ _id: tenantId })
  const seen = Object.keys(account?.holds ?? {}).map((id) => [`holds.${id}.seenAt`, old])
  await accounts.updateOne({ _id: tenantId }, { $set: Object.fromEntries(seen) })
}
