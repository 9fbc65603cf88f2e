// What the Live API has over HTTP. Sessions begin over WebSockets here; what belongs to phones and recordings is refused by
// name.

import { z } from 'zod'
import { type Route, route } from '../../platform/http.ts'
import { Problem } from '../../platform/problem.ts'
import type { Sessions } from '../../sessions/sessions.ts'
import { noForks } from './accept.ts'
import type { LiveCalls } from './live-calls.ts'

const byId = z.strictObject({ id: z.string().max(80) })

const cannot = [
  [
    'POST',
    '/v1/live/sessions',
    'A Live session begins over the WebSocket of the same path: WebRTC is not served here.',
  ],
  ['POST', '/v1/live/sessions/:id/fork', noForks],
  ['GET', '/v1/live/sessions/:id/content', 'Sessions are not recorded here: there is a transcript, and no sound.'],
  ['POST', '/v1/live/sessions/:id/accept', 'No phone call waits to be accepted here.'],
  ['POST', '/v1/live/sessions/:id/reject', 'No phone call waits to be rejected here.'],
  ['POST', '/v1/live/sessions/:id/refer', 'Only a phone call can be transferred, and this is none.'],
] as const

export function liveRoutes(deps: { readonly sessions: Sessions; readonly liveCalls: LiveCalls }): Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/live/sessions/:id/hangup',
      access: 'sessions.end',
      replies: [{ type: 'text/plain' }],
      summary: 'Ends a live session, as its client would.',
      params: byId,
      run: async ({ tenantId, params: { id } }) => {
        const call = deps.liveCalls.get(tenantId, id)
        if (call === undefined) await deps.sessions.of(tenantId).end(id, 'hung up')
        call?.hangUp()
        await call?.ended
        return { status: 200, text: '' }
      },
    }),
    ...cannot.map(([method, path, message]) =>
      route({
        method,
        path,
        access: 'realtime.create',
        summary: 'Not served: the reply says why.',
        run: async () => {
          throw new Problem('unsupported', message)
        },
      }),
    ),
  ]
}
