// JSON Schema of others, compiled once each: patterns run in linear time, addresses are never resolved. Pure.

import { createHash } from 'node:crypto'
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats, { type FormatName } from 'ajv-formats'
import { RE2JS } from 're2js'

/** Compiled schemas kept; one that is needed again is compiled again. */
const maxCompiled = 500

const linear = Object.assign(
  (pattern: string, flags: string) => {
    const compiled = RE2JS.compile(pattern, flags.includes('i') ? RE2JS.CASE_INSENSITIVE : 0)
    // The validator keeps one of each: what it tells them apart by.
    return { test: (text: string) => compiled.matcher(text).find(), toString: () => `/${pattern}/${flags}` }
  },
  { code: 'linear' },
)

function newAjv(formats: readonly FormatName[]): Ajv2020 {
  const ajv = new Ajv2020({
    // What is unusual but allowed need not be warned of.
    strict: false,
    allErrors: true,
    // No address is ever resolved.
    addUsedSchema: false,
    validateSchema: false,
    code: { regExp: linear },
  })
  addFormats.default(ajv, { mode: 'fast', formats: [...formats] })
  return ajv
}

const compiled = new Map<string, ValidateFunction>()

/** The schema's own errors; empty: it fits. Throws for a schema that is none, or refers to another one. */
export function compileSchema(
  schema: object,
  formats: readonly FormatName[],
): (data: unknown) => readonly ErrorObject[] {
  const key = createHash('sha256')
    .update(JSON.stringify([schema, formats]))
    .digest('base64')
  const known = compiled.get(key) ?? newAjv(formats).compile(schema)
  compiled.delete(key)
  compiled.set(key, known)
  const oldest = compiled.size > maxCompiled ? compiled.keys().next().value : undefined
  if (oldest !== undefined) compiled.delete(oldest)
  return (data) => (known(data) ? [] : (known.errors ?? []))
}

/** Where it does not fit, and how: `items.0.name`. */
export function schemaIssue({ instancePath, message, params }: ErrorObject): { path: string; message: string } {
  const path = instancePath.split('/').slice(1).map(unescaped)
  const missing = 'missingProperty' in params ? [String(params.missingProperty)] : []
  const extra = 'additionalProperty' in params ? [String(params.additionalProperty)] : []
  return { path: [...path, ...missing, ...extra].join('.').slice(0, 200), message: message ?? 'does not fit' }
}

const unescaped = (part: string) => part.replaceAll('~1', '/').replaceAll('~0', '~')
