// Usage per person: contacts of one e-mail are one person on an invoice. Pure.

import type { UsageOfPerson } from '../protocol/rest.ts'
import type { ContactUsage } from './store.ts'

/** One row per e-mail, then one per contact that has none. Sums are those of the input, whatever the join. */
export function joinPeople(
  usage: readonly ContactUsage[],
  emailHashes: ReadonlyMap<string, string>,
): readonly UsageOfPerson[] {
  const people = new Map<string, UsageOfPerson>()
  for (const { contactId, ...each } of usage) {
    const emailHash = emailHashes.get(contactId) ?? null
    const key = emailHash ?? `contact:${contactId}`
    const known = people.get(key)
    people.set(key, {
      emailHash,
      contactIds: [...(known?.contactIds ?? []), contactId],
      sessions: (known?.sessions ?? 0) + each.sessions,
      seconds: (known?.seconds ?? 0) + each.seconds,
      creditsMicro: (known?.creditsMicro ?? 0) + each.creditsMicro,
    })
  }
  return [...people.values()].toSorted((a, b) => b.creditsMicro - a.creditsMicro)
}
