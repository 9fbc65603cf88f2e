// Contacts over HTTP, read only: people and channels make them by writing and calling.

import { z } from 'zod'
import { momentCursor, momentOf, pageFrom } from '../platform/cursor.ts'
import { type Route, route } from '../platform/http.ts'
import { pageOf, pageQuery } from '../platform/page.ts'
import { found } from '../platform/problem.ts'
import type { ContactView } from '../protocol/chat.ts'
import type { Identity } from './identity.ts'

const contactView = z
  .strictObject({
    id: z.string(),
    name: z.string().nullable(),
    email: z.string().nullable(),
    phone: z.string().nullable().describe('E.164.'),
    unverified: z
      .array(z.enum(['email', 'phone']))
      .describe('What was said and nobody vouched for: the person is not known by it.'),
    company: z.string().nullable(),
    jobTitle: z.string().nullable(),
    notes: z.string().nullable(),
    tags: z.array(z.string()),
    channels: z.array(z.string()).describe('Where this person is known, e.g. whatsapp.'),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Contact' }) satisfies z.ZodType<ContactView>

export function contactRoutes({ identity }: { readonly identity: Pick<Identity, 'contacts'> }): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/contacts',
      access: 'contacts.read',
      summary: 'People who talk with the agents, newest first.',
      query: z.strictObject(pageQuery),
      reply: pageOf(contactView),
      run: async ({ auth, query }) => {
        const after = query.cursor === undefined ? {} : { after: momentOf(query.cursor) }
        const docs = await identity.contacts(auth, { ...after, limit: query.limit })
        const cursor = (last: ContactView) => momentCursor({ at: new Date(last.createdAt), id: last.id })
        const view = (each: ContactView) => auth.masked('contacts', each)
        return { json: pageFrom(docs, query.limit, { view, cursor }) }
      },
    }),
    route({
      method: 'GET',
      path: '/v1/contacts/:id',
      access: 'contacts.read',
      summary: 'One contact.',
      params: z.strictObject({ id: z.string().max(80) }),
      reply: contactView,
      run: async ({ auth, params }) => {
        const contact = found((await identity.contacts(auth, { id: params.id, limit: 1 }))[0])
        return { json: auth.masked('contacts', contact) }
      },
    }),
  ]
}
