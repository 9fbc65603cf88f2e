// A kind of entity as the rest of the slice works with it: those that come with the gateway, and a tenant's own.

import { z } from 'zod'
import type { EntityTypeView } from '../protocol/records.ts'
import { type EntityType, product, schemas, searchFields } from './entity.ts'
import { checkSchema, type FieldKind, fieldsOf, isObject, type JsonObject, type SchemaIssue } from './schema.ts'
import { validatorOf } from './validator.ts'

export interface ProductSearch {
  words: string[]
  colours: string[]
}

export type Checked =
  | { readonly is: 'fit'; readonly data: JsonObject; readonly search?: ProductSearch }
  | { readonly is: 'unfit'; readonly issues: readonly SchemaIssue[] }

export interface EntityKind {
  readonly view: EntityTypeView
  readonly slug: string
  /** Declared fields by their path inside the data. */
  readonly fields: ReadonlyMap<string, FieldKind>
  /** Grows when entities are to be found by other words: what was written for an older one is written again. */
  readonly searchVersion: number
  /** As it is to be stored. */
  check(data: unknown): Checked
}

/** Words of other parts: an event about an agent must not look like one about an entity. */
export const otherNouns: ReadonlySet<string> = new Set([
  ...[
    'agent',
    'agents',
    'api-key',
    'audit',
    'contact',
    'conversation',
    'credit',
    'entity',
    'entity-type',
    'execution',
    'invitation',
  ],
  ...[
    'key',
    'member',
    'message',
    'object',
    'operator',
    'policy',
    'prompt',
    'relation',
    'role',
    'secret',
    'team',
    'tenant',
    'tool',
  ],
])

export const typeSlug = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'lower-case letters, digits and dashes')

const titles = { product: 'name', event: 'name', speaker: 'name', session: 'title' } as const satisfies Record<
  EntityType,
  string
>
const names = { product: 'Product', event: 'Event', speaker: 'Speaker', session: 'Session' } as const
const isBuiltIn = (slug: string): slug is EntityType => Object.hasOwn(schemas, slug)

function builtIn(slug: EntityType): EntityKind {
  const { $schema: _, ...schema } = z.toJSONSchema(schemas[slug], { io: 'input', unrepresentable: 'any' })
  return {
    slug,
    fields: fieldsOf(schema),
    searchVersion: 1,
    view: {
      ...{ id: slug, slug, name: names[slug], description: 'Comes with the gateway.', schema },
      ...{ searchFields: null, titleField: titles[slug], builtIn: true, version: 1, createdAt: null, updatedAt: null },
    },
    check(data) {
      const parsed = schemas[slug].safeParse(data)
      if (parsed.success) {
        const search = slug === 'product' ? { search: searchFields(product.parse(data)) } : {}
        return { is: 'fit', data: { ...parsed.data }, ...search }
      }
      const issues = parsed.error.issues.map(({ path, message }) => ({
        path: ['data', ...path].map(String).join('.'),
        message,
      }))
      return { is: 'unfit', issues }
    },
  }
}

const builtIns = new Map(
  Object.keys(schemas)
    .filter(isBuiltIn)
    .map((slug) => [slug as string, builtIn(slug)]),
)

export const builtInKinds: readonly EntityKind[] = [...builtIns.values()]
export const builtInKind = (slug: string): EntityKind | undefined => builtIns.get(slug)

/** A tenant's own, from its stored shape. */
export function ownKind(view: EntityTypeView, searchVersion: number): EntityKind {
  const checked = checkSchema(view.schema)
  // A schema that was stored passed; one that does not any more takes nothing new.
  const fields = 'issues' in checked ? new Map<string, FieldKind>() : checked.fields
  const schema = 'issues' in checked ? false : checked.schema
  return {
    ...{ slug: view.slug, view, fields, searchVersion },
    check(data) {
      if (!isObject(data) || schema === false) return { is: 'unfit', issues: [{ path: 'data', message: 'an object' }] }
      const issues = validatorOf(schema)(data)
      return issues.length === 0 ? { is: 'fit', data } : { is: 'unfit', issues }
    },
  }
}
