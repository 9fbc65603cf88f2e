// A value that a schema takes: what has to be there, as short as it may be.

import { type Known, resolved, type Schema } from './document.ts'
import { alternatives } from './schema-text.ts'

const byFormat: Readonly<Record<string, string>> = {
  'date-time': '2026-01-31T09:00:00Z',
  date: '2026-01-31',
  time: '09:00:00',
  email: 'ada@example.com',
  uri: 'https://example.com/',
  uuid: '6f1c1f0e-3f0b-4c5e-9a53-0d6a1c2b3d4e',
}

/** Texts that fit the patterns of identifiers, slugs, colours, languages and prices; the first that matches is taken. */
const tries = [
  'example',
  'example.made',
  'en',
  '#3b57d6',
  '10',
  '1',
  '10.50',
  'EXAMPLE',
  'example-0123456789',
  '/example',
]

/** `name`: of the property, to say what belongs there. */
export function sample(schema: Schema, known: Known, name = 'text'): unknown {
  const own = resolved(schema, known)
  if (own.const !== undefined) return own.const
  if (own.enum !== undefined) return own.enum[0]
  if (own.default !== undefined && own.default !== null && typeof own.default !== 'object') return own.default
  const union = alternatives(own)
  const first = union?.find(({ type }) => type !== 'null') ?? union?.[0]
  if (first !== undefined) return sample(first, known, name)
  const type = typeof own.type === 'string' ? own.type : own.type?.[0]
  switch (type) {
    case 'string':
      return textOf(own, name)
    case 'integer':
    case 'number':
      return numberOf(own)
    case 'boolean':
      return true
    case 'null':
      return null
    case 'array':
      return own.items === undefined ? [] : [sample(own.items, known, name)]
    default:
      return own.properties === undefined ? {} : objectOf(own, known, own.required ?? [])
  }
}

/**
 * Of a body: where nothing has to be there, the first two that may. The agent always: only a
 * visitor’s token names one. `stream`: the answer is wanted piece by piece.
 */
export function sampleBody(schema: Schema, known: Known, stream: boolean): unknown {
  const own = resolved(schema, known)
  if (own.properties === undefined) return sample(own, known)
  const required = own.required ?? []
  const wanted = required.length === 0 ? Object.keys(own.properties).slice(0, 2) : required
  const more = stream ? ['agentId', 'stream'] : ['agentId']
  const there = more.filter((name) => own.properties !== undefined && name in own.properties)
  return objectOf(own, known, [...new Set([...there, ...wanted])])
}

function objectOf(schema: Schema, known: Known, names: readonly string[]): Readonly<Record<string, unknown>> {
  const entries = names.map((name): readonly [string, unknown] => [
    name,
    name === 'stream' ? true : sample(schema.properties?.[name] ?? {}, known, name),
  ])
  return Object.fromEntries(entries)
}

function textOf({ format, pattern, minLength = 0, maxLength }: Schema, name: string): string {
  if (format !== undefined && byFormat[format] !== undefined) return byFormat[format]
  if (pattern !== undefined) return tries.find((each) => new RegExp(pattern, 'u').test(each)) ?? 'example'
  return name.padEnd(minLength, '.').slice(0, maxLength)
}

function numberOf({ minimum, maximum, exclusiveMinimum, multipleOf = 1 }: Schema): number {
  if (exclusiveMinimum !== undefined) return exclusiveMinimum + multipleOf
  const wish = Math.max(minimum ?? 1, multipleOf)
  return maximum === undefined ? wish : Math.min(wish, maximum)
}
