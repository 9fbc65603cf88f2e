// Sessions over HTTP: lists, one session, its transcript and receipt, and ending it.

import { z } from 'zod'
import { csvReply } from '../platform/csv.ts'
import { type Route, type RouteReply, route } from '../platform/http.ts'
import { pageOf, pageQuery } from '../platform/page.ts'
import { Problem } from '../platform/problem.ts'
import type { Receipt } from '../protocol/rest.ts'
import type { Sessions } from './sessions.ts'
import { sessionRows, shownSession, shownTurns } from './shown.ts'
import { peopleReply, receiptReply, sessionView, transcriptReply } from './views.ts'

const byId = z.strictObject({ id: z.string().max(64) })

export function sessionRoutes(deps: { readonly sessions: Sessions }): Route[] {
  const { sessions } = deps
  return [
    route({
      method: 'GET',
      path: '/v1/sessions',
      access: 'sessions.read',
      reply: pageOf(sessionView),
      summary: 'Sessions of the tenant, newest first.',
      query: z.strictObject({
        state: z.enum(['live', 'ended']).optional(),
        ...pageQuery,
      }),
      async run({ auth, query: { state, cursor, limit } }) {
        const page = await sessions.of(auth.tenantId).list({
          ...{ limit, rows: sessionRows(auth) },
          ...(state === undefined ? {} : { state }),
          ...(cursor === undefined ? {} : { cursor }),
        })
        return { json: { ...page, items: page.items.map((each) => shownSession(auth, each)) } }
      },
    }),
    route({
      method: 'GET',
      path: '/v1/sessions/:id',
      access: 'sessions.read',
      reply: sessionView,
      summary: 'One session.',
      params: byId,
      run: async ({ auth, params }) => ({
        json: shownSession(auth, await sessions.of(auth.tenantId).get(params.id)),
      }),
    }),
    route({
      method: 'GET',
      path: '/v1/sessions/:id/transcript',
      access: 'sessions.read',
      reply: transcriptReply,
      summary: 'What was said, in the order in which speech began, heard and unheard text apart.',
      params: byId,
      run: async ({ auth, params }) => {
        const scoped = sessions.of(auth.tenantId)
        const session = found(await scoped.get(params.id))
        return { json: { turns: shownTurns(auth, session, await scoped.turns(params.id)) } }
      },
    }),
    receiptRoute(sessions),
    route({
      method: 'GET',
      path: '/v1/usage/people',
      access: 'usage.read',
      reply: peopleReply,
      summary: 'Sessions, seconds and credits per person: contacts of one e-mail are one person.',
      query: z.strictObject({ from: z.iso.date(), to: z.iso.date() }),
      run: async ({ tenantId, query }) => {
        const to = new Date(Date.parse(query.to) + 86_400_000)
        return { json: { people: await sessions.of(tenantId).people({ from: new Date(query.from), to }) } }
      },
    }),
    endRoute(sessions),
  ]
}

function endRoute(sessions: Sessions): Route {
  return route({
    method: 'POST',
    path: '/v1/sessions/:id/end',
    access: 'sessions.end',
    reply: sessionView,
    summary: 'Ends a live session now.',
    params: byId,
    body: z.strictObject({ reason: z.string().trim().min(1).max(500) }),
    run: async ({ auth, params, body }) => {
      const scoped = sessions.of(auth.tenantId)
      const session = found(await scoped.get(params.id))
      shownSession(auth, session)
      if (!auth.may('sessions.end', session.agent.id)) throw new Problem('forbidden')
      await scoped.end(params.id, body.reason)
      return { json: shownSession(auth, await scoped.get(params.id)) }
    },
  })
}

function receiptRoute(sessions: Sessions): Route {
  return route({
    method: 'GET',
    path: '/v1/sessions/:id/receipt',
    access: 'credits.read',
    reply: receiptReply,
    replies: [{ type: 'text/csv' }],
    summary: 'The bill of an ended session, as JSON or CSV; its lines sum to the ledger entries.',
    params: byId,
    query: z.strictObject({ format: z.enum(['json', 'csv']).optional() }),
    run: async ({ auth, params, query, facts }) => {
      const scoped = sessions.of(auth.tenantId)
      // Who sees some sessions only sees the bills of those only.
      if (auth.rows('sessions').is === 'some') shownSession(auth, await scoped.get(params.id))
      const receipt = found(await scoped.receipt(params.id))
      const wanted = query.format ?? (/^text\/csv\b/.test(facts.header('accept') ?? '') ? 'csv' : 'json')
      return wanted === 'csv' ? receiptCsv(receipt) : { json: receipt }
    },
  })
}

function receiptCsv(receipt: Receipt): RouteReply {
  const { sessionId, lines, totalMicro, settledAt } = receipt
  return csvReply(`receipt-${sessionId}`, [
    ['session', 'meter', 'quantity', 'unit', 'price_micro_per_million', 'amount_micro', 'settled_at'],
    ...lines.map(({ meter, quantity, unit, priceMicroPerMillion, amountMicro }) => [
      ...[sessionId, meter, quantity, unit, priceMicroPerMillion, amountMicro, settledAt],
    ]),
    [sessionId, 'total', null, null, null, totalMicro, settledAt],
  ])
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Problem('not_found')
  return value
}
