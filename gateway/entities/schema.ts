// A tenant's JSON Schema: what of the standard it may use, and within which bounds. Pure. What passes here can neither keep
// the validator busy for long nor make it ask anybody.

import { RE2JS } from 're2js'

export interface SchemaIssue {
  readonly path: string
  readonly message: string
}

/** A schema whose references are written out, so that it is a tree of bounded size. */
export interface CheckedSchema {
  readonly schema: JsonObject
  readonly fields: ReadonlyMap<string, FieldKind>
}

/** What the values of a declared field are; `other` can be neither filtered nor sorted by. */
export type FieldKind = 'text' | 'number' | 'boolean' | 'texts' | 'numbers' | 'other'

export type JsonObject = { readonly [name: string]: unknown }

export const maxSchemaChars = 32 * 1024
const maxNodes = 500
const maxDepth = 10
/** Comparing every item with every other one. */
const maxUniqueItems = 500
const maxEnum = 500

/** A field's name stands in queries, cursors and rules. */
export const fieldName = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/
const unsafeNames = new Set(['__proto__', 'constructor', 'prototype'])

export const formats = [
  'date',
  'time',
  'date-time',
  'duration',
  'email',
  'uri',
  'uuid',
  'hostname',
  'ipv4',
  'ipv6',
] as const

const types = new Set(['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'])
const counts = ['minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties']
const bounds = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']
const texts = ['title', 'description', '$comment']
const anything = ['default', 'examples', 'const', 'deprecated', 'readOnly', 'writeOnly']
const lists = ['anyOf', 'oneOf', 'allOf', 'prefixItems']
const single = ['items', 'additionalProperties', 'not']

export function checkSchema(given: unknown): CheckedSchema | { readonly issues: readonly SchemaIssue[] } {
  if (!isObject(given)) return { issues: [{ path: '', message: 'a JSON Schema object' }] }
  if (JSON.stringify(given).length > maxSchemaChars)
    return { issues: [{ path: '', message: `at most ${maxSchemaChars} characters` }] }
  const walk = new Walk(given)
  const schema = walk.node(given, { path: '', depth: 0, open: [] })
  if (!isObject(schema) || schema.type !== 'object') walk.tell('type', 'the schema of an entity is of type object')
  if (walk.issues.length > 0) return { issues: walk.issues.slice(0, 20) }
  return { schema: isObject(schema) ? schema : {}, fields: fieldsOf(schema) }
}

interface Place {
  readonly path: string
  readonly depth: number
  /** References that are being written out. */
  readonly open: readonly string[]
}

class Walk {
  readonly issues: SchemaIssue[] = []
  readonly #root: JsonObject
  #nodes = 0

  constructor(root: JsonObject) {
    this.#root = root
  }

  tell(path: string, message: string): void {
    this.issues.push({ path, message })
  }

