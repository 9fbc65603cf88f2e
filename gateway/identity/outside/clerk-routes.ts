// HTTP of Clerk: its webhooks.

import { type Route, rawBody, route } from '../../platform/http.ts'
import type { Identity } from '../identity.ts'

export function clerkRoutes(identity: Identity): Route[] {
  return [
    route({
      method: 'POST',
      path: '/webhook/clerk',
      access: 'public',
      summary:
        'Events of Clerk, signed as Svix does: users, organizations and memberships are as Clerk says; a replay does nothing',
      raw: true,
      accepts: ['application/json'],
      busy: true,
      body: rawBody,
      async run({ body, facts }) {
        await identity.outside.takeClerkEvent(Buffer.from(body.bytes).toString('utf8'), facts)
        return {}
      },
    }),
  ]
}
