// An agent that talks with a person acts for that person: of what is about people, it sees and changes this one's only. Whose data
// it is comes from the conversation, never from what a model writes. An agent that is to see more is given a role. Pure.

import { isPersonalType } from '../entities/entities.ts'
import type { AuthContext, RowCondition, Rows } from '../platform/access.ts'

export function forContact(auth: AuthContext, contactId: string): AuthContext {
  const ofThem = (field: string): RowCondition => ({ is: 'field', field, op: 'eq', values: [contactId] })
  return {
    ...auth,
    may: (ability, kind) => auth.may(ability, kind),
    masked: (resource, record, kind) => auth.masked(resource, record, kind),
    sees: (resource, field, kind) => auth.sees(resource, field, kind),
    rows(resource, kind) {
      const rows = auth.rows(resource, kind)
      if (resource === 'contacts') return alsoMeeting(rows, ofThem('id'))
      const isPersonal = resource === 'entities' && kind !== undefined && isPersonalType(kind)
      return isPersonal ? alsoMeeting(rows, ofThem('data.contactId')) : rows
    },
  }
}

function alsoMeeting(rows: Rows, condition: RowCondition): Rows {
  if (rows.is === 'none') return rows
  const lists = rows.is === 'all' ? [[]] : rows.anyOf
  return { is: 'some', anyOf: lists.map((list) => [...list, condition]) }
}
