// What a tool over HTTP is, as data: the request with the places of its arguments, whose credentials it carries, what is
// taken of the answer. Pure. Host and scheme are never made of an argument, no part of it is ever evaluated.

import { z } from 'zod'
import { Problem } from '../../platform/problem.ts'
import type { JsonObject } from '../tool.ts'
import { placeholdersIn } from './template.ts'

const secret = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{1,64}$/, 'the name of a secret')
  .describe('Name of a tenant’s secret.')
/** A header's name, as RFC 9110 has it. */
const token = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, 'a header’s name')
const pointer = z
  .string()
  .max(300)
  .regex(/^(\/([^~/]|~[01])*)*$/, 'a JSON pointer such as /data/0/name')
  .describe('JSON pointer (RFC 6901); empty: all of it.')
const picked = z.record(z.string().regex(/^[A-Za-z_]\w{0,63}$/, 'a name'), pointer)

const auth = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('bearer'), secret }),
  z.strictObject({ type: z.literal('basic'), user: z.string().max(200), secret }),
  z.strictObject({
    ...{ type: z.literal('header'), name: token, secret },
    prefix: z.string().max(40).default('').describe('In front of the secret, e.g. `Token `.'),
  }),
  z.strictObject({ type: z.literal('query'), name: z.string().min(1).max(100), secret }),
])
export type HttpAuth = z.output<typeof auth>

const scalar = z.union([z.string().max(2_000), z.number(), z.boolean()])

export const httpSpec = z.strictObject({
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).default('GET'),
  url: z
    .string()
    .max(2_000)
    .describe(
      'https://host/path/{argument}?name={argument}, or parley:/v1/… for this gateway’s own GET routes. Arguments stand in segments of the path and in values of the query only.',
    ),
  query: z.record(z.string().min(1).max(100), scalar).default({}).describe('Further query parameters.'),
  headers: z.record(token, z.string().max(2_000)).default({}),
  body: z.json().optional().describe('JSON in which a text such as {argument} stands for an argument.'),
  bodyType: z.enum(['json', 'form']).default('json'),
  auth: z.array(auth).max(4).default([]),
  idempotencyHeader: token
    .nullable()
    .default('Idempotency-Key')
    .describe('Header that carries the call’s own key when something may be changed; null: none.'),
  response: z
    .strictObject({
      pick: picked.optional().describe('Fields of the answer under names of your own.'),
      items: z
        .strictObject({ at: pointer, pick: picked.optional(), limit: z.int().min(1).max(100).default(20) })
        .optional()
        .describe('A list in the answer, and what is taken of each entry.'),
    })
    .default({}),
})
export type HttpSpec = z.output<typeof httpSpec>

/** The connection's own, and credentials: those are secrets. */
const notHeaders = new Set(
  'host connection content-length content-type expect keep-alive te trailer transfer-encoding upgrade authorization proxy-authorization cookie'.split(
    ' ',
  ),
)
const specChars = 32 * 1024

/** Throws `invalid`. The address is checked for its form only: whether it may be asked is the guard's to say. */
export function parseSpec(given: unknown, parameters?: JsonObject): HttpSpec {
  const parsed = httpSpec.safeParse(given)
  if (!parsed.success) {
    const issues = parsed.error.issues.map(({ path, message }) => ({
      path: ['spec', ...path].map(String).join('.'),
      message,
    }))
    const words = issues.map(({ path, message }) => `${path}: ${message}`).join('; ')
    throw new Problem('invalid', words.slice(0, 500), { issues })
  }
  const spec = parsed.data
  if (JSON.stringify(spec).length > specChars) throw new Problem('invalid', 'The descriptor is too large.')
  const { isInside } = addressOf(spec.url)
  if (isInside) checkInside(spec)
  for (const name of Object.keys(spec.headers)) {
    if (notHeaders.has(name.toLowerCase()) || name.toLowerCase().startsWith('parley-'))
      throw new Problem('invalid', `The header ${name} is not for a descriptor: credentials go into auth.`)
  }
  if (spec.method === 'GET' && spec.body !== undefined) throw new Problem('invalid', 'A GET has no body.')
  if (parameters !== undefined) checkPlaceholders(spec, parameters)
  return spec
}

export interface Address {
  readonly isInside: boolean
  /** `https://host:port`; empty for the gateway itself. */
  readonly origin: string
  readonly path: string
  readonly query: string
}

/** Throws `invalid` for anything whose host could be anybody's choice. */
export function addressOf(template: string): Address {
  const [, inside, insideQuery] = /^parley:(\/v1\/[^?#\\]*)(?:\?([^#]*))?$/.exec(template) ?? []
  if (inside !== undefined) return { isInside: true, origin: '', path: inside, query: insideQuery ?? '' }
  const [, base, path, query] = /^(https?:\/\/[^/?#\\{}@\s]+)(\/[^?#\\]*)?(?:\?([^#]*))?$/i.exec(template) ?? []
  const url = base === undefined ? null : URL.parse(base)
  if (url === null)
    throw new Problem(
      'invalid',
      'spec.url: begins with https:// and a host without placeholders, and has no #fragment.',
    )
  return { isInside: false, origin: url.origin, path: path ?? '/', query: query ?? '' }
}

function checkInside({ method, auth: credentials, headers, body }: HttpSpec): void {
  const isPlain = method === 'GET' && credentials.length === 0 && Object.keys(headers).length === 0
  if (!isPlain || body !== undefined)
    throw new Problem(
      'invalid',
      'The gateway itself is asked by GET, with the caller’s own rights: no auth, no headers.',
    )
}

function checkPlaceholders(spec: HttpSpec, parameters: JsonObject): void {
  const { properties } = parameters
  const known = typeof properties === 'object' && properties !== null ? Object.keys(properties) : []
  const missing = placeholdersIn([spec.url, spec.query, spec.headers, spec.body ?? '']).filter(
    (name) => !known.includes(name),
  )
  if (missing.length > 0) throw new Problem('invalid', `No parameter is called ${missing.slice(0, 5).join(', ')}.`)
}
