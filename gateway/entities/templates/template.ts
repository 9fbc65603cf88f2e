// A template: the shape of a kind of business record that the gateway's own tools keep. A tenant gets it as an entity type of its
// own when it is first needed, and may change that type from then on. Pure.

import { z } from 'zod'
import type { JsonObject } from '../schema.ts'
import type { TypeFields } from '../type-store.ts'

export interface Template<S extends z.ZodObject = z.ZodObject> {
  readonly slug: string
  readonly fields: TypeFields
  /** What the tools write; what it reads may have more fields, of the tenant's own. */
  readonly data: S
}

interface TemplateFacts<S extends z.ZodObject> {
  /** Slug of the entity type: singular. */
  readonly slug: string
  readonly name: string
  readonly description: string
  /** Texts that a search looks at. */
  readonly searchFields: readonly (keyof z.output<S> & string)[]
  readonly titleField: (keyof z.output<S> & string) | null
}

export function template<S extends z.ZodObject>(facts: TemplateFacts<S>, data: S): Template<S> {
  const { slug, ...fields } = facts
  return { slug, data, fields: { ...fields, schema: schemaOf(data) } }
}

/** In the part of JSON Schema that entity types know: a format says what zod's own patterns say. */
function schemaOf(data: z.ZodObject): JsonObject {
  const { $schema: _, ...schema } = z.toJSONSchema(data, {
    io: 'input',
    override({ jsonSchema }) {
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
    },
  })
  return schema
}

/** What several templates are made of. */
export const shortText = z.string().trim().min(1).max(200)
export const longText = z.string().max(4_000)
export const idText = z.string().min(1).max(80)
export const moment = z.iso.datetime()
/** In the currency's smallest unit: cents of a dollar, yen of a yen. */
export const minorAmount = z.int().min(0).max(100_000_000_000)
/** ISO 4217. */
export const currency = z.string().regex(/^[A-Z]{3}$/)
/** Who it is about: one contact is one person over all channels. */
export const personFields = {
  contactId: idText.optional(),
  name: shortText.optional(),
  email: z.email().max(254).optional(),
  phone: z.string().max(40).optional(),
}
/** The call that made it stood in. */
export const originFields = {
  channel: z.string().max(40).optional(),
  conversationId: idText.optional(),
}
