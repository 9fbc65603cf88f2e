// What a JSON schema asks for, as fields that a person fills in. What no field can carry is edited as JSON. Pure.

import { isObject, type JsonObject } from '../json.ts'

export type Shape =
  | { readonly is: 'text'; readonly maxLength: number | undefined; readonly format: string | undefined }
  | { readonly is: 'choice'; readonly values: readonly (string | number)[] }
  | { readonly is: 'number'; readonly whole: boolean }
  | { readonly is: 'switch' }
  /** A list of words or phrases. */
  | { readonly is: 'texts' }
  | { readonly is: 'group'; readonly fields: readonly SchemaField[] }
  | { readonly is: 'rows'; readonly fields: readonly SchemaField[] }
  | { readonly is: 'json' }

export interface SchemaField {
  readonly name: string
  readonly label: string
  readonly hint: string | undefined
  readonly required: boolean
  readonly shape: Shape
}

/** Deeper than this a form is harder to read than JSON. */
const deepest = 4

/** The fields of an object's schema; empty when it names none. */
export function fieldsOf(schema: JsonObject, root: JsonObject = schema, depth = 0): readonly SchemaField[] {
  const { properties, required } = resolved(schema, root)
  if (!isObject(properties)) return []
  const needed = new Set(Array.isArray(required) ? required : [])
  return Object.entries(properties).map(([name, raw]) => {
    const own = resolved(raw, root)
    return {
      name,
      label: typeof own.title === 'string' ? own.title : labelOf(name),
      hint: typeof own.description === 'string' ? own.description : undefined,
      required: needed.has(name),
      shape: shapeOf(own, root, depth + 1),
    }
  })
}

/** `contactId` and `contact_id` → `Contact id`. */
export function labelOf(name: string): string {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/[_-]+/g, ' ')
    .trim()
    .toLowerCase()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

function shapeOf(schema: JsonObject, root: JsonObject, depth: number): Shape {
  const values = choices(schema)
  if (values !== undefined) return { is: 'choice', values }
  switch (schema.type) {
    case 'string':
      return {
        is: 'text',
        maxLength: typeof schema.maxLength === 'number' ? schema.maxLength : undefined,
        format: typeof schema.format === 'string' ? schema.format : undefined,
      }
    case 'integer':
    case 'number':
      return { is: 'number', whole: schema.type === 'integer' }
    case 'boolean':
      return { is: 'switch' }
    case 'object': {
      const fields = depth < deepest ? fieldsOf(schema, root, depth) : []
      return fields.length > 0 ? { is: 'group', fields } : { is: 'json' }
    }
    case 'array':
      return listOf(resolved(schema.items, root), root, depth)
    default:
      return { is: 'json' }
  }
}

function listOf(items: JsonObject, root: JsonObject, depth: number): Shape {
  if (items.type === 'string' && choices(items) === undefined) return { is: 'texts' }
  const fields = items.type === 'object' && depth < deepest ? fieldsOf(items, root, depth) : []
  return fields.length > 0 ? { is: 'rows', fields } : { is: 'json' }
}

function choices({ enum: values }: JsonObject): readonly (string | number)[] | undefined {
  if (!Array.isArray(values)) return undefined
  const plain = values.filter((each) => typeof each === 'string' || typeof each === 'number')
  return plain.length === values.length ? plain : undefined
}

/** Follows a reference inside the document, and takes "or null" away: an empty field is no value. */
function resolved(raw: unknown, root: JsonObject): JsonObject {
  const schema = isObject(raw) ? raw : {}
  if (typeof schema.$ref === 'string') {
    const target = schema.$ref
      .replace(/^#\/?/, '')
      .split('/')
      .filter((step) => step !== '')
      .reduce<unknown>((at, step) => (isObject(at) ? at[step] : undefined), root)
    // A schema that refers to itself by name ends at the depth of the form.
    return isObject(target) && target.$ref === undefined ? { ...target, ...without$ref(schema) } : {}
  }
  const any = schema.anyOf ?? schema.oneOf
  const real = Array.isArray(any) ? any.filter((each) => !(isObject(each) && each.type === 'null')) : []
  if (real.length === 1 && isObject(real[0])) return { ...resolved(real[0], root), ...describing(schema) }
  if (!Array.isArray(schema.type)) return schema
  const types = schema.type.filter((each) => each !== 'null')
  return { ...schema, type: types.length === 1 ? types[0] : undefined }
}

function without$ref({ $ref: _, ...rest }: JsonObject): JsonObject {
  return rest
}

function describing({ title, description }: JsonObject): JsonObject {
  return { ...(title === undefined ? {} : { title }), ...(description === undefined ? {} : { description }) }
}
