// Ledger entries and receipts: append-only. Nothing here updates or deletes.

import type { Db } from 'mongodb'
import type { TenantId } from '../platform/ids.ts'
import type { Receipt } from '../protocol/rest.ts'
import type { Account, Entry } from './account.ts'
import { documentId, type EntryDoc, majority, names, type ReceiptDoc, rows } from './documents.ts'
import { visibleKinds } from './operations.ts'

/** What a replay needs of an entry. */
export type ReplayRow = Pick<EntryDoc, 'key' | 'amountMicro' | 'heldMicro' | 'balanceMicro' | 'seq'>

export interface EntryStore {
  /** Appends what the outbox holds; what is there already stays. Returns how many entries were new. */
  append(tenantId: TenantId, account: Account): Promise<number>
  find(tenantId: TenantId, key: string): Promise<Entry | undefined>
  /** Newest first, below `beforeSeq`; only kinds a tenant sees. */
  page(tenantId: TenantId, beforeSeq: number, limit: number): Promise<readonly Entry[]>
  receipt(tenantId: TenantId, sessionId: string): Promise<Receipt | undefined>
  /** Every entry up to a version, in order. */
  replay(tenantId: TenantId, upToSeq: number): AsyncIterable<ReplayRow>
}

type Row = { _id: string; [field: string]: unknown }

export function openEntries(db: Db): EntryStore {
  const entries = db.collection<EntryDoc>(names.entries, majority)
  const receipts = db.collection<ReceiptDoc>(names.receipts, majority)
  return {
    async append(tenantId, account) {
      const pairs = [...account.outbox.values()].map((entry) => rows(tenantId, entry))
      // Receipts first: a settle entry in the ledger always has its receipt.
      const bills = pairs.flatMap((pair) => pair.receipt ?? [])
      if (bills.length > 0) await insertMissing(db, names.receipts, bills)
      return pairs.length === 0
        ? 0
        : insertMissing(
            db,
            names.entries,
            pairs.map((pair) => pair.entry),
          )
    },
    async find(tenantId, key) {
      const doc = await entries.findOne({ _id: documentId(tenantId, key), tenantId })
      if (doc === null) return undefined
      if (doc.kind !== 'settle' || doc.holdId === undefined) return doc
      const bill = await receipts.findOne({ _id: documentId(tenantId, doc.holdId), tenantId })
      return bill === null ? doc : { ...doc, receipt: bill }
    },
    async page(tenantId, beforeSeq, limit) {
      const filter = { tenantId, seq: { $lt: beforeSeq }, kind: { $in: [...visibleKinds] } }
      return entries.find(filter).sort({ seq: -1 }).limit(limit).toArray()
    },
    async receipt(tenantId, sessionId) {
      const [doc] = await receipts.find({ tenantId, sessionId }).sort({ settledAt: -1 }).limit(1).toArray()
      if (doc === undefined) return undefined
      const { _id, tenantId: _tenantId, settledAt, ...bill } = doc
      return { ...bill, settledAt: settledAt.toISOString() }
    },
    replay(tenantId, upToSeq) {
      return entries
        .find({ tenantId, seq: { $lte: upToSeq } })
        .project<ReplayRow>({ _id: 0, key: 1, amountMicro: 1, heldMicro: 1, balanceMicro: 1, seq: 1 })
        .sort({ seq: 1 })
    },
  }
}

const duplicateKey = 11000

/** Unordered insert that takes "is there already" for done, and nothing else. */
async function insertMissing(db: Db, name: string, docs: readonly Row[]): Promise<number> {
  try {
    const result = await db.collection<Row>(name, majority).insertMany([...docs], { ordered: false })
    return result.insertedCount
  } catch (error) {
    const refused = duplicates(error)
    if (refused === undefined) throw error
    return docs.length - refused
  }
}

/** How many rows were refused, if every refusal is a duplicate and nothing else went wrong. */
function duplicates(error: unknown): number | undefined {
  if (!(error instanceof Error && 'code' in error && error.code === duplicateKey)) return undefined
  if ('result' in error && hasConcernError(error.result)) return undefined
  if (!('writeErrors' in error)) return 1
  const each = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors]
  return each.every((one) => one?.code === duplicateKey) ? each.length : undefined
}

function hasConcernError(result: unknown): boolean {
  if (typeof result !== 'object' || result === null || !('getWriteConcernError' in result)) return false
  return typeof result.getWriteConcernError === 'function' && result.getWriteConcernError() !== undefined
}
