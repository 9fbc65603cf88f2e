// Whether an entity's data fits its type. Compiled once per schema; bounded in the size of what it is given.

import { createHash } from 'node:crypto'
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { RE2JS } from 're2js'
import { formats, isObject, type JsonObject, type SchemaIssue } from './schema.ts'

export const maxDataChars = 64 * 1024
const maxDataDepth = 12
const maxKeyChars = 128
const maxIssues = 20
/** Compiled schemas kept; one that is needed again is compiled again. */
const maxCompiled = 500

const linear = Object.assign(
  (pattern: string, flags: string) => {
    const compiled = RE2JS.compile(pattern, flags.includes('i') ? RE2JS.CASE_INSENSITIVE : 0)
    return { test: (text: string) => compiled.matcher(text).find() }
  },
  { code: 'linear' },
)

function newAjv(): Ajv2020 {
  const ajv = new Ajv2020({
    // Every keyword was looked at before: what is unusual but allowed need not be warned of.
    strict: false,
    allErrors: true,
    // No address is ever resolved: a schema has no references left.
    addUsedSchema: false,
    validateSchema: false,
    code: { regExp: linear },
  })
  addFormats.default(ajv, { mode: 'fast', formats: [...formats] })
  return ajv
}

const compiled = new Map<string, ValidateFunction>()

/** `schema`: as `checkSchema` gave it. */
export function validatorOf(schema: JsonObject): (data: unknown) => readonly SchemaIssue[] {
  const key = createHash('sha256').update(JSON.stringify(schema)).digest('base64')
  const known = compiled.get(key) ?? newAjv().compile(schema)
  compiled.delete(key)
  compiled.set(key, known)
  const oldest = compiled.size > maxCompiled ? compiled.keys().next().value : undefined
  if (oldest !== undefined) compiled.delete(oldest)
  return (data) => {
    const unfit = unstorable(data)
    if (unfit !== undefined) return [unfit]
    if (known(data)) return []
    return (known.errors ?? []).slice(0, maxIssues).map(issueOf)
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

function issueOf({ instancePath, message, params }: ErrorObject): SchemaIssue {
  const path = instancePath.split('/').slice(1).map(unescaped)
  const missing = 'missingProperty' in params ? [String(params.missingProperty)] : []
  const extra = 'additionalProperty' in params ? [String(params.additionalProperty)] : []
  return { path: ['data', ...path, ...missing, ...extra].join('.').slice(0, 200), message: message ?? 'does not fit' }
}

const unescaped = (part: string) => part.replaceAll('~1', '/').replaceAll('~0', '~')

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
