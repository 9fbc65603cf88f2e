// JSON Schema of a tool's arguments → the OpenAPI subset of a function declaration. Live reads only `parameters`, not
// `parametersJsonSchema`, and a keyword it does not know closes the connection: what has no counterpart is left out.

type Json = Readonly<Record<string, unknown>>

/** Deeper and larger than any tool's arguments: a schema that refers to itself ends here. */
const deepest = 16
const mostParts = 500

interface Place {
  readonly root: Json
  readonly depth: number
  /** Shared by all places. */
  readonly left: { parts: number }
}

const texts = ['title', 'description'] as const
const counts = ['minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties'] as const
const bounds = ['minimum', 'maximum'] as const
const formats: Readonly<Record<string, readonly string[]>> = {
  STRING: ['enum', 'date-time'],
  NUMBER: ['float', 'double'],
  INTEGER: ['int32', 'int64'],
}

/** Undefined where the tool takes nothing: an object without properties is refused. */
export function parametersOf(schema: Json): Json | undefined {
  const root = converted(schema, { root: schema, depth: 0, left: { parts: mostParts } })
  return isRecord(root.properties) && Object.keys(root.properties).length > 0 ? root : undefined
}

function converted(value: unknown, { root, depth, left }: Place): Json {
  const schema = resolved(value, root)
  if (schema === undefined || depth > deepest || left.parts-- <= 0) return { type: 'STRING' }
  const inside = { root, depth: depth + 1, left }
  const choices = choicesOf(schema)
  if (choices !== undefined) return union(choices, schema, inside)
  const names = typesOf(schema)
  const [type = 'STRING'] = names.filter((name) => name !== 'NULL')
  return {
    type,
    ...(names.includes('NULL') || schema.nullable === true ? { nullable: true } : {}),
    ...plain(schema, type),
    ...(type === 'ARRAY' ? { items: converted(itemsOf(schema), inside) } : {}),
    ...(type === 'OBJECT' ? objectParts(schema, inside) : {}),
  }
}

function union(choices: readonly unknown[], schema: Json, inside: Place): Json {
  const isNull = (choice: unknown) => isRecord(choice) && typesOf(choice).every((name) => name === 'NULL')
  const real = choices.filter((choice) => !isNull(choice))
  const nullable = real.length < choices.length ? { nullable: true } : {}
  const said = texts.flatMap((key) => (typeof schema[key] === 'string' ? [[key, schema[key]] as const] : []))
  const about = Object.fromEntries(said)
  if (real.length === 1) return { ...converted(real[0], inside), ...nullable, ...about }
  return { anyOf: real.map((choice) => converted(choice, inside)), ...nullable, ...about }
}

function objectParts(schema: Json, inside: Place): Json {
  if (!isRecord(schema.properties)) return {}
  const properties = Object.fromEntries(
    Object.entries(schema.properties).map(([name, each]) => [name, converted(each, inside)]),
  )
  const required = strings(schema.required).filter((name) => Object.hasOwn(properties, name))
  return { properties, ...(required.length === 0 ? {} : { required }) }
}

function plain(schema: Json, type: string): Json {
  const keys = [
    ...texts.filter((key) => typeof schema[key] === 'string'),
    ...counts.filter((key) => typeof schema[key] === 'number'),
    ...bounds.filter((key) => typeof schema[key] === 'number'),
    ...(typeof schema.pattern === 'string' ? ['pattern'] : []),
    ...(formats[type]?.includes(String(schema.format)) === true ? ['format'] : []),
  ]
  // Only strings may be listed; a list of numbers is left to the description.
  const listed = strings(schema.enum ?? (schema.const === undefined ? [] : [schema.const]))
  const list = type === 'STRING' && listed.length > 0 ? { enum: listed } : {}
  // The API takes 64-bit numbers as strings.
  return { ...Object.fromEntries(keys.map((key) => [key, counted(key, schema[key])])), ...list }
}

function counted(key: string, value: unknown): unknown {
  return counts.some((name) => name === key) ? String(value) : value
}

function itemsOf({ items, prefixItems }: Json): unknown {
  return items ?? (Array.isArray(prefixItems) ? prefixItems[0] : undefined)
}

function choicesOf({ anyOf, oneOf }: Json): readonly unknown[] | undefined {
  const choices = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : undefined
  return choices !== undefined && choices.length > 0 ? choices : undefined
}

function typesOf(schema: Json): readonly string[] {
  const given = Array.isArray(schema.type) ? strings(schema.type) : strings([schema.type])
  if (given.length > 0) return given.map((name) => name.toUpperCase())
  if (isRecord(schema.properties)) return ['OBJECT']
  return schema.items === undefined ? ['STRING'] : ['ARRAY']
}

/** Follows `#/…` references; `allOf` of one is that one. */
function resolved(value: unknown, root: Json): Json | undefined {
  let at = value
  for (let i = 0; i < deepest && isRecord(at); i++) {
    const only = Array.isArray(at.allOf) && at.allOf.length === 1 ? at.allOf[0] : undefined
    if (typeof at.$ref === 'string') at = pointed(at.$ref, root)
    else if (isRecord(only)) at = { ...at, ...only, allOf: undefined }
    else return at
  }
  return undefined
}

function pointed(reference: string, root: Json): unknown {
  let at: unknown = root
  for (const key of reference.replace(/^#\/?/, '').split('/')) {
    if (key !== '') at = isRecord(at) && Object.hasOwn(at, key) ? at[key] : undefined
  }
  return at
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
