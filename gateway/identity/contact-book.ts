// Contacts as one caller may find, write down and change them. An address that a person's backend or the tenant's people give is
// what the person is known by from then on; one that was said in a conversation is only noted, because whoever says a stranger's
// address must not be taken for the stranger, nor the stranger be shown what was written down for somebody else.

import type { AuthContext } from '../platform/access.ts'
import { idOf } from '../platform/ids.ts'
import { found, Problem } from '../platform/problem.ts'
import { rowFilter } from '../platform/row-filter.ts'
import { meetsRows } from '../platform/rows.ts'
import type { ContactView } from '../protocol/chat.ts'
import { type ContactDetails, fieldsSeen, searchFilter, type Written } from './contact-details.ts'
import { contactRowFields, type contactStore, type KnownContact } from './contact-store.ts'
import { e164, emailIdentity, phoneIdentity } from './contacts.ts'

export interface ContactBook {
  get(id: string): Promise<ContactView>
  /** By the beginnings of words of name, company and e-mail, or by number. At most `limit`, in no order. */
  search(query: ContactSearch): Promise<readonly ContactView[]>
  /** The same `key` makes one; somebody whom the caller sees by that e-mail or number already is that one. `conflict` for another's. */
  create(details: ContactDetails, key: string): Promise<{ readonly contact: ContactView; readonly isNew: boolean }>
  /** `conflict`: another contact is known by that e-mail or number. */
  update(id: string, details: ContactDetails): Promise<ContactView>
}

export interface ContactSearch {
  readonly q?: string | undefined
  readonly email?: string | undefined
  readonly phone?: string | undefined
  readonly limit: number
}

type Store = ReturnType<typeof contactStore.open>

/** Others changed the same contact that often in between. */
const maxTries = 5

export function contactBook(store: Store, auth: AuthContext): ContactBook {
  const { tenantId } = auth
  const rows = rowFilter(auth.rows('contacts'), auth, contactRowFields)
  const show = (view: ContactView): ContactView => auth.masked('contacts', view)
  const seen = async (id: string): Promise<ContactView> => found(await store.known(tenantId, id, rows)).view
  const ask = (...filters: readonly object[]) => store.search(tenantId, { filters, rows, limit: 1 })
  const knownBy = async ({ email, phone }: ContactDetails): Promise<ContactView | undefined> => {
    const ways = [...(email ? [byEmail(email)] : []), ...(phone ? [byPhone(e164(phone))] : [])]
    const [first] = (await Promise.all(ways.map((each) => ask(each)))).flat()
    return first
  }
  return {
    get: async (id) => show(await readable(auth, () => seen(id))),
    search: async (query) => (await readable(auth, () => search(store, auth, { ...query, rows }))).map(show),
    async create(details, key) {
      writable(auth)
      const id = idOf('cont', tenantId, key)
      const isThere = (await store.known(tenantId, id)) !== undefined
      const other = isThere || !auth.may('contacts.read') ? undefined : await knownBy(details)
      if (other !== undefined) return { contact: show(other), isNew: false }
      staysMine(auth, { id, ...details })
      if (!isThere) await isFree(store, auth, details)
      if (!isThere) await store.insert(tenantId, id, writtenOf(auth, {}, details))
      await vouch(store, auth, { id, details })
      return { contact: show(await seen(id)), isNew: true }
    },
    async update(id, details) {
      writable(auth)
      for (const field of Object.keys(details))
        if (!auth.sees('contacts', field)) throw new Problem('forbidden', `The field ${field} is not yours to change.`)
      await vouch(store, auth, { id: (await seen(id)).id, details })
      for (let attempt = 1; attempt <= maxTries; attempt++) {
        const known: KnownContact = found(await store.known(tenantId, id, rows))
        if (await store.write(tenantId, known, writtenOf(auth, known.written, details))) return show(await seen(id))
      }
      throw new Problem('conflict', 'The contact is being changed by others.')
    },
  }
}

