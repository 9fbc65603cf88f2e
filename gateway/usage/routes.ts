// Credits and usage over HTTP, read only.

import { z } from 'zod'
import type { Ledger, TenantLedger } from '../ledger/ledger.ts'
import { type CsvCell, csvReply } from '../platform/csv.ts'
import { type Route, type RouteReply, route } from '../platform/http.ts'
import { pageOf, pageQuery } from '../platform/page.ts'
import type { EntryView } from '../protocol/rest.ts'
import type { Usage } from './usage.ts'
import { creditsView, entryView, usageDaysReply } from './views.ts'

const day = z.iso.date()

export function usageRoutes(deps: { readonly ledger: Ledger; readonly usage: Usage }): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/credits',
      access: 'credits.read',
      reply: creditsView,
      summary: 'Balance and holds of the tenant.',
      run: async ({ tenantId }) => ({ json: await deps.ledger.of(tenantId).credits() }),
    }),
    route({
      method: 'GET',
      path: '/v1/credits/entries',
      access: 'credits.read',
      reply: pageOf(entryView),
      summary: 'Ledger entries, newest first.',
      query: z.strictObject(pageQuery),
      run: async ({ tenantId, query }) => ({
        json: await deps.ledger
          .of(tenantId)
          .entries({ limit: query.limit, ...(query.cursor === undefined ? {} : { cursor: query.cursor }) }),
      }),
    }),
    route({
      method: 'GET',
      path: '/v1/credits/entries.csv',
      access: 'credits.read',
      replies: [{ type: 'text/csv' }],
      summary: 'Ledger entries as CSV, newest first, at most 10,000; `x-next-cursor` leads to the rest.',
      query: z.strictObject({ cursor: z.string().max(128).optional() }),
      run: ({ tenantId, query }) => entriesCsv(deps.ledger.of(tenantId), query.cursor),
    }),
    route({
      method: 'GET',
      path: '/v1/usage/days',
      access: 'usage.read',
      reply: usageDaysReply,
      summary: 'Seconds, tokens, cost and credits per day, channel and agent.',
      query: z.strictObject({ from: day, to: day }),
      run: async ({ tenantId, query }) => ({ json: { days: await deps.usage.days(tenantId, query) } }),
    }),
  ]
}

const csvRows = 10_000
const csvPage = 200

async function entriesCsv(ledger: TenantLedger, from: string | undefined): Promise<RouteReply> {
  const entries: EntryView[] = []
  let cursor = from
  do {
    const page = await ledger.entries({ limit: csvPage, ...(cursor === undefined ? {} : { cursor }) })
    entries.push(...page.items)
    cursor = page.next ?? undefined
  } while (cursor !== undefined && entries.length < csvRows)
  const reply = csvReply('credit-entries', [entryColumns, ...entries.map(entryRow)])
  return cursor === undefined ? reply : { ...reply, headers: { ...reply.headers, 'x-next-cursor': cursor } }
}

const entryColumns = [
  ...['at', 'id', 'kind', 'amount_micro', 'daily_micro', 'monthly_micro', 'purchased_micro', 'debt_micro'],
  ...['balance_micro', 'expires_at', 'session', 'note'],
]

function entryRow(entry: EntryView): readonly CsvCell[] {
  const { at, id, kind, amountMicro, tiers = {}, debtMicro = 0, balanceMicro, expiresAt, sessionId, note } = entry
  const { daily = 0, monthly = 0, purchased = 0 } = tiers
  return [at, id, kind, amountMicro, daily, monthly, purchased, debtMicro, balanceMicro, expiresAt, sessionId, note]
}