  node(given: unknown, place: Place): unknown {
    if (typeof given === 'boolean') return given
    if (++this.#nodes > maxNodes || place.depth > maxDepth || this.issues.length >= 20) {
      this.tell(place.path, `at most ${maxNodes} schemas, ${maxDepth} deep, references written out`)
      return false
    }
    if (!isObject(given)) {
      this.tell(place.path, 'a schema')
      return false
    }
    if ('$ref' in given) return this.#reference(given, place)
    if (given.uniqueItems === true && !(Number(given.maxItems) <= maxUniqueItems))
      this.tell(join(place.path, 'uniqueItems'), `needs maxItems of at most ${maxUniqueItems}`)
    const entries = Object.entries(given).filter(
      ([name]) => name !== '$defs' && !(place.depth === 0 && name === '$schema'),
    )
    return Object.fromEntries(entries.map(([name, value]) => [name, this.#keyword(name, value, place)]))
  }

  /** Only to `$defs` of the schema itself, and never to itself. */
  #reference(given: JsonObject, place: Place): unknown {
    const { $ref, $defs: _, ...rest } = given
    const name = typeof $ref === 'string' ? /^#\/\$defs\/([A-Za-z0-9_.-]{1,64})$/.exec($ref)?.[1] : undefined
    const defs = isObject(this.#root.$defs) ? this.#root.$defs : {}
    if (name === undefined || !Object.hasOwn(defs, name) || Object.keys(rest).some((each) => !texts.includes(each))) {
      this.tell(join(place.path, '$ref'), 'only #/$defs/<name> of this schema, with nothing beside it')
      return false
    }
    if (place.open.includes(name)) {
      this.tell(join(place.path, '$ref'), 'a schema must not contain itself')
      return false
    }
    return this.node(defs[name], { ...place, depth: place.depth + 1, open: [...place.open, name] })
  }

  #keyword(name: string, value: unknown, place: Place): unknown {
    const path = join(place.path, name)
    const wrong = this.#wrong(name, value)
    if (wrong !== undefined) {
      this.tell(path, wrong)
      return value
    }
    const inside = { ...place, path, depth: place.depth + 1 }
    if (single.includes(name)) return this.node(value, inside)
    if (lists.includes(name) && Array.isArray(value))
      return value.map((each, i) => this.node(each, { ...inside, path: join(path, String(i)) }))
    if (name === 'properties' && isObject(value)) return this.#properties(value, inside)
    return value
  }

  #properties(given: JsonObject, place: Place): JsonObject {
    const entries = Object.entries(given).map(([name, value]) => {
      const path = join(place.path, name)
      if (!fieldName.test(name) || unsafeNames.has(name)) this.tell(path, 'a name of letters, digits, _ and -')
      return [name, this.node(value, { ...place, path })]
    })
    return Object.fromEntries(entries)
  }

  /** What is wrong with a keyword by itself. */
  #wrong(name: string, value: unknown): string | undefined {
    if (name === 'type') return isType(value) ? undefined : 'a type of JSON Schema'
    if (name === 'properties') return isObject(value) ? undefined : 'an object'
    if (name === 'required') return isTexts(value) ? undefined : 'a list of names'
    if (name === 'enum')
      return Array.isArray(value) && value.length > 0 && value.length <= maxEnum ? undefined : `1 to ${maxEnum} values`
    if (name === 'pattern') return wrongPattern(value)
    if (name === 'format') return isFormat(value) ? undefined : `one of ${formats.join(', ')}`
    if (name === 'uniqueItems') return typeof value === 'boolean' ? undefined : 'true or false'
    if (counts.includes(name)) return Number.isInteger(value) && Number(value) >= 0 ? undefined : 'a whole number'
    if (bounds.includes(name)) return isBound(name, value) ? undefined : 'a number'
    if (texts.includes(name)) return typeof value === 'string' ? undefined : 'a text'
    if (lists.includes(name)) return Array.isArray(value) && value.length > 0 ? undefined : 'a list of schemas'
    if (single.includes(name) || anything.includes(name)) return undefined
    return 'this keyword is not supported here'
  }
}

/** Checked by an engine whose time grows with the text only: RE2 knows neither back references nor look-around. */
function wrongPattern(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > 500) return 'a pattern of at most 500 characters'
  try {
    RE2JS.compile(value)
    return undefined
  } catch {
    return 'a pattern of RE2: no back references and no look-around'
  }
}

const join = (path: string, name: string) => (path === '' ? name : `${path}.${name}`)
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isTexts = (value: unknown) =>
  Array.isArray(value) && value.length <= 500 && value.every((each) => typeof each === 'string')
const isName = (value: unknown): boolean => typeof value === 'string' && types.has(value)
const isType = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 && value.every(isName) : isName(value)
const isFormat = (value: unknown) => formats.some((each) => each === value)
const isBound = (name: string, value: unknown) =>
  typeof value === 'number' && Number.isFinite(value) && (name !== 'multipleOf' || value > 0)

/** Dotted paths of what is declared, objects gone into. */
export function fieldsOf(schema: unknown, before = '', into = new Map<string, FieldKind>()): Map<string, FieldKind> {
  const properties = isObject(schema) && isObject(schema.properties) ? schema.properties : {}
  for (const [name, value] of Object.entries(properties)) {
    const path = join(before, name)
    into.set(path, kindOf(value))
    fieldsOf(value, path, into)
  }
  return into
}

function kindOf(schema: unknown): FieldKind {
  if (!isObject(schema)) return 'other'
  const kind = scalarOf(schema)
  if (kind !== undefined) return kind
  if (schema.type !== 'array' || !isObject(schema.items)) return 'other'
  const items = scalarOf(schema.items)
  return items === 'text' ? 'texts' : items === 'number' ? 'numbers' : 'other'
}

/** `null` beside one type is that type: a field that may be empty. */
function scalarOf({ type, enum: values }: JsonObject): 'text' | 'number' | 'boolean' | undefined {
  const all = Array.isArray(type) ? type.filter((each) => each !== 'null') : [type]
  if (all.length === 0) return undefined
  if (all.every((each) => each === 'string')) return 'text'
  if (all.every((each) => each === 'number' || each === 'integer')) return 'number'
  if (all.every((each) => each === 'boolean')) return 'boolean'
  const given = type === undefined && Array.isArray(values) ? values : []
  return given.length > 0 && given.every((each) => typeof each === 'string') ? 'text' : undefined
}
