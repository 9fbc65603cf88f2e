// Generates console/api/schema.ts, the types of the API, from the API document; `--check` only compares.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { createApp } from '../gateway/app.ts'
import { readConfig } from '../gateway/config.ts'
import { openApi } from '../gateway/http/openapi/openapi.ts'
import { doors } from '../gateway/legs/legs.ts'

const target = join(import.meta.dirname, '..', 'console/api/schema.ts')

type Schema = Readonly<Record<string, unknown>>
const record = z.record(z.string(), z.unknown())
const operation = z.looseObject({
  'x-websocket': z.unknown().optional(),
  parameters: z.array(
    z.looseObject({
      name: z.string().optional(),
      in: z.string().optional(),
      required: z.boolean().optional(),
      schema: record.optional(),
    }),
  ),
  requestBody: z
    .looseObject({ content: z.record(z.string(), z.looseObject({ schema: record.optional() })) })
    .optional(),
  responses: z.record(
    z.string(),
    z.looseObject({ content: z.record(z.string(), z.looseObject({ schema: record.optional() })).optional() }),
  ),
})
const document = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.looseObject({ schemas: z.record(z.string(), record) }),
})
type Operation = z.output<typeof operation>

function typeOf(schema: unknown): string {
  const of: Schema = record.catch({}).parse(schema)
  if (typeof of.$ref === 'string') return of.$ref.replace('#/components/schemas/', '')
  if ('const' in of) return JSON.stringify(of.const)
  if (Array.isArray(of.enum)) return of.enum.map((each) => JSON.stringify(each)).join(' | ')
  for (const key of ['anyOf', 'oneOf']) {
    const any = of[key]
    if (Array.isArray(any)) return any.map((each) => `(${typeOf(each)})`).join(' | ')
  }
  if (Array.isArray(of.allOf)) return of.allOf.map((each) => `(${typeOf(each)})`).join(' & ')
  if (Array.isArray(of.type)) return of.type.map((each) => typeOf({ ...of, type: each })).join(' | ')
  return plainType(of)
}

function plainType(of: Schema): string {
  switch (of.type) {
    case 'string':
      return 'string'
    case 'integer':
    case 'number':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'null':
      return 'null'
    case 'array':
      return `readonly (${typeOf(of.items)})[]`
    case 'object':
      return objectType(of)
    default:
      return 'unknown'
  }
}

function objectType(of: Schema): string {
  const required = z.array(z.string()).catch([]).parse(of.required)
  const fields = Object.entries(record.catch({}).parse(of.properties)).map(
    ([name, each]) => `readonly ${JSON.stringify(name)}${required.includes(name) ? '' : '?'}: ${typeOf(each)}`,
  )
  if (fields.length > 0) return `{ ${fields.join('; ')} }`
  return of.additionalProperties === false
    ? 'Readonly<Record<string, never>>'
    : `Readonly<Record<string, ${typeOf(of.additionalProperties)}>>`
}

function fieldsOf(operation: Operation, where: string): string {
  const fields = operation.parameters
    .filter((each) => each.in === where && each.name !== 'more')
    .map(
      ({ name = '', required, schema }) =>
        `readonly ${JSON.stringify(name)}${required === true ? '' : '?'}: ${typeOf(schema)} | undefined`,
    )
  return fields.length === 0 ? 'undefined' : `{ ${fields.join('; ')} }`
}

function entryOf(path: string, method: string, operation: Operation): string {
  const body = operation.requestBody?.content['application/json']?.schema
  const done = Object.entries(operation.responses).find(([status]) => status.startsWith('2'))?.[1]
  const reply = done?.content?.['application/json']?.schema
  const name = `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`
  const parts = [
    `params: ${fieldsOf(operation, 'path').replaceAll(' | undefined', '')}`,
    `query: ${fieldsOf(operation, 'query')}`,
    `body: ${body === undefined ? 'undefined' : typeOf(body)}`,
    `reply: ${reply === undefined ? 'undefined' : typeOf(reply)}`,
  ]
  return `  ${JSON.stringify(name)}: { ${parts.map((each) => `readonly ${each}`).join('; ')} }`
}

async function read(): Promise<z.output<typeof document>> {
  const dir = mkdtempSync(join(tmpdir(), 'parley-api-'))
  try {
    const app = await createApp(readConfig({ PORT: '0', PARLEY_DATA_DIR: dir, LOG_LEVEL: 'silent' }))
    await app.drain()
    return document.parse(openApi({ routes: app.routes, doors, version: '' }))
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

const { paths, components } = await read()
const named = Object.entries(components.schemas).map(([name, schema]) => `export type ${name} = ${typeOf(schema)}`)
const entries = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods)
    .filter(([, each]) => each['x-websocket'] === undefined)
    .map(([method, each]) => entryOf(path, method, each)),
)
const text = `// Generated by scripts/api-client.ts from the API document. Do not edit.\n\n${named.join('\n')}\n\nexport interface Api {\n${entries.join('\n')}\n}\n`
const present = (() => {
  try {
    return readFileSync(target, 'utf8')
  } catch {
    return ''
  }
})()
if (present !== text) {
  if (process.argv.includes('--check')) {
    console.error('console/api/schema.ts is out of date: run npm run api-client')
    process.exitCode = 1
  } else writeFileSync(target, text)
}
