// What can be asked about: the entity types that a caller reads, with the fields that the caller sees. Pure.

import { z } from 'zod'
import type { AuthContext } from '../../platform/access.ts'
import type { EntityTypeView } from '../../protocol/records.ts'

export interface CatalogField {
  readonly name: string
  readonly kind: 'text' | 'number' | 'boolean'
  /** The only values there are. */
  readonly values: readonly string[]
}

export interface CatalogType {
  readonly slug: string
  readonly name: string
  readonly fields: readonly CatalogField[]
}

const anySchema = z.looseObject({ properties: z.record(z.string(), z.looseObject({})).default({}) })
const property = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.string()).optional(),
})

/** Fields on the first level: those inside others are looked into by other tools. */
export function catalogOf(types: readonly EntityTypeView[], auth: AuthContext): readonly CatalogType[] {
  return types.map(({ slug, name, schema }) => {
    const { properties } = anySchema.parse(schema)
    const fields = Object.entries(properties).flatMap(([field, given]) => {
      const kind = kindOf(given)
      return kind !== undefined && auth.sees('entities', `data.${field}`, slug) ? [{ ...kind, name: field }] : []
    })
    return { slug, name, fields }
  })
}

function kindOf(given: unknown): Omit<CatalogField, 'name'> | undefined {
  const { type, enum: values = [] } = property.safeParse(given).data ?? {}
  const names = (Array.isArray(type) ? type : [type]).filter((each) => each !== 'null')
  const [only] = names
  if (names.length !== 1) return undefined
  if (only === 'string') return { kind: 'text', values }
  if (only === 'number' || only === 'integer') return { kind: 'number', values: [] }
  return only === 'boolean' ? { kind: 'boolean', values: [] } : undefined
}

/** One line per type, for a prompt. */
export function catalogText(catalog: readonly CatalogType[]): string {
  return catalog
    .map(({ slug, fields }) => {
      const shown = fields.map(({ name, kind, values }) => `${name}: ${values.length > 0 ? values.join('|') : kind}`)
      return `${slug} (${shown.join(', ')})`
    })
    .join('\n')
    .slice(0, 12_000)
}
