// Changes of an account as updates of its document. Plain operators only: `$max`, `$inc` and `$set` are exact for int64.

import type { Document } from 'mongodb'
import { Problem } from '../platform/problem.ts'
import type { ReceiptLine } from '../protocol/rest.ts'
import type { Account, Hold, PendingEntry } from './account.ts'
import { int64, shortName, storedEntry, storedGrant, storedReceipt } from './documents.ts'

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
  read: Account,
  next: Account,
  entries: readonly PendingEntry[],
): { filter: Record<string, unknown>; update: Update } {
  const update = emptyUpdate()
  const filter: Record<string, unknown> = { v: read.version }
  const endsAt = nextEnd(read, entries)
  if (endsAt !== undefined) filter.$expr = { $gt: [endsAt, '$$NOW'] }
  update.$inc.v = entries.length
  update.$set.posted = int64(next.postedMicro)
  update.$set.dirty = true
  if (next.debtMicro !== read.debtMicro) update.$set.debt = int64(next.debtMicro)
  for (const entry of entries) {
    const path = `outbox.${entry.key}`
    const fields = { ...storedEntry(entry), ...(entry.receipt && { receipt: storedReceipt(entry.receipt) }) }
    for (const [name, value] of Object.entries(fields)) update.$set[`${path}.${name}`] = value
    update.$currentDate[`${path}.at`] = true
  }
  changeGrants(read, next, update)
  changeHolds(read, next, { filter, update })
  return { filter, update }
}

/** Of what had not ended at the look: from then on, by the store's clock, what was decided does not hold any more. */
function nextEnd(read: Account, entries: readonly PendingEntry[]): Date | undefined {
  const known = [...read.grants.values()].map((grant) => (grant.expired ? undefined : grant.expiresAt))
  const ends = [...known, ...entries.map((entry) => entry.expiresAt)]
  const ahead = ends.flatMap((each) => (each !== undefined && each > read.now ? [each.getTime()] : []))
  return ahead.length === 0 ? undefined : new Date(Math.min(...ahead))
}

function changeGrants(read: Account, next: Account, update: Update): void {
  if (!read.tiered) {
    update.$set.grants = Object.fromEntries(
      [...next.grants.values()].map((each) => [shortName(each), storedGrant(each)]),
    )
    return
  }
  for (const [grantId, grant] of next.grants) {
    const before = read.grants.get(grantId)
    const path = `grants.${shortName(grant)}`
    if (before === undefined) update.$set[path] = storedGrant(grant)
    else if (before !== grant) {
      update.$set[`${path}.leftMicro`] = int64(grant.leftMicro)
      if (grant.expired) update.$set[`${path}.expired`] = true
    }
  }
  for (const [grantId, grant] of read.grants)
    if (!next.grants.has(grantId)) update.$unset[`grants.${shortName(grant)}`] = true
}

function changeHolds(
  read: Account,
  next: Account,
  { filter, update }: { filter: Record<string, unknown>; update: Update },
): void {
  for (const [holdId, hold] of next.holds) {
    const before = read.holds.get(holdId)
    const path = `holds.${holdId}`
    if (before === hold && read.tiered) continue
    update.$set[`${path}.allocations`] = storedAllocations(hold, read, next)
    if (before === hold) continue
    update.$set[`${path}.amountMicro`] = int64(hold.amountMicro)
    update.$currentDate[`${path}.seenAt`] = true
    if (before === undefined) {
      update.$set[`${path}.sessionId`] = hold.sessionId
      update.$set[`${path}.owner`] = hold.owner
      update.$set[`${path}.epoch`] = hold.epoch
      update.$set[`${path}.checkpoints`] = hold.checkpoints
      update.$set.live = true
    } else {
      requireUnchanged(before, filter)
      update.$inc[`${path}.checkpoints`] = 1
    }
  }
  for (const [holdId, hold] of read.holds) {
    if (next.holds.has(holdId)) continue
    requireUnchanged(hold, filter)
    update.$unset[`holds.${holdId}`] = true
    if (next.holds.size === 0) update.$unset.live = true
  }
}

/** Checkpoints and takeovers do not wait for v: what was computed from them holds only while these stand. */
function requireUnchanged(hold: Hold, filter: Record<string, unknown>): void {
  filter[`holds.${hold.holdId}.epoch`] = hold.epoch
  filter[`holds.${hold.holdId}.checkpoints`] = hold.checkpoints
}

function storedAllocations(hold: Hold, read: Account, next: Account): Record<string, unknown> {
  const entries = [...hold.allocations].map(([grantId, micro]) => {
    const grant = next.grants.get(grantId) ?? read.grants.get(grantId)
    if (grant === undefined) throw new Problem('internal', undefined, { cause: new Error('a hold on no grant') })
    return [shortName(grant), int64(micro)] as const
  })
  return Object.fromEntries(entries)
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
