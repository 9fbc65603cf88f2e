// Who is on the other side. A vouched e-mail (from the customer's backend) is an identity; one that a page claims is
// only noted, because whoever types a stranger's address must not read that stranger's conversation.

import type { TenantId } from '../platform/ids.ts'
import { Problem } from '../platform/problem.ts'
import type { contactStore } from './contact-store.ts'
import { sha256 } from './seal.ts'

export interface ContactRequest {
  readonly tenantId: TenantId
  readonly visitorId?: string | undefined
  readonly email?: string | undefined
  /** As people write it, with its country. Counts when vouched for only. */
  readonly phone?: string | undefined
  /** Of the channel's provider. Its word is its webhook's signature: vouched for only. */
  readonly external?: { readonly channel: string; readonly id: string } | undefined
  /** Said by the customer's backend with its API key, not by a page. */
  readonly vouched: boolean
}

/** The contact's id. Without anything to know it by: throws, because nobody could be found again. `invalid`: no phone number. */
export async function contactOf(store: ReturnType<typeof contactStore.open>, request: ContactRequest): Promise<string> {
  const { tenantId, visitorId, vouched } = request
  if (vouched && (request.phone !== undefined || request.external !== undefined)) return reachable(store, request)
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
  const identity = emailIdentity(email)
  return { identity, email: email.trim(), emailHash: identity.slice('email:'.length) }
}

export const emailIdentity = (email: string): string => `email:${sha256(email.trim().toLowerCase())}`
/** `phone`: E.164. */
export const phoneIdentity = (phone: string): string => `phone:${sha256(phone)}`

/** Known by whatever it can be reached by. The first that is known decides; people are not merged unasked. */
async function reachable(store: ReturnType<typeof contactStore.open>, request: ContactRequest): Promise<string> {
  const { tenantId, visitorId, external } = request
  const phone = request.phone === undefined ? undefined : e164(request.phone)
  const email = request.email === undefined ? undefined : personOf(request.email)
  const ways = [
    ...(phone === undefined ? [] : [{ identity: phoneIdentity(phone), facts: { phone } }]),
    ...(email === undefined
      ? []
      : [{ identity: email.identity, facts: { email: email.email, emailHash: email.emailHash } }]),
    ...(external === undefined ? [] : [{ identity: `${external.channel}:${external.id}`, facts: {} }]),
    ...(visitorId === undefined ? [] : [{ identity: `api:${visitorId}`, facts: {} }]),
  ]
  const known = await store.firstKnown(
    tenantId,
    ways.map((way) => way.identity),
  )
  const [first] = ways
  if (first === undefined) throw new TypeError('a contact needs something to know it by')
  const contactId = known ?? (await store.upsert(tenantId, first.identity, first.facts))
  for (const { identity, facts } of ways) await store.link(tenantId, contactId, identity, facts)
  return contactId
}

/** E.164. Throws `invalid` for what is no number with its country. */
export function e164(phone: string): string {
  const digits = phone.replace(/[\s()./-]/g, '').replace(/^00/, '+')
  if (!/^\+[1-9]\d{6,14}$/.test(digits))
    throw new Problem('invalid', 'A phone number is written with its country, e.g. +49 170 1234567.')
  return digits
}
