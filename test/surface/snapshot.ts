// Everything stored of a tenant, to see that nobody else changed it.

import { EJSON } from 'bson'
import type { Db } from 'mongodb'

/** Collection → its documents of the tenant, in an order of their own. */
export async function snapshotOf(db: Db, tenantId: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const all: Record<string, readonly string[]> = {}
  for (const { name } of await db.listCollections().toArray()) {
    const documents = await db.collection(name).find({ tenantId }).toArray()
    if (documents.length > 0) all[name] = documents.map((each) => EJSON.stringify(each)).sort()
  }
  return all
}
