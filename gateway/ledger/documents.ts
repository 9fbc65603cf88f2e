// How accounts, entries and receipts look on disk. Money is int64; ids that become field names were checked before.

import { Long } from 'bson'
import type { CollectionOptions } from 'mongodb'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { CreditTier, ReceiptLine } from '../protocol/rest.ts'
import type { Account, Entry, EntryKind, Hold, PendingEntry, ReceiptDraft } from './account.ts'
import type { Grant, Move } from './grants.ts'

interface LineDoc {
  quantity: number
  unit: ReceiptLine['unit']
  priceMicroPerMillion: number
  amountMicro: number
}

interface HoldDoc {
  sessionId: string
  amountMicro: number
  /** By the grants' short names. */
  allocations?: Record<string, number>
  owner: string
  epoch: number
  checkpoints: number
  seenAt: Date
  /** By meter, dots written as slashes. */
  lines?: Record<string, LineDoc>
  costUsdMicro?: number
  costUnknown?: true
}

interface GrantDoc {
  id: string
  tier: CreditTier
  leftMicro: number
  expiresAt?: Date
  expired?: true
}

export interface EntryFields {
  kind: EntryKind
  amountMicro: number
  /** Absent in entries from before there were grants. */
  moves?: readonly Move[]
  heldMicro: number
  debtMicro?: number
  askedMicro: number
  balanceMicro: number
  seq: number
  note: string
  at: Date
  sessionId?: string
  holdId?: string
  ofGrant?: string
  expiresAt?: Date
  receipt?: ReceiptDraft
  /** A deduction that has a receipt; a settlement always has one. */
  billed?: true
}

export interface AccountDoc {
  _id: string
  tenantId: string
  v: number
  posted: number
  debt?: number
  /** By short name (`g` and the version that made it). Absent: stored before there were grants. */
  grants?: Record<string, GrantDoc>
  holds: Record<string, HoldDoc>
  outbox: Record<string, EntryFields>
  /** Present while there are holds, entries to move, a breach: what the cross-tenant scans find by index. */
  live?: true
  dirty?: true
  breached?: true
}

export type EntryDoc = EntryFields & { _id: string; tenantId: string; key: string }

export interface ReceiptDoc {
  _id: string
  tenantId: string
  sessionId?: string
  holdId?: string
  lines: readonly ReceiptLine[]
  totalMicro: number
  waivedMicro: number
  costUsdMicro: number | null
  entryId: string
  /** The entry's; absent in receipts from before it was needed. */
  seq?: number
  settledAt: Date
}

/** Read from the primary what a majority has: a version that could be rolled back must not be built upon. */
export const majority: CollectionOptions = { ...durable, readConcern: { level: 'majority' }, readPreference: 'primary' }

export const names = {
  accounts: 'credit_accounts',
  entries: 'credit_entries',
  receipts: 'credit_receipts',
  audits: 'credit_audits',
} as const

export const collections: readonly CollectionSpec[] = [
  {
    name: names.accounts,
    indexes: [
      { key: { live: 1 }, name: 'live', partialFilterExpression: { live: true } },
      { key: { dirty: 1 }, name: 'dirty', partialFilterExpression: { dirty: true } },
    ],
  },
  {
    name: names.entries,
    indexes: [
      { key: { tenantId: 1, seq: -1 }, name: 'order' },
      {
        key: { tenantId: 1, ofGrant: 1 },
        name: 'grant',
        partialFilterExpression: { ofGrant: { $exists: true } },
      },
    ],
  },
  { name: names.receipts, indexes: [{ key: { tenantId: 1, sessionId: 1, settledAt: -1 }, name: 'session' }] },
]

/** Keys are unique per tenant, `_id` per collection: without the tenant, two tenants' `grant:2026-11` would be one entry. */
export function documentId(tenantId: string, key: string): string {
  return `${tenantId}/${key}`
}

export function int64(value: number): Long {
  return Long.fromNumber(value)
}

/** All credit from before there were grants is one purchased grant without an end. */
const oldGrant: Pick<Grant, 'grantId' | 'seq' | 'tier'> = { grantId: 'before', seq: 0, tier: 'purchased' }

export function toAccount(doc: AccountDoc & { now: Date }): Account {
  const grants = doc.grants === undefined ? oldGrants(doc) : Object.entries(doc.grants).map(toGrant)
  const names = new Map(grants.map((grant) => [shortName(grant), grant.grantId]))
  return {
    version: doc.v,
    now: doc.now,
    postedMicro: doc.posted,
    debtMicro: doc.debt ?? 0,
    grants: new Map(grants.map((grant) => [grant.grantId, grant])),
    holds: new Map(Object.entries(doc.holds).map(([id, hold]) => [id, toHold(id, hold, names)])),
    outbox: new Map(Object.entries(doc.outbox).map(([key, fields]) => [key, toEntry(key, fields)])),
    breached: doc.breached === true,
    tiered: doc.grants !== undefined,
  }
}

