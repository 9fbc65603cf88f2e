// Documents of the collections `entities` and `entity_types`, as the stores of this slice keep them.

import type { Actor } from '../platform/access.ts'
import type { NewEvent } from './outbox.ts'

export interface EntityDoc {
  _id: string
  tenantId: string
  /** Slug of the entity type; with `~` in front: removed, until its last events are in the log. */
  type: string
  slug: string
  data: object
  /** Of products: what they are found by in a conversation. */
  search?: { words: string[]; colours: string[] }
  /** Missing: 0, from before there were any. Null is never stored: it is how a filter says missing. */
  rev?: number | null
  tokens?: string[]
  words?: string[]
  /** The search version of the type that `tokens` were made for. */
  tokensFor?: number | null
  /** `relation>id of the other one` */
  links?: string[]
  /** `type/id of the other one`, once for all relations to it. */
  linkedTo?: string[]
  createdBy?: string
  /** The idempotency key it was made under. */
  madeFor?: string
  /** Events that may not be in the log yet. */
  outbox?: NewEvent[]
  /** Since when; missing: there are none. */
  pendingAt?: Date
  createdAt: Date
  updatedAt: Date
}

export interface EntityTypeDoc {
  _id: string
  tenantId: string
  slug: string
  name: string
  description: string
  /** As text: names of fields in a schema are no field names of documents. */
  schemaJson: string
  searchFields: readonly string[] | null
  titleField: string | null
  version: number
  searchVersion: number
  /** Its entities are being removed, and it with them. */
  isRemoving?: boolean
  removal?: { readonly actor: Actor; readonly takesAll: boolean }
  outbox?: NewEvent[]
  pendingAt?: Date
  createdAt: Date
  updatedAt: Date
}
