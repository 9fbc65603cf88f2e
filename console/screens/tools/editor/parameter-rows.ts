// A flat JSON Schema as a table of arguments, and back. Pure.

import { isObject, type JsonObject, same } from '../../../ui/json.ts'

export const parameterTypes = ['text', 'number', 'integer', 'boolean', 'choice', 'texts'] as const
export type ParameterType = (typeof parameterTypes)[number]

export interface ParameterRow {
  readonly name: string
  readonly type: ParameterType
  readonly description: string
  readonly required: boolean
  /** Of a choice. */
  readonly values: readonly string[]
}

export const newRow: ParameterRow = { name: '', type: 'text', description: '', required: false, values: [] }

/** Undefined: the schema says more than a table can. */
export function rowsOf(schema: JsonObject): readonly ParameterRow[] | undefined {
  const { properties } = schema
  if (properties === undefined) return Object.keys(schema).length === 0 || same(schema, bare) ? [] : undefined
  if (!isObject(properties)) return undefined
  const required = Array.isArray(schema.required) ? schema.required : []
  const rows = Object.entries(properties).map(([name, property]) => rowOf(name, property, required.includes(name)))
  const whole = rows.filter((row) => row !== undefined)
  // What does not come out as it went in would be lost without a word.
  return whole.length === rows.length && same(schemaOf(whole), withoutMarks(schema)) ? whole : undefined
}

const bare = { type: 'object' }

export function schemaOf(rows: readonly ParameterRow[]): JsonObject {
  const named = rows.filter(({ name }) => name.trim() !== '')
  const required = named.filter((row) => row.required).map(({ name }) => name)
  return {
    type: 'object',
    properties: Object.fromEntries(named.map((row) => [row.name, propertyOf(row)])),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  }
}

/** The same schema as a table writes it. `required` is a set: its order is that of the properties. */
function withoutMarks({ $schema: _, required, ...schema }: JsonObject): JsonObject {
  const needed = Array.isArray(required) ? required : []
  const known = isObject(schema.properties) ? Object.keys(schema.properties) : []
  const ordered = [...known.filter((name) => needed.includes(name)), ...needed.filter((name) => !known.includes(name))]
  return { additionalProperties: false, ...schema, ...(ordered.length === 0 ? {} : { required: ordered }) }
}

function propertyOf({ type, description, values }: ParameterRow): JsonObject {
  const words = description.trim() === '' ? {} : { description }
  switch (type) {
    case 'text':
      return { type: 'string', ...words }
    case 'choice':
      return { type: 'string', enum: values, ...words }
    case 'texts':
      return { type: 'array', items: { type: 'string' }, ...words }
    case 'number':
    case 'integer':
    case 'boolean':
      return { type, ...words }
  }
}

function rowOf(name: string, property: unknown, required: boolean): ParameterRow | undefined {
  if (!isObject(property)) return undefined
  const description = typeof property.description === 'string' ? property.description : ''
  const row = { name, description, required, values: [] }
  const values = property.enum
  if (property.type === 'string' && Array.isArray(values)) return { ...row, type: 'choice', values: values.map(String) }
  if (property.type === 'string') return { ...row, type: 'text' }
  if (property.type === 'array') return { ...row, type: 'texts' }
  const type = (['number', 'integer', 'boolean'] as const).find((each) => each === property.type)
  return type === undefined ? undefined : { ...row, type }
}
