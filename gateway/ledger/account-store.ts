// The account documents: read, compare-and-swap, checkpoint, takeover. Every filter names the tenant, except the scans of
// the janitor (`live`, `dirty`, all), which say so in their comment.

import type { Db, Document } from 'mongodb'
import { asTenantId, type TenantId } from '../platform/ids.ts'
import type { ReceiptLine } from '../protocol/rest.ts'
import type { Account, Entry, PendingEntry } from './account.ts'
import { type AccountDoc, type EntryFields, int64, majority, names, toAccount, toEntry } from './documents.ts'
import { checkpointUpdate, operatorsOf, swap } from './update.ts'

/** Dotted paths are beyond the driver's types. */
interface Loose extends Document {
  _id: string
}

/** An account seen by a scan over all tenants. */
export interface Seen {
  readonly tenantId: TenantId
  readonly account: Account
}

export interface AccountStore {
  find(tenantId: TenantId): Promise<Account | undefined>
  /** Any number of processes may create the same account. */
  create(tenantId: TenantId): Promise<void>
  /** The entry under `key`. Undefined: the account was no longer what it was when read. */
  swap(tenantId: TenantId, read: Account, write: Swap): Promise<Entry | undefined>
  /** False: no such hold under this epoch. Waits for no version and makes none. */
  checkpoint(tenantId: TenantId, holdId: string, write: Checkpoint): Promise<boolean>
  takeOver(tenantId: TenantId, holdId: string, write: { fromEpoch: number; owner: string }): Promise<boolean>
  /** Takes moved entries out of the outbox. */
  clear(tenantId: TenantId, read: Account): Promise<void>
  setBreached(tenantId: TenantId, breached: boolean): Promise<void>
  scan(which: 'live' | 'dirty' | 'all'): AsyncIterable<Seen>
}

export interface Swap {
  readonly key: string
  readonly account: Account
  readonly entries: readonly PendingEntry[]
}

export interface Checkpoint {
  readonly epoch: number
  readonly lines: readonly ReceiptLine[]
  readonly costUsdMicro: number | null
}

const duplicateKey = 11000

/** The document and the store's time in one read. */
const fieldsAndTime = {
  ...{ tenantId: 1, v: 1, posted: 1, debt: 1, grants: 1, holds: 1, outbox: 1, breached: 1 },
  now: '$$NOW',
} as const

export function openAccounts(db: Db): AccountStore {
  const withTime = db.collection<AccountDoc & { now: Date }>(names.accounts, majority)
  const loose = db.collection<Loose>(names.accounts, majority)
  const self = (tenantId: TenantId) => ({ _id: tenantId, tenantId })
  return {
    async find(tenantId) {
      const doc = await withTime.findOne(self(tenantId), { projection: fieldsAndTime })
      return doc === null ? undefined : toAccount(doc)
    },
    async create(tenantId) {
      try {
        const fresh = { v: 0, posted: int64(0), grants: {}, holds: {}, outbox: {} }
        await loose.updateOne(self(tenantId), { $setOnInsert: fresh }, { upsert: true })
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === duplicateKey)) throw error
      }
    },
    async swap(tenantId, read, { key, account, entries }) {
      const { filter, update } = swap(read, account, entries)
      const doc = await loose.findOneAndUpdate({ ...self(tenantId), ...filter }, operatorsOf(update), {
        returnDocument: 'after',
        projection: { [`outbox.${key}`]: 1 },
      })
      const fields: EntryFields | undefined = doc?.outbox?.[key]
      return fields === undefined ? undefined : toEntry(key, fields)
    },
    async checkpoint(tenantId, holdId, { epoch, lines, costUsdMicro }) {
      const filter = { ...self(tenantId), [`holds.${holdId}.epoch`]: epoch }
      const result = await loose.updateOne(filter, operatorsOf(checkpointUpdate(holdId, lines, costUsdMicro)))
      return result.matchedCount === 1
    },
    async takeOver(tenantId, holdId, { fromEpoch, owner }) {
      const path = `holds.${holdId}`
      const result = await loose.updateOne(
        { ...self(tenantId), [`${path}.epoch`]: fromEpoch },
        {
          $inc: { v: 1, [`${path}.epoch`]: 1 },
          $set: { [`${path}.owner`]: owner },
          $currentDate: { [`${path}.seenAt`]: true },
        },
      )
      return result.matchedCount === 1
    },
    async clear(tenantId, read) {
      const moved = Object.fromEntries([...read.outbox.keys()].map((key) => [`outbox.${key}`, true as const]))
      const whole = await loose.updateOne({ ...self(tenantId), v: read.version }, { $unset: { ...moved, dirty: true } })
      // Entries came in meanwhile: these go, the mark stays for the next flush.
      if (whole.matchedCount === 0) await loose.updateOne(self(tenantId), { $unset: moved })
    },
    async setBreached(tenantId, breached) {
      const mark = { breached: true as const }
      await loose.updateOne(self(tenantId), breached ? { $set: mark } : { $unset: mark })
    },
    scan: (which) => scan(db, which),
  }
}

const scanBatch = 50
// `all` walks the index of ids: there is no narrower way to look at every account.
const matches = { live: { live: true }, dirty: { dirty: true }, all: { _id: { $gte: '' } } } as const

async function* scan(db: Db, which: keyof typeof matches): AsyncIterable<Seen> {
  const cursor = db
    .collection<AccountDoc>(names.accounts, majority)
    .aggregate<AccountDoc & { now: Date }>([{ $match: matches[which] }, { $addFields: { now: '$$NOW' } }], {
      batchSize: scanBatch,
      comment: 'all-tenants',
    })
  for await (const doc of cursor) yield { tenantId: asTenantId(doc.tenantId), account: toAccount(doc) }
}
