// Whether an entity's data fits its type. Compiled once per schema; bounded in the size of what it is given.

import { compileSchema, schemaIssue } from '../platform/json-schema.ts'
import { formats, isObject, type JsonObject, type SchemaIssue } from './schema.ts'

export const maxDataChars = 64 * 1024
const maxDataDepth = 12
const maxKeyChars = 128
const maxIssues = 20
/** `schema`: as `checkSchema` gave it. */
export function validatorOf(schema: JsonObject): (data: unknown) => readonly SchemaIssue[] {
  const errorsOf = compileSchema(schema, formats)
  return (data) => {
    const unfit = unstorable(data)
    if (unfit !== undefined) return [unfit]
    return errorsOf(data)
      .slice(0, maxIssues)
      .map((error) => {
        const { path, message } = schemaIssue(error)
        return { path: ['data', ...(path === '' ? [] : [path])].join('.'), message }
      })
  }
}

/** Throws for what only the compiler finds. */
export function compiles(schema: JsonObject): boolean {
  try {
    validatorOf(schema)
    return true
  } catch {
    return false
  }
}

function unstorable(data: unknown): SchemaIssue | undefined {
  if (JSON.stringify(data ?? null).length > maxDataChars)
    return { path: 'data', message: `at most ${maxDataChars} characters of JSON` }
  return unstorableAt(data, ['data'])
}

function unstorableAt(value: unknown, path: readonly string[]): SchemaIssue | undefined {
  if (path.length > maxDataDepth) return { path: path.join('.').slice(0, 200), message: `at most ${maxDataDepth} deep` }
  if (Array.isArray(value))
    return firstOf(
      value.map((each, i) => [String(i), each]),
      path,
    )
  if (!isObject(value)) return undefined
  const wrong = Object.keys(value).find((key) => !isKey(key))
  if (wrong !== undefined)
    return {
      path: [...path, wrong.slice(0, 40)].join('.').slice(0, 200),
      message: 'a name without $ in front and without a dot',
    }
  return firstOf(Object.entries(value), path)
}

function firstOf(entries: readonly (readonly [string, unknown])[], path: readonly string[]): SchemaIssue | undefined {
  for (const [name, value] of entries) {
    const found = unstorableAt(value, [...path, name])
    if (found !== undefined) return found
  }
  return undefined
}

const isKey = (key: string): boolean =>
  key !== '' && key.length <= maxKeyChars && !/^\$|[.\0]/.test(key) && key !== '__proto__'
