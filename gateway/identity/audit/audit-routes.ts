// HTTP of the audit log. There is no route that changes or removes an entry.

import { z } from 'zod'
import { type Route, route } from '../../platform/http.ts'
import { pageOf, pageQuery } from '../../platform/page.ts'
import type { AuditEntryView } from '../../protocol/access.ts'
import type { Audit } from './audit.ts'

const moment = z.union([z.iso.datetime({ offset: true }), z.iso.date()]).transform((text) => new Date(text))
const filter = {
  from: moment.optional().describe('A moment or a day (from its beginning in UTC).'),
  to: moment.optional().describe('Not included.'),
  actor: z.string().min(1).max(64).optional().describe('Id of an operator, a key or an agent.'),
  ability: z.string().min(1).max(64).optional(),
}

const entryView = z
  .strictObject({
    id: z.string(),
    at: z.iso.datetime(),
    actor: z.strictObject({ kind: z.string(), id: z.string(), name: z.string() }),
    ability: z.string(),
    method: z.string().nullable(),
    route: z.string().nullable(),
    target: z.string().nullable(),
    ip: z.string(),
    outcome: z.enum(['begun', 'done', 'refused', 'failed']).describe('begun: how it ended was not written.'),
    status: z.number().nullable(),
    code: z.string().nullable(),
  })
  .meta({ id: 'AuditEntry' }) satisfies z.ZodType<AuditEntryView>

export function auditRoutes({ audit }: { readonly audit: Audit }): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/audit',
      access: 'audit.read',
      summary: 'Who did what, and who was not allowed to; newest first',
      query: z.strictObject({ ...pageQuery, ...filter }),
      reply: pageOf(entryView),
      run: async ({ tenantId, query }) => ({ json: await audit.of(tenantId).list(query) }),
    }),
    route({
      method: 'GET',
      path: '/v1/audit/export',
      access: 'audit.read',
      audit: 'always',
      summary: 'The audit log as one JSON object a line, newest first',
      query: z.strictObject(filter),
      replies: [{ type: 'application/jsonl', schema: entryView }],
      run: async ({ tenantId, query }) => ({
        headers: {
          'content-type': 'application/jsonl',
          'content-disposition': 'attachment; filename="audit.jsonl"',
        },
        stream: lines(audit.of(tenantId).export(query)),
      }),
    }),
  ]
}

async function* lines(entries: AsyncIterable<AuditEntryView>): AsyncIterable<string> {
  for await (const each of entries) yield `${JSON.stringify(each)}\n`
}
