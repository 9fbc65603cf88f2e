// How accounts, entries and receipts look on disk. Money is int64; ids that become field names were checked before.

import { Long } from 'bson'
import type { CollectionOptions, Document } from 'mongodb'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { ReceiptLine } from '../protocol/rest.ts'
import type { Account, Change, Entry, EntryKind, Hold, HoldChange, ReceiptDraft } from './account.ts'

interface LineDoc {
  quantity: number
  unit: ReceiptLine['unit']
  priceMicroPerMillion: number
  amountMicro: number
}

interface HoldDoc {
  sessionId: string
  amountMicro: number
  owner: string
  epoch: number
  checkpoints: number
  seenAt: Date
  /** By meter, dots written as slashes. */
  lines?: Record<string, LineDoc>
  costUsdMicro?: number
  costUnknown?: true
}

export interface EntryFields {
  kind: EntryKind
  amountMicro: number
  heldMicro: number
  askedMicro: number
  balanceMicro: number
  seq: number
  note: string
  at: Date
  sessionId?: string
  holdId?: string
  receipt?: ReceiptDraft
}

export interface AccountDoc {
  _id: string
  tenantId: string
  v: number
  posted: number
  holds: Record<string, HoldDoc>
  outbox: Record<string, EntryFields>
  /** Present while there are holds, entries to move, a breach: what the cross-tenant scans find by index. */
  live?: true
  dirty?: true
  breached?: true
}

export type EntryDoc = Omit<EntryFields, 'receipt'> & { _id: string; tenantId: string; key: string }

export interface ReceiptDoc {
  _id: string
  tenantId: string
  sessionId: string
  holdId: string
  lines: readonly ReceiptLine[]
  totalMicro: number
  waivedMicro: number
  costUsdMicro: number | null
  entryId: string
  settledAt: Date
}

/** Read from the primary what a majority has: a version that could be rolled back must not be built upon. */
export const majority: CollectionOptions = { ...durable, readConcern: { level: 'majority' }, readPreference: 'primary' }

export const names = { accounts: 'credit_accounts', entries: 'credit_entries', receipts: 'credit_receipts' } as const

export const collections: readonly CollectionSpec[] = [
  {
    name: names.accounts,
    indexes: [
      { key: { live: 1 }, name: 'live', partialFilterExpression: { live: true } },
      { key: { dirty: 1 }, name: 'dirty', partialFilterExpression: { dirty: true } },
    ],
  },
  { name: names.entries, indexes: [{ key: { tenantId: 1, seq: -1 }, name: 'order' }] },
  { name: names.receipts, indexes: [{ key: { tenantId: 1, sessionId: 1, settledAt: -1 }, name: 'session' }] },
]

/** Keys are unique per tenant, `_id` per collection: without the tenant, two tenants' `grant:2026-11` would be one entry. */
export function documentId(tenantId: string, key: string): string {
  return `${tenantId}/${key}`
}

export function int64(value: number): Long {
  return Long.fromNumber(value)
}

export function toAccount(doc: AccountDoc): Account {
  return {
    version: doc.v,
    postedMicro: doc.posted,
    holds: new Map(Object.entries(doc.holds).map(([id, hold]) => [id, toHold(id, hold)])),
    outbox: new Map(Object.entries(doc.outbox).map(([key, fields]) => [key, { key, ...fields }])),
    breached: doc.breached === true,
  }
}

export function toHold(holdId: string, doc: HoldDoc): Hold {
  return {
    holdId,
    sessionId: doc.sessionId,
    amountMicro: doc.amountMicro,
    owner: doc.owner,
    epoch: doc.epoch,
    checkpoints: doc.checkpoints,
    seenAt: doc.seenAt,
    lines: Object.entries(doc.lines ?? {}).map(([meter, line]) => ({ meter: meter.replaceAll('/', '.'), ...line })),
    costUsdMicro: doc.costUnknown === true ? null : doc.costUsdMicro,
  }
}

/** An update of plain operators: `$max`, `$inc` and `$set` are exact for int64, and the filter makes them a compare-and-swap. */
export interface Update {
  readonly $set: Record<string, unknown>
  readonly $inc: Record<string, unknown>
  readonly $max: Record<string, unknown>
  readonly $unset: Record<string, true>
  readonly $currentDate: Record<string, true>
}

/** Without the operators that would do nothing. */
export function operatorsOf(update: Update): Document {
  return Object.fromEntries(Object.entries(update).filter(([, fields]) => Object.keys(fields).length > 0))
}

