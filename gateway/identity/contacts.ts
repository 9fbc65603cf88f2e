// Who is on the other side. A vouched e-mail (from the customer's backend) is an identity; one that a page claims is
// only noted, because whoever types a stranger's address must not read that stranger's conversation.

import type { TenantId } from '../platform/ids.ts'
import type { contactStore } from './contact-store.ts'
import { sha256 } from './seal.ts'

export interface ContactRequest {
  readonly tenantId: TenantId
  readonly visitorId?: string | undefined
  readonly email?: string | undefined
  /** Said by the customer's backend with its API key, not by a page. */
  readonly vouched: boolean
}

/** The contact's id. Neither visitor nor e-mail: throws, because nobody could be found again. */
export async function contactOf(store: ReturnType<typeof contactStore.open>, request: ContactRequest): Promise<string> {
  const { tenantId, visitorId, vouched } = request
  // A customer's ids may be guessable (`user-42`): they get a name space no page can reach.
  const visitor = visitorId === undefined ? undefined : `${vouched ? 'api' : 'visitor'}:${visitorId}`
  const person = request.email === undefined ? undefined : personOf(request.email)
  if (person === undefined) {
    if (visitor === undefined) throw new TypeError('a contact needs a visitor id or an e-mail address')
    return store.upsert(tenantId, visitor, {})
  }
  const { identity, ...facts } = person
  if (visitor === undefined) return store.upsert(tenantId, identity, facts)
  if (!vouched) return store.upsert(tenantId, visitor, { claims: await store.upsert(tenantId, identity, facts) })
  const known = await store.adopt(tenantId, visitor, person)
  if (known !== undefined) return known
  const contactId = await store.upsert(tenantId, identity, facts)
  await store.link(tenantId, contactId, visitor)
  return contactId
}

function personOf(email: string): { identity: string; email: string; emailHash: string } {
  const emailHash = sha256(email.trim().toLowerCase())
  return { identity: `email:${emailHash}`, email: email.trim(), emailHash }
}
