// Clerk's webhook events, as far as they concern us, and what each wants to be so. Pure.

import { z } from 'zod'

/** What is to be so, whatever was before. */
export type Wanted =
  | { readonly is: 'user'; readonly userId: string; readonly name: string; readonly email: string | null }
  | { readonly is: 'user gone'; readonly userId: string }
  | { readonly is: 'organization'; readonly organizationId: string; readonly name: string }
  | { readonly is: 'organization gone'; readonly organizationId: string }
  | {
      readonly is: 'member'
      readonly organizationId: string
      readonly organizationName: string
      readonly userId: string
      readonly userName: string
      /** None: not a member any more. */
      readonly roles: readonly string[]
    }

export interface ClerkChange {
  /** Of what it speaks: changes of one key are done in the order of `at`. */
  readonly key: string
  readonly at: number
  readonly wanted: Wanted
}

const id = z.string().min(1).max(120)
const time = z.number().nonnegative()
const user = z.looseObject({
  id,
  first_name: z.string().nullish(),
  last_name: z.string().nullish(),
  primary_email_address_id: z.string().nullish(),
  email_addresses: z
    .array(
      z.looseObject({
        id: z.string(),
        email_address: z.string().max(254),
        verification: z.looseObject({ status: z.string() }).nullish(),
      }),
    )
    .default([]),
  updated_at: time,
})
const organization = z.looseObject({ id, name: z.string().max(256), updated_at: time })
const gone = z.looseObject({ id })
const membership = z.looseObject({
  role: z.string().max(120),
  organization: z.looseObject({ id, name: z.string().max(256) }),
  public_user_data: z.looseObject({
    user_id: id,
    first_name: z.string().nullish(),
    last_name: z.string().nullish(),
    identifier: z.string().nullish(),
  }),
  updated_at: time,
})

const event = z.looseObject({ type: z.string(), data: z.unknown(), timestamp: time.optional() })

/** Undefined for an event we do nothing with. Throws a ZodError for one that is not as Clerk writes it. */
export function clerkChange(payload: unknown): ClerkChange | undefined {
  const { type, data, timestamp } = event.parse(payload)
  switch (type) {
    case 'user.created':
    case 'user.updated':
      return userChange(user.parse(data))
    case 'user.deleted':
      return goneChange('user', gone.parse(data).id)
    case 'organization.created':
    case 'organization.updated': {
      const { id: organizationId, name, updated_at } = organization.parse(data)
      const wanted = { is: 'organization', organizationId, name: nameOf([name], 'Organization') } as const
      return { key: `organization ${organizationId}`, at: updated_at, wanted }
    }
    case 'organization.deleted':
      return goneChange('organization', gone.parse(data).id)
    case 'organizationMembership.created':
    case 'organizationMembership.updated':
    case 'organizationMembership.deleted': {
      const isGone = type.endsWith('.deleted')
      const parsed = membership.parse(data)
      // A deletion leaves `updated_at` as it was: what counts is when it was told.
      return memberChange(parsed, isGone, isGone ? (timestamp ?? parsed.updated_at + 1) : parsed.updated_at)
    }
    default:
      return undefined
  }
}

/** Ids are never used again: nothing that is said of one later counts. */
function goneChange(what: 'user' | 'organization', goneId: string): ClerkChange {
  const wanted: Wanted =
    what === 'user' ? { is: 'user gone', userId: goneId } : { is: 'organization gone', organizationId: goneId }
  return { key: `${what} ${goneId}`, at: Number.MAX_SAFE_INTEGER, wanted }
}

function userChange(data: z.output<typeof user>): ClerkChange {
  const primary = data.email_addresses.find((each) => each.id === data.primary_email_address_id)
  const email = primary?.verification?.status === 'verified' ? primary.email_address.toLowerCase() : null
  const name = nameOf([data.first_name, data.last_name], email ?? 'New person')
  return { key: `user ${data.id}`, at: data.updated_at, wanted: { is: 'user', userId: data.id, name, email } }
}

function memberChange(data: z.output<typeof membership>, isGone: boolean, at: number): ClerkChange {
  const { organization: org, public_user_data: person, role } = data
  return {
    key: `member ${org.id} ${person.user_id}`,
    at,
    wanted: {
      is: 'member',
      organizationId: org.id,
      organizationName: nameOf([org.name], 'Organization'),
      userId: person.user_id,
      userName: nameOf([person.first_name, person.last_name], person.identifier ?? 'New person'),
      roles: isGone ? [] : [roleOf(role)],
    },
  }
}

const nameOf = (parts: readonly (string | null | undefined)[], otherwise: string): string =>
  parts
    .filter((each) => each !== null && each !== undefined && each.trim() !== '')
    .join(' ')
    .trim()
    .slice(0, 120) || otherwise.slice(0, 120)

/** Clerk's own two, and whatever else somebody has made there: with the least. */
function roleOf(role: string): string {
  if (role === 'org:admin' || role === 'admin') return 'owner'
  return role === 'org:member' || role === 'basic_member' ? 'operator' : 'client'
}
