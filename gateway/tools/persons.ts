// Whom a call is about: the person on the other side of the conversation, or whoever the call names. In a conversation with
// somebody the model cannot name another person: what it says of them is only how they are reached.

import { z } from 'zod'
import type { Identity } from '../identity/identity.ts'
import { Problem } from '../platform/problem.ts'
import type { ToolContext } from './tool.ts'

export interface Person {
  readonly contactId?: string | undefined
  readonly email?: string | undefined
  readonly name?: string | undefined
}

/** Spread into a tool's schema. */
export const personArgs = {
  contactId: z.string().max(80).describe('Of somebody else; only where no person is on the other side').optional(),
  email: z.email().max(254).describe('As the person gave it; left out where it is known').optional(),
  name: z.string().trim().min(1).max(200).optional(),
}

export type Persons = (context: ToolContext, named: Person) => Promise<Person>

/** `invalid` where nobody is meant; `not_found` for a contact whom the caller may not see. */
export function createPersons({ identity }: { readonly identity: Pick<Identity, 'contacts' | 'authFor'> }): Persons {
  return async ({ tenantId, contactId: other, auth }, named) => {
    const rights = await auth()
    // An agent that sees this one person only acts for nobody else.
    const isBound = other !== undefined && rights.rows('contacts').is !== 'all'
    const contactId = isBound ? other : (named.contactId ?? (named.email === undefined ? other : undefined))
    if (contactId === undefined) {
      if (named.email === undefined) throw new Problem('invalid', 'Say whom it is about: an e-mail address is needed.')
      return { email: named.email, name: named.name }
    }
    // How they are reached is no secret to whoever talks with them, and is told to nobody here.
    const asking = contactId === other ? identity.authFor.system(tenantId) : rights
    if (!asking.may('contacts.read')) throw new Problem('forbidden')
    const [contact] = await identity.contacts(asking, { id: contactId, limit: 1 })
    if (contact === undefined) throw new Problem('not_found')
    return { contactId, email: contact.email ?? named.email, name: named.name ?? contact.name ?? undefined }
  }
}