async function search(
  store: Store,
  auth: AuthContext,
  { q, email, phone, rows, limit }: ContactSearch & { readonly rows: ReturnType<typeof rowFilter> },
): Promise<readonly ContactView[]> {
  const fields = fieldsSeen((field) => auth.sees('contacts', field))
  for (const [field, asked] of [['email', email] as const, ['phone', phone] as const])
    if (asked !== undefined && !fields.includes(field))
      throw new Problem('forbidden', `The field ${field} is not yours to ask about.`)
  const words = q === undefined ? [] : searchFilter(q, fields)
  if (words === undefined) return []
  const filters = [
    ...words,
    ...(email === undefined ? [] : [byEmail(email)]),
    ...(phone === undefined ? [] : [byPhone(e164(phone))]),
  ]
  if (filters.length === 0) throw new Problem('invalid', 'A search needs a name, an e-mail address or a phone number.')
  return store.search(auth.tenantId, { filters, rows, limit })
}

/** Known by it, or only said to have it. */
const byEmail = (email: string) => ({
  $or: [{ identities: emailIdentity(email) }, { words: `${email.trim().toLowerCase()}:e` }],
})
const byPhone = (phone: string) => ({ $or: [{ identities: phoneIdentity(phone) }, { words: `${phone.slice(1)}:p` }] })

/** The tenant's own people and servers know whose address it is. */
const vouches = ({ actor }: AuthContext): boolean => actor.kind === 'operator' || actor.kind === 'key'

async function vouch(
  store: Store,
  auth: AuthContext,
  { id, details }: { readonly id: string; readonly details: ContactDetails },
): Promise<void> {
  if (!vouches(auth)) return
  for (const { identity, facts } of waysOf(details))
    if (!(await store.link(auth.tenantId, id, identity, facts))) throw anothers()
}

/** Before there is anything to take back. */
async function isFree(store: Store, auth: AuthContext, details: ContactDetails): Promise<void> {
  const ways = vouches(auth) ? waysOf(details).map((each) => each.identity) : []
  if (ways.length > 0 && (await store.firstKnown(auth.tenantId, ways)) !== undefined) throw anothers()
}

const anothers = () => new Problem('conflict', 'Another contact is known by this e-mail address or number.')

const waysOf = ({ email, phone }: ContactDetails) => [
  ...(email == null ? [] : [{ identity: emailIdentity(email), facts: emailFacts(email) }]),
  ...(phone == null ? [] : [{ identity: phoneIdentity(e164(phone)), facts: { phone: e164(phone) } }]),
]

const emailFacts = (email: string) => ({
  email: email.trim(),
  emailHash: emailIdentity(email).slice('email:'.length),
})

function writtenOf(auth: AuthContext, before: Written, details: ContactDetails): Written {
  const { email, phone, ...rest } = details
  const given = Object.entries(rest).filter(([, value]) => value !== undefined)
  const written = Object.fromEntries(given.map(([name, value]) => [name, value ?? undefined]))
  if (email === undefined && phone === undefined) return written
  // Vouched for, it is an identity instead.
  const noted = vouches(auth) ? {} : { email: email?.trim(), phone: phone == null ? undefined : e164(phone) }
  const said = {
    ...before.said,
    ...(email === undefined ? {} : { email: noted.email }),
    ...(phone === undefined ? {} : { phone: noted.phone }),
  }
  const left = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined))
  return { ...written, said: left }
}

function readable<T>(auth: AuthContext, read: () => Promise<T>): Promise<T> {
  if (!auth.may('contacts.read')) throw new Problem('forbidden')
  return read()
}

function writable(auth: AuthContext): void {
  if (!auth.may('contacts.write')) throw new Problem('forbidden')
}

function staysMine(auth: AuthContext, contact: object): void {
  if (!meetsRows(auth.rows('contacts'), contact)) throw new Problem('forbidden', 'That would not be one of your rows.')
}
