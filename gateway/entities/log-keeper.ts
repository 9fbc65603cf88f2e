// Moves the events of changes from the documents that were changed into the log.

import type { Actor } from '../platform/access.ts'
import type { Clock } from '../platform/clock.ts'
import { asTenantId, type TenantId } from '../platform/ids.ts'
import type { EntityDoc, EntityTypeDoc } from './documents.ts'
import type { EntityKind } from './entity-kind.ts'
import type { EventSink } from './outbox.ts'
import type { RecordStore } from './record-store.ts'
import { type TypeStore, toStored } from './type-store.ts'

export interface LogKeeper {
  /** After a change of entities: their events are in the log when it resolves. */
  records(tenantId: TenantId, ids: readonly string[]): Promise<void>
  types(docs: readonly EntityTypeDoc[]): Promise<void>
  /** What somebody died over: events of changes older than 10 s. Returns how many documents had some. */
  repair(): Promise<number>
}

export interface LogKeeperDeps {
  readonly records: RecordStore
  readonly types: TypeStore
  readonly events: EventSink
  readonly clock: Clock
  /** Takes the relations to an entity that is gone out of the others. */
  readonly unlinkAll: (tenantId: TenantId, gone: Gone) => Promise<void>
  /** Goes on with the removal of a type. */
  readonly finishRemoval: (tenantId: TenantId, removal: Removal) => Promise<unknown>
}

export interface Gone {
  readonly actor: Actor
  readonly target: { readonly type: string; readonly id: string }
}

/** Of an entity type. */
export interface Removal {
  readonly actor: Actor
  readonly kind: EntityKind
  /** Its entities too. */
  readonly takesAll: boolean
}

/** Whoever made the change is at it for that long. */
const graceMs = 10_000

export function createLogKeeper({ records, types, events, clock, ...deps }: LogKeeperDeps): LogKeeper {
  const move = async (docs: readonly (EntityDoc | EntityTypeDoc)[]): Promise<void> => {
    for (const [tenantId, own] of Map.groupBy(docs, (each) => each.tenantId)) {
      const found = own.flatMap((each) => each.outbox ?? [])
      if (found.length > 0) await events.append(asTenantId(tenantId), found)
    }
  }
  const settleRecords = async (docs: readonly EntityDoc[]): Promise<void> => {
    await move(docs)
    for (const { _id, tenantId, type, outbox } of docs) {
      const actor = outbox?.at(-1)?.actor
      if (type.startsWith('~') && actor !== undefined)
        await deps.unlinkAll(asTenantId(tenantId), { actor, target: { type: type.slice(1), id: _id } })
    }
    await records.settle(docs.filter((each) => each.pendingAt !== undefined))
  }
  const settleTypes = async (docs: readonly EntityTypeDoc[]): Promise<void> => {
    await move(docs)
    for (const each of docs) await types.settle(each)
  }
  return {
    records: async (tenantId, ids) => settleRecords(await records.pending({ tenantId, ids })),
    types: settleTypes,
    async repair() {
      const before = new Date(clock.now() - graceMs)
      const [ofRecords, ofTypes] = await Promise.all([records.pending({ before }), types.pending({ before })])
      await settleRecords(ofRecords)
      await settleTypes(ofTypes)
      for (const doc of ofTypes)
        if (doc.isRemoving === true && doc.removal !== undefined)
          await deps.finishRemoval(asTenantId(doc.tenantId), { ...doc.removal, kind: toStored(doc).kind })
      return ofRecords.length + ofTypes.length
    },
  }
}
