// Who did what in a tenant, and who was not allowed to. Entries are appended and read: nothing changes or removes one.

import type { Db } from 'mongodb'
import type { Clock } from '../../platform/clock.ts'
import { momentCursor, momentOf, type PageQuery, pageFrom } from '../../platform/cursor.ts'
import type { TenantId } from '../../platform/ids.ts'
import type { AuditEntryView } from '../../protocol/access.ts'
import type { Page } from '../../protocol/rest.ts'
import { type AuditFilter, type AuditOutcome, type AuditRecord, auditStore, type NewAuditEntry } from './audit-store.ts'

export interface TenantAudit {
  /** What is about to be done; durable when it resolves. Returns the entry's id. */
  begin(entry: NewAuditEntry): Promise<string>
  /** How it ended. `target`: of what was made. */
  end(id: string, how: AuditOutcome & { readonly target: string | null }): Promise<void>
  /** What has happened: a sign-in, a refusal. Durable when it resolves. */
  record(entry: NewAuditEntry & AuditOutcome): Promise<void>
  /** Newest first; what is added meanwhile moves nothing. `invalid` for a cursor of another list. */
  list(query: AuditFilter & PageQuery): Promise<Page<AuditEntryView>>
  /** The same, all of it, read as it is taken: no more than 500 entries are held at once. */
  export(filter: AuditFilter): AsyncIterable<AuditEntryView>
}

export interface Audit {
  of(tenantId: TenantId): TenantAudit
}

const exportPage = 500

export function createAudit({ db, clock }: { readonly db: Db; readonly clock: Clock }): Audit {
  const store = auditStore.open(db)
  const now = () => new Date(clock.now())
  return {
    of: (tenantId) => ({
      begin: (entry) => store.add(tenantId, entry, { at: now() }),
      end: (id, { target, ...ended }) => store.end(tenantId, id, { at: now(), ended, target }),
      async record({ outcome, status, code, ...entry }) {
        await store.add(tenantId, entry, { at: now(), ended: { outcome, status, code } })
      },
      async list({ limit, cursor, ...filter }) {
        const after = cursor === undefined ? undefined : momentOf(cursor)
        const records = await store.list(tenantId, filter, { after, limit: limit + 1 })
        return pageFrom(records, limit, { view: present, cursor: momentCursor })
      },
      async *export(filter) {
        // What is written while it is read is not part of it: the export would never end.
        const until = filter.to ?? now()
        let last: AuditRecord | undefined
        for (;;) {
          const records = await store.list(tenantId, { ...filter, to: until }, { after: last, limit: exportPage })
          yield* records.map(present)
          last = records.at(-1)
          if (records.length < exportPage) return
        }
      },
    }),
  }
}

function present({ at, ended, ...entry }: AuditRecord): AuditEntryView {
  const { outcome = 'begun', status = null, code = null } = ended ?? {}
  return { ...entry, at: at.toISOString(), outcome, status, code }
}
