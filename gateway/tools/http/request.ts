// The request of one call. Pure: secrets come in as a function, so that the same request can be shown with them masked.

import { Problem } from '../../platform/problem.ts'
import type { JsonObject } from '../tool.ts'
import { addressOf, type HttpAuth, type HttpSpec } from './spec.ts'
import { filled, filledJson, filledPath } from './template.ts'

export interface HttpRequest {
  readonly method: HttpSpec['method']
  /** For the gateway itself: path and query only. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

export interface RequestParts {
  readonly spec: HttpSpec
  readonly args: JsonObject
  /** Of the call: the same for every attempt. */
  readonly key: string
}

/** The value of a secret, or what stands for it where it is shown. */
export type SecretText = (name: string) => string

const bodyChars = 64 * 1024

/** Throws `invalid` for arguments that cannot stand where they are to. */
export function requestOf({ spec, args, key }: RequestParts, secretText: SecretText): HttpRequest {
  const { origin, path, query } = addressOf(spec.url)
  const search = [
    ...query.split('&').flatMap((each) => (each === '' ? [] : (filled(each, args, encodeURIComponent) ?? []))),
    ...Object.entries(spec.query).flatMap(([name, value]) =>
      parameter(
        name,
        filled(String(value), args, (text) => text),
      ),
    ),
    ...spec.auth.flatMap((each) => (each.type === 'query' ? parameter(each.name, secretText(each.secret)) : [])),
  ].join('&')
  const url = `${origin}${filledPath(path, args)}${search === '' ? '' : `?${search}`}`
  if (origin !== '' && URL.parse(url)?.origin !== origin) throw new Problem('invalid', 'The arguments make no address.')
  const body = bodyOf(spec, args)
  return { method: spec.method, url, headers: headersOf({ spec, args, key }, secretText, body !== undefined), body }
}

function parameter(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(value)}`]
}

function bodyOf({ body, bodyType }: HttpSpec, args: JsonObject): string | undefined {
  if (body === undefined) return undefined
  const whole = filledJson(body, args)
  const text = bodyType === 'form' ? formOf(whole) : JSON.stringify(whole)
  if (text !== undefined && text.length > bodyChars) throw new Problem('invalid', 'The arguments are too long.')
  return text
}

function formOf(value: unknown): string {
  const fields = typeof value === 'object' && value !== null ? Object.entries(value) : []
  return new URLSearchParams(
    fields.map(([name, each]): [string, string] => [
      name,
      typeof each === 'object' ? JSON.stringify(each) : String(each),
    ]),
  ).toString()
}

function headersOf(
  { spec, args, key }: RequestParts,
  secretText: SecretText,
  hasBody: boolean,
): Record<string, string> {
  const headers: Record<string, string> = { accept: 'application/json' }
  if (hasBody)
    headers['content-type'] = spec.bodyType === 'form' ? 'application/x-www-form-urlencoded' : 'application/json'
  for (const [name, template] of Object.entries(spec.headers)) {
    const value = filled(template, args, (text) => text)
    // Beyond Latin-1 a header has no form that everybody reads; a line break would begin another one.
    if (value !== undefined && !/^[\x20-\x7e\xa0-\xff]*$/.test(value))
      throw new Problem('invalid', `The header ${name} cannot carry that.`)
    if (value !== undefined) headers[name.toLowerCase()] = value
  }
  if (spec.method !== 'GET' && spec.idempotencyHeader !== null) headers[spec.idempotencyHeader.toLowerCase()] = key
  for (const each of spec.auth) Object.assign(headers, authHeader(each, secretText))
  return headers
}

function authHeader(auth: HttpAuth, secretText: SecretText): Record<string, string> {
  switch (auth.type) {
    case 'bearer':
      return { authorization: `Bearer ${secretText(auth.secret)}` }
    case 'basic':
      return { authorization: `Basic ${Buffer.from(`${auth.user}:${secretText(auth.secret)}`).toString('base64')}` }
    case 'header':
      return { [auth.name.toLowerCase()]: `${auth.prefix}${secretText(auth.secret)}` }
    case 'query':
      return {}
  }
}
