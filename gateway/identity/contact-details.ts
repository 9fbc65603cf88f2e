// What is written down about a person beside what the person is known by: from the tenant's people, or said in a conversation
// and vouched for by nobody. Pure.

/** Null takes a field away. */
export interface ContactDetails {
  readonly name?: string | null | undefined
  readonly email?: string | null | undefined
  /** E.164. */
  readonly phone?: string | null | undefined
  readonly company?: string | null | undefined
  readonly jobTitle?: string | null | undefined
  readonly notes?: string | null | undefined
  readonly tags?: readonly string[] | null | undefined
}

/** Of the stored contact. */
export interface Written {
  readonly name?: string
  readonly company?: string
  readonly jobTitle?: string
  readonly notes?: string
  readonly tags?: readonly string[]
  /** Nobody vouched for it: no identity, and it opens nothing. */
  readonly said?: { readonly email?: string; readonly phone?: string }
}

/** `field` as rules and masks name it. */
const searched = ['name', 'email', 'phone', 'company'] as const
export type Searched = (typeof searched)[number]
const letterOf = { name: 'n', email: 'e', phone: 'p', company: 'c' } as const satisfies Record<Searched, string>

/** Lower-case, without accents. */
function plainWords(text: string): string[] {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  return plain.split(/[^\p{L}\p{N}@.]+/u).flatMap((word) => word.replace(/^[.@]+|[.@]+$/g, '') || [])
}

const digitsOf = (phone: string): string => phone.replace(/\D/g, '')

/** `word:n`: a word and the field it stands in. A search reads those that begin with its own word. */
export function searchWordsOf(
  contact: Pick<Written, 'name' | 'company' | 'said'> & { readonly email?: string; readonly phone?: string },
): string[] {
  const { name, company, said, email, phone } = contact
  const emails = [email, said?.email].flatMap((each) => (each === undefined ? [] : [each.toLowerCase()]))
  const phones = [phone, said?.phone].flatMap((each) => (each === undefined ? [] : [digitsOf(each)]))
  const found = [
    ...plainWords(name ?? '').map((word) => `${word}:n`),
    ...plainWords(company ?? '').map((word) => `${word}:c`),
    ...emails.flatMap((each) => [`${each}:e`, `${each.slice(each.indexOf('@') + 1)}:e`]),
    ...phones.map((each) => `${each}:p`),
  ]
  return [...new Set(found)].slice(0, 60)
}

/** Each must be met. No word at all: undefined. `fields`: those that the caller sees. */
export function searchFilter(
  q: string,
  fields: readonly Searched[],
): readonly { readonly words: RegExp }[] | undefined {
  const words = plainWords(isPhone(q) ? digitsOf(q).replace(/^00/, '') : q)
  if (words.length === 0 || fields.length === 0) return undefined
  const letters = fields.map((each) => letterOf[each]).join('|')
  // A prefix that the index is read by, then the field that decides.
  return words
    .slice(0, 6)
    .map((word) => ({ words: new RegExp(`^${word.replaceAll('.', '\\.')}[^:]*:(?:${letters})$`) }))
}

const isPhone = (q: string): boolean => /^[+\d][\d\s()./-]{5,}$/.test(q.trim())

export const fieldsSeen = (sees: (field: string) => boolean): Searched[] => searched.filter(sees)
