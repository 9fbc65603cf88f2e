// Ledger entries and receipts: append-only. Nothing here updates or deletes.

import type { Db } from 'mongodb'
import type { TenantId } from '../platform/ids.ts'
import type { Account, Entry } from './account.ts'
import { documentId, type EntryDoc, majority, names, type ReceiptDoc, receiptName, rows, toEntry } from './documents.ts'
import { visibleKinds } from './present.ts'

/** What a replay needs of an entry. */
export type ReplayRow = Pick<
  Entry,
  'key' | 'kind' | 'amountMicro' | 'moves' | 'heldMicro' | 'debtMicro' | 'balanceMicro' | 'seq' | 'billed'
>

/** What a replay needs of a receipt. */
export type BillRow = Pick<ReceiptDoc, 'entryId' | 'totalMicro' | 'lines'>

export interface EntryStore {
  /** Appends what the outbox holds; what is there already stays. Returns how many entries were new. */
  append(tenantId: TenantId, account: Account): Promise<number>
  find(tenantId: TenantId, key: string): Promise<Entry | undefined>
  /** Newest first, below `beforeSeq`; only kinds a tenant sees. */
  page(tenantId: TenantId, beforeSeq: number, limit: number): Promise<readonly Entry[]>
  /** What is told of one grant: the entry that gave it, its refunds with their debt, expiries, a fold. */
  ofGrant(tenantId: TenantId, grantId: string): Promise<readonly Entry[]>
  /** Oldest first. */
  receipts(tenantId: TenantId, sessionId: string): Promise<readonly ReceiptDoc[]>
  /** Every entry up to a version, in order. */
  replay(tenantId: TenantId, upToSeq: number): AsyncIterable<ReplayRow>
  /** Every receipt of the entries up to a version. */
  bills(tenantId: TenantId, upToSeq: number): AsyncIterable<BillRow>
}

/** Years of entries are read at once: only what is summed. */
const replayed = {
  ...{ key: 1, kind: 1, amountMicro: 1, moves: 1, heldMicro: 1, debtMicro: 1, balanceMicro: 1, seq: 1, billed: 1 },
} as const satisfies Record<keyof ReplayRow, 1>

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
      if (doc.kind !== 'settle') return entryOf(doc)
      const bill = await receipts.findOne({ _id: documentId(tenantId, receiptName(doc)), tenantId })
      return entryOf(bill === null ? doc : { ...doc, receipt: bill })
    },
    async page(tenantId, beforeSeq, limit) {
      const filter = { tenantId, seq: { $lt: beforeSeq }, kind: { $in: [...visibleKinds] } }
      return (await entries.find(filter).sort({ seq: -1 }).limit(limit).toArray()).map(entryOf)
    },
    async ofGrant(tenantId, grantId) {
      const given = await entries.findOne({ _id: documentId(tenantId, grantId), tenantId })
      const rest = await entries.find({ tenantId, ofGrant: grantId }).toArray()
      return [...(given === null ? [] : [given]), ...rest].map(entryOf)
    },
    receipts: (tenantId, sessionId) => receipts.find({ tenantId, sessionId }).sort({ settledAt: 1 }).toArray(),
    async *replay(tenantId, upToSeq) {
      const cursor = entries
        .find({ tenantId, seq: { $lte: upToSeq } })
        .project<Pick<EntryDoc, keyof typeof replayed>>(replayed)
        .sort({ seq: 1 })
      for await (const { key, ...fields } of cursor) yield toEntry(key, fields)
    },
    async *bills(tenantId, upToSeq) {
      // Without a version it is from before they had one: older than any account read today.
      for await (const doc of receipts.find({ tenantId }).sort({ sessionId: 1 }))
        if ((doc.seq ?? 0) <= upToSeq) yield doc
    },
  }
}

function entryOf(doc: EntryDoc): Entry {
  const { _id, tenantId: _tenantId, key, ...fields } = doc
  return toEntry(key, fields)
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
