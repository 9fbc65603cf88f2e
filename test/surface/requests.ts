// Requests made of the document: such as it asks for, and such with something wrong in them.

import { generateSync } from 'json-schema-faker'
import type { Document, Operation, Schema } from './document.ts'
import type { Chance } from './random.ts'

export interface Request {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

/** What people, scripts and scanners send where something else is wanted. */
const odd: readonly unknown[] = [
  ...[
    '',
    ' ',
    '\0',
    '\u202e',
    '😀'.repeat(50),
    '../../etc/passwd',
    "'; drop table x; --",
    '$where',
    '__proto__',
    '%00',
  ],
  ...['x'.repeat(5_000), '-1', '1e309', 'NaN', 'null', '2026-13-45', 'https://user@host:99999/', '{"$gt":""}'],
  ...[null, true, -1, 0, 1.5, 2 ** 53, -1e300, [], {}, [[[[]]]], { $gt: '' }, { constructor: { prototype: 1 } }],
  JSON.parse('{"__proto__":{"admin":true}}'),
]

export interface RequestOf {
  readonly document: Document
  readonly chance: Chance
  /** Ids that answers told, most of them good for some path. */
  readonly ids: readonly string[]
}

export function requestOf(operation: Operation, of: RequestOf): Request {
  const { chance } = of
  const isBent = chance.next() < 0.5
  const query = new URLSearchParams()
  let path = operation.path
  for (const parameter of operation.parameters) {
    if (parameter.in === 'path') {
      path = path.replace(`{${parameter.name}}`, encodeURIComponent(pathPart(parameter.schema, of, isBent)))
    } else if (parameter.required === true || chance.next() < 0.4) {
      const value = isBent && chance.next() < 0.4 ? chance.one(odd) : made(parameter.schema, of)
      query.set(parameter.name, typeof value === 'string' ? value : JSON.stringify(value))
    }
  }
  if (isBent && chance.next() < 0.1) query.set('surprise', 'x')
  const asked = query.size === 0 ? path : `${path}?${query}`
  return { method: operation.method, path: asked, ...bodyOf(operation, of, isBent) }
}

function pathPart(schema: Schema, of: RequestOf, isBent: boolean): string {
  const { chance, ids } = of
  if (isBent && chance.next() < 0.3) return String(chance.one(odd)) || 'x'
  const known = chance.next() < 0.7 ? chance.one(ids) : undefined
  return known ?? (String(made(schema, of)) || 'x')
}

function bodyOf(operation: Operation, of: RequestOf, isBent: boolean): Pick<Request, 'headers' | 'body'> {
  const { chance } = of
  const [type, schema] = chance.one(Object.entries(operation.bodies)) ?? []
  if (type === undefined) return { headers: {}, body: undefined }
  const headers = { 'content-type': type }
  if (schema === undefined) return { headers, body: String(chance.one(odd)) }
  const value = withKnownIds(made(schema, of), of)
  if (!isBent) return { headers, body: JSON.stringify(value) }
  const chanceOf = chance.next()
  if (chanceOf < 0.05) return { headers, body: '{"broken": ' }
  if (chanceOf < 0.08) return { headers: { 'content-type': 'text/plain' }, body: JSON.stringify(value) }
  if (chanceOf < 0.1) return { headers, body: undefined }
  if (chanceOf < 0.11) return { headers, body: JSON.stringify({ x: 'y'.repeat(300_000) }) }
  return { headers, body: JSON.stringify(bent(value, chance)) }
}

function made(schema: Schema, { document, chance }: RequestOf): unknown {
  return generateSync(
    { ...schema, components: document.components },
    { seed: chance.under(2 ** 31), optionalsProbability: 0.5, maxItems: 3, maxLength: 60, maxDepth: 6 },
  )
}

/** What is called an id is one of those that are there, now and then. */
function withKnownIds(value: unknown, of: RequestOf): unknown {
  if (Array.isArray(value)) return value.map((each) => withKnownIds(each, of))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key,
      typeof each === 'string' && /(Id|^id|Slug|^agent|^type|^model)$/.test(key) && of.chance.next() < 0.7
        ? (of.chance.one(of.ids) ?? each)
        : withKnownIds(each, of),
    ]),
  )
}

/** One place of it is something else: odd, gone, or new. */
function bent(value: unknown, chance: Chance): unknown {
  if (Array.isArray(value) && value.length > 0 && chance.next() < 0.7) {
    const at = chance.under(value.length)
    return value.map((each, i) => (i === at ? bent(each, chance) : each))
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return chance.one(odd)
  const keys = Object.keys(value)
  const key = chance.one(keys)
  const how = chance.next()
  if (key === undefined || how < 0.15) return { ...value, surprise: chance.one(odd) }
  if (how < 0.3) return Object.fromEntries(Object.entries(value).filter(([each]) => each !== key))
  return Object.fromEntries(Object.entries(value).map(([each, of]) => [each, each === key ? bent(of, chance) : of]))
}