function oldGrants(doc: AccountDoc): Grant[] {
  return doc.posted === 0 ? [] : [{ ...oldGrant, leftMicro: doc.posted, expiresAt: undefined, expired: false }]
}

export function shortName(grant: Grant): string {
  return `g${grant.seq}`
}

function toGrant([name, doc]: [string, GrantDoc]): Grant {
  const { id, tier, leftMicro, expiresAt, expired } = doc
  return { grantId: id, seq: Number(name.slice(1)), tier, leftMicro, expiresAt, expired: expired === true }
}

/** An amount without moves is from before there were grants. */
export function toEntry<Fields extends Pick<EntryFields, 'amountMicro' | 'moves' | 'debtMicro'>>(
  key: string,
  fields: Fields,
) {
  const { grantId, tier } = oldGrant
  const { amountMicro } = fields
  const moves = fields.moves ?? (amountMicro === 0 ? [] : [{ grantId, tier, amountMicro }])
  return { ...fields, key, moves, debtMicro: fields.debtMicro ?? 0 }
}

function toHold(holdId: string, doc: HoldDoc, names: ReadonlyMap<string, string>): Hold {
  const old = doc.amountMicro === 0 ? {} : { g0: doc.amountMicro }
  const allocations = Object.entries(doc.allocations ?? old)
  return {
    holdId,
    sessionId: doc.sessionId,
    amountMicro: doc.amountMicro,
    allocations: new Map(allocations.map(([name, micro]) => [names.get(name) ?? name, micro])),
    owner: doc.owner,
    epoch: doc.epoch,
    checkpoints: doc.checkpoints,
    seenAt: doc.seenAt,
    lines: Object.entries(doc.lines ?? {}).map(([meter, line]) => ({ meter: meter.replaceAll('/', '.'), ...line })),
    costUsdMicro: doc.costUnknown === true ? null : doc.costUsdMicro,
  }
}

/** All of an entry but its key and time, money as int64, nothing where there is nothing to say. */
export function storedEntry(entry: PendingEntry): Record<string, unknown> {
  const { kind, amountMicro, moves, heldMicro, debtMicro, askedMicro, balanceMicro, seq, note } = entry
  const { sessionId, holdId, ofGrant, expiresAt, receipt } = entry
  return {
    ...{ kind, note, seq },
    amountMicro: int64(amountMicro),
    heldMicro: int64(heldMicro),
    askedMicro: int64(askedMicro),
    balanceMicro: int64(balanceMicro),
    ...(debtMicro === 0 ? {} : { debtMicro: int64(debtMicro) }),
    moves: moves.map((move) => ({ ...move, amountMicro: int64(move.amountMicro) })),
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(holdId === undefined ? {} : { holdId }),
    ...(ofGrant === undefined ? {} : { ofGrant }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(kind === 'deduct' && receipt !== undefined ? { billed: true } : {}),
  }
}

export function storedGrant({ grantId, tier, leftMicro, expiresAt, expired }: Grant): Record<string, unknown> {
  return {
    ...{ id: grantId, tier, leftMicro: int64(leftMicro) },
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(expired ? { expired } : {}),
  }
}

export function storedReceipt(receipt: ReceiptDraft): Record<string, unknown> {
  return {
    lines: receipt.lines.map((line) => ({
      ...line,
      quantity: int64(line.quantity),
      priceMicroPerMillion: int64(line.priceMicroPerMillion),
      amountMicro: int64(line.amountMicro),
    })),
    waivedMicro: int64(receipt.waivedMicro),
    costUsdMicro: receipt.costUsdMicro === null ? null : int64(receipt.costUsdMicro),
  }
}

/** An outbox entry as the two rows it becomes. */
export function rows(
  tenantId: string,
  entry: Entry,
): { entry: Record<string, unknown> & { _id: string }; receipt?: Record<string, unknown> & { _id: string } } {
  const { key, at, receipt, sessionId, holdId, amountMicro, seq } = entry
  const row = { _id: documentId(tenantId, key), tenantId, key, at, ...storedEntry(entry) }
  if (receipt === undefined) return { entry: row }
  return {
    entry: row,
    receipt: {
      _id: documentId(tenantId, receiptName(entry)),
      tenantId,
      ...(sessionId === undefined ? {} : { sessionId }),
      ...(holdId === undefined ? {} : { holdId }),
      ...storedReceipt(receipt),
      totalMicro: int64(0 - amountMicro),
      entryId: key,
      seq,
      settledAt: at,
    },
  }
}

/** A hold's id has no colon: a deduction's key cannot be taken for one. */
export function receiptName({ key, holdId }: Pick<Entry, 'key' | 'holdId'>): string {
  return holdId ?? `deduct:${key}`
}
