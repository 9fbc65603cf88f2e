// Collection `audit_entries`: appended to, never changed. What was done and how it ended are two documents, because the first
// is written before the change and nothing here is ever updated. The only file that knows them.

import type { Collection, Db, Filter } from 'mongodb'
import type { Actor } from '../../platform/access.ts'
import { afterMoment, type Moment } from '../../platform/cursor.ts'
import { newId, type TenantId } from '../../platform/ids.ts'
import { type CollectionSpec, durable } from '../../platform/mongo.ts'

/** `begun`: the process died, or nobody could write how it ended. */
export interface AuditOutcome {
  readonly outcome: 'done' | 'refused' | 'failed'
  /** HTTP; null where it was none. */
  readonly status: number | null
  /** Of the problem; null without one. */
  readonly code: string | null
}

export interface NewAuditEntry {
  readonly actor: Actor
  /** `resource.action`, or what no ability stands for: `auth.sign-in`. */
  readonly ability: string
  readonly method: string | null
  /** The path as the route has it: with the names of its parameters, never with their values. */
  readonly route: string | null
  readonly target: string | null
  readonly ip: string
}

export interface AuditRecord extends NewAuditEntry {
  readonly id: string
  readonly at: Date
  readonly ended: AuditOutcome | undefined
}

export interface AuditFilter {
  readonly from?: Date | undefined
  /** Not included. */
  readonly to?: Date | undefined
  readonly actor?: string | undefined
  readonly ability?: string | undefined
}

interface EntryDoc extends Omit<NewAuditEntry, 'actor'> {
  readonly _id: string
  readonly tenantId: string
  readonly is: 'entry'
  readonly at: Date
  readonly actorId: string
  readonly actor: Omit<Actor, 'id'>
  /** Written at once, where it was known. */
  readonly ended?: AuditOutcome
}

interface EndDoc {
  readonly _id: string
  readonly tenantId: string
  readonly is: 'end'
  readonly at: Date
  readonly ended: AuditOutcome
  readonly target: string | null
}

const endOf = (id: string): string => `${id}.end`

export const auditStore = {
  spec: {
    name: 'audit_entries',
    indexes: [
      { key: { tenantId: 1, is: 1, at: -1, _id: -1 }, name: 'time' },
      { key: { tenantId: 1, is: 1, actorId: 1, at: -1, _id: -1 }, name: 'actor' },
      { key: { tenantId: 1, is: 1, ability: 1, at: -1, _id: -1 }, name: 'ability' },
    ],
  } satisfies CollectionSpec,
  open(db: Db) {
    const docs: Collection<EntryDoc | EndDoc> = db.collection('audit_entries', durable)
    return {
      async add(tenantId: TenantId, { actor, ...entry }: NewAuditEntry, more: Pick<EntryDoc, 'at' | 'ended'>) {
        const { id: actorId, ...who } = actor
        const doc: EntryDoc = { _id: newId('aud'), tenantId, is: 'entry', actorId, actor: who, ...entry, ...more }
        await docs.insertOne(doc)
        return doc._id
      },
      async end(tenantId: TenantId, id: string, how: Pick<EndDoc, 'at' | 'ended' | 'target'>): Promise<void> {
        await docs.insertOne({ _id: endOf(id), tenantId, is: 'end', ...how })
      },
      /** Newest first. */
      async list(
        tenantId: TenantId,
        { from, to, actor, ability }: AuditFilter,
        { after, limit }: { readonly after?: Moment | undefined; readonly limit: number },
      ): Promise<readonly AuditRecord[]> {
        const at = { ...(from === undefined ? {} : { $gte: from }), ...(to === undefined ? {} : { $lt: to }) }
        const filter: Filter<EntryDoc> = {
          ...{ tenantId, is: 'entry' },
          ...(actor === undefined ? {} : { actorId: actor }),
          ...(ability === undefined ? {} : { ability }),
          ...(Object.keys(at).length === 0 ? {} : { at }),
          ...(after === undefined ? {} : { $and: [afterMoment(after)] }),
        }
        const found = await db
          .collection<EntryDoc>('audit_entries')
          .find(filter)
          .sort({ at: -1, _id: -1 })
          .limit(limit)
          .toArray()
        const ends = await db
          .collection<EndDoc>('audit_entries')
          .find({ _id: { $in: found.map((each) => endOf(each._id)) }, tenantId })
          .toArray()
        const byId = new Map(ends.map((each) => [each._id, each]))
        return found.map((each) => toRecord(each, byId.get(endOf(each._id))))
      },
    }
  },
}

function toRecord(doc: EntryDoc, end: EndDoc | undefined): AuditRecord {
  const { _id: id, at, actorId, actor, ability, method, route, target, ip } = doc
  return {
    ...{ id, at, ability, method, route, ip },
    actor: { ...actor, id: actorId },
    target: target ?? end?.target ?? null,
    ended: doc.ended ?? end?.ended,
  }
}