function emptyUpdate(): Update {
  return { $set: {}, $inc: {}, $max: {}, $unset: {}, $currentDate: {} }
}

/** Step 4 of the protocol: what to write, under which conditions on the document. */
export function swap(
  account: Account,
  key: string,
  change: Change,
): { filter: Record<string, unknown>; update: Update } {
  const { draft, hold } = change
  const update = emptyUpdate()
  const filter: Record<string, unknown> = { v: account.version }
  const balanceMicro = account.postedMicro + draft.amountMicro
  update.$inc.v = 1
  update.$set.posted = int64(balanceMicro)
  update.$set.dirty = true
  const { receipt, amountMicro, heldMicro, askedMicro, ...words } = draft
  const fields: Record<string, unknown> = {
    ...words,
    amountMicro: int64(amountMicro),
    heldMicro: int64(heldMicro),
    askedMicro: int64(askedMicro),
    balanceMicro: int64(balanceMicro),
    seq: account.version + 1,
    ...(receipt === undefined ? {} : { receipt: storedReceipt(receipt) }),
  }
  for (const [name, value] of Object.entries(fields)) update.$set[`outbox.${key}.${name}`] = value
  update.$currentDate[`outbox.${key}.at`] = true
  if (hold !== undefined) changeHold(hold, account, { filter, update })
  return { filter, update }
}

function changeHold(
  change: HoldChange,
  account: Account,
  { filter, update }: { filter: Record<string, unknown>; update: Update },
): void {
  if (change.is === 'open') {
    const path = `holds.${change.holdId}`
    update.$set[`${path}.sessionId`] = change.sessionId
    update.$set[`${path}.amountMicro`] = int64(change.amountMicro)
    update.$set[`${path}.owner`] = change.owner
    update.$set[`${path}.epoch`] = 1
    update.$set[`${path}.checkpoints`] = 0
    update.$currentDate[`${path}.seenAt`] = true
    update.$set.live = true
    return
  }
  const path = `holds.${change.hold.holdId}`
  // Checkpoints and takeovers do not wait for v: what was computed from them holds only while these stand.
  filter[`${path}.epoch`] = change.hold.epoch
  filter[`${path}.checkpoints`] = change.hold.checkpoints
  if (change.is === 'extend') {
    update.$set[`${path}.amountMicro`] = int64(change.amountMicro)
    update.$inc[`${path}.checkpoints`] = 1
    update.$currentDate[`${path}.seenAt`] = true
    return
  }
  update.$unset[path] = true
  if (account.holds.size === 1) update.$unset.live = true
}

/** A checkpoint: cumulative figures merged by maximum, so repeats, retries and reordering change nothing. */
export function checkpointUpdate(holdId: string, lines: readonly ReceiptLine[], costUsdMicro: number | null): Update {
  const update = emptyUpdate()
  const path = `holds.${holdId}`
  for (const line of lines) {
    const at = `${path}.lines.${line.meter.replaceAll('.', '/')}`
    update.$set[`${at}.unit`] = line.unit
    update.$set[`${at}.priceMicroPerMillion`] = int64(line.priceMicroPerMillion)
    update.$max[`${at}.quantity`] = int64(line.quantity)
    update.$max[`${at}.amountMicro`] = int64(line.amountMicro)
  }
  if (costUsdMicro === null) update.$set[`${path}.costUnknown`] = true
  else update.$max[`${path}.costUsdMicro`] = int64(costUsdMicro)
  update.$inc[`${path}.checkpoints`] = 1
  update.$currentDate[`${path}.seenAt`] = true
  return update
}

function storedReceipt(receipt: ReceiptDraft): Record<string, unknown> {
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
  const { receipt, amountMicro, heldMicro, askedMicro, balanceMicro, ...words } = entry
  const row = {
    _id: documentId(tenantId, entry.key),
    tenantId,
    ...words,
    amountMicro: int64(amountMicro),
    heldMicro: int64(heldMicro),
    askedMicro: int64(askedMicro),
    balanceMicro: int64(balanceMicro),
  }
  if (receipt === undefined) return { entry: row }
  return {
    entry: row,
    receipt: {
      _id: documentId(tenantId, entry.holdId ?? ''),
      tenantId,
      sessionId: entry.sessionId,
      holdId: entry.holdId,
      ...storedReceipt(receipt),
      totalMicro: int64(0 - amountMicro),
      entryId: entry.key,
      settledAt: entry.at,
    },
  }
}
