// Watches every command a gateway sends to its store: one on a tenant's collection that does not name the tenant is a
// violation, and fails the test file that caused it.

import type { Document } from 'mongodb'

/** Collections whose every document belongs to one tenant. Accounts are not listed: their `_id` is the tenant. */
const ofTenants = new Set([
  'agent_days',
  'agent_versions',
  'audit_entries',
  'booking_spans',
  'chat_lines',
  'contacts',
  'conversations',
  'credit_entries',
  'credit_receipts',
  'entities',
  'entity_types',
  'event_registrations',
  'events',
  'executions',
  'knowledge_chunks',
  'knowledge_documents',
  'knowledge_files',
  'knowledge_sources',
  'knowledge_versions',
  'number_series',
  'objects',
  'payments',
  'payment_hooks',
  'policies',
  'queued_jobs',
  'role_assignments',
  'roles',
  'inbound_messages',
  'sequence_enrolments',
  'email_stops',
  'sessions',
  'tool_results',
  'tools',
  'turns',
  'usage_daily',
  'mcp_servers',
  'webhooks',
  'webhook_deliveries',
])

/** The scans over all tenants, by their filter: the janitor's, those of work that is due, and of changes whose events are not told. */
const isScan = (collection: string, filter: Document): boolean =>
  (collection === 'sessions' && filter.alive === true && 'lastSeenAt' in filter && !('_id' in filter)) ||
  (['entities', 'entity_types'].includes(collection) && Object.keys(filter).join() === 'pendingAt') ||
  (collection === 'queued_jobs' && Object.keys(filter).join() === 'turnAt') ||
  (['inbound_messages', 'knowledge_sources'].includes(collection) &&
    filter.open === true &&
    '$expr' in filter &&
    !('_id' in filter)) ||
  (collection === 'webhooks' && filter.state === 'on' && Object.keys(filter).length === 2) ||
  (collection === 'sequence_enrolments' && Object.keys(filter).join() === 'nextAt')

function filtersOf(name: string, command: Document): Document[] {
  if (name === 'find') return [command.filter ?? {}]
  if (name === 'count' || name === 'distinct') return [command.query ?? {}]
  if (name === 'aggregate') return [command.pipeline[0]?.$match ?? {}]
  if (name === 'update') return command.updates.map((each: Document) => each.q)
  if (name === 'delete') return command.deletes.map((each: Document) => each.q)
  if (name === 'findAndModify') return [command.query ?? {}]
  if (name === 'insert') return command.documents ?? []
  return []
}

export class TenancyWatch {
  readonly violations: string[] = []
  #watched = 0

  /** Commands on tenants' collections seen so far: a watch that sees none is blind. */
  get watched(): number {
    return this.#watched
  }

  readonly onCommand = (name: string, command: Document): void => {
    const collection: unknown = command[name]
    if (typeof collection !== 'string' || !ofTenants.has(collection)) return
    for (const filter of filtersOf(name, command)) {
      this.#watched++
      if (!('tenantId' in filter) && !isScan(collection, filter)) {
        this.violations.push(`${name} ${collection} ${JSON.stringify(Object.keys(filter))}`)
      }
    }
  }

  check(): void {
    if (this.violations.length > 0)
      throw new Error(`queries without a tenant:\n${[...new Set(this.violations)].join('\n')}`)
    if (this.#watched === 0) throw new Error('no command on a tenant collection was seen: the watch is blind')
  }
}
