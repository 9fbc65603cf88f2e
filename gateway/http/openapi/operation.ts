// One route as one operation of the document.

import type { OtherReply, Route } from '../../platform/http.ts'
import { repliesOf } from '../check-reply.ts'
import { problemReply, stockProblemReply } from './problem-schemas.ts'
import type { Components, JsonSchema } from './schemas.ts'

/** `/v1/sessions/:id` → `/v1/sessions/{id}` */
export function templateOf(path: string): string {
  return path.replaceAll(/:(\w+)/g, '{$1}')
}

export function operationOf(route: Route, components: Components): JsonSchema {
  const { access } = route
  const needs = access === 'public' || access === 'operator' ? {} : { 'x-ability': access }
  const body = bodyOf(route, components)
  return {
    operationId: operationId(route),
    tags: [tagOf(route.path)],
    summary: route.summary.replace(/\.$/, ''),
    ...needs,
    security: securityOf(route),
    parameters: [...pathParameters(route, components), ...scope(route), ...queryParameters(route, components)],
    ...(body === undefined ? {} : { requestBody: body }),
    responses: responsesOf(route, components),
  }
}

function operationId({ method, path }: Route): string {
  const words = path.replace(/^\/v1\//, '').match(/:?[A-Za-z]+/g) ?? []
  const named = words.map((word) => (word.startsWith(':') ? `By${upper(word.slice(1))}` : upper(word)))
  return `${method.toLowerCase()}${named.join('')}`
}

const upper = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

/** The first part of the path that says what it is about. */
export function tagOf(path: string): string {
  return path.replace(/^\/(v1\/)?/, '').split(/[/.]/)[0] ?? ''
}

function securityOf({ access, method, stock, visitors }: Route): readonly JsonSchema[] {
  const operator = method === 'GET' ? { operator: [] } : { operator: [], csrf: [] }
  // A door of the original's API reads the credential itself.
  if (access === 'public') return stock === true ? [{ visitor: [] }, { apiKey: [] }] : []
  if (access === 'operator') return [operator]
  return [{ apiKey: [] }, operator, ...(visitors === true ? [{ visitor: [] }] : [])]
}

function pathParameters(route: Route, components: Components): readonly JsonSchema[] {
  const shape = route.params === undefined ? {} : propertiesOf(components.schema(route.params, 'input'))
  return [...route.path.matchAll(/:(\w+)/g)].map(([, name = '']) => ({
    ...{ name, in: 'path', required: true },
    schema: shape[name] ?? { type: 'string' },
  }))
}

/** For a key it must match, for an operator it chooses. */
function scope({ access }: Route): readonly JsonSchema[] {
  if (access === 'public' || access === 'operator') return []
  return [{ $ref: '#/components/parameters/tenant' }]
}

function queryParameters(route: Route, components: Components): readonly JsonSchema[] {
  if (route.query === undefined) return []
  const schema = components.schema(route.query, 'input')
  const required = Array.isArray(schema.required) ? schema.required : []
  const named = Object.entries(propertiesOf(schema)).map(([name, each]) => {
    const { description, ...rest } = each
    const told = typeof description === 'string' ? { description } : {}
    return { name, in: 'query', ...(required.includes(name) ? { required: true } : {}), ...told, schema: rest }
  })
  if (schema.additionalProperties === false || schema.additionalProperties === undefined) return named
  const free = { type: 'object', additionalProperties: { type: 'string' } }
  return [...named, { name: 'more', in: 'query', style: 'form', explode: true, schema: free }]
}

function propertiesOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  const { properties } = schema
  return typeof properties === 'object' && properties !== null ? { ...properties } : {}
}

function bodyOf(route: Route, components: Components): JsonSchema | undefined {
  if (route.body === undefined) return undefined
  if (route.raw === true) {
    const types = route.accepts ?? ['application/octet-stream']
    return { required: true, content: Object.fromEntries(types.map((type) => [type, {}])) }
  }
  const schema = components.schema(route.body, 'input')
  // No body at all is read as {}.
  const required = Array.isArray(schema.required) && schema.required.length > 0
  return { ...(required ? { required: true } : {}), content: { 'application/json': { schema } } }
}

function responsesOf(route: Route, components: Components): JsonSchema {
  const responses: Record<string, { description: string; content?: Record<string, JsonSchema> }> = {}
  for (const reply of repliesOf(route)) {
    const known = responses[String(reply.status)]
    const content = { ...known?.content, [reply.type]: mediaOf(reply, components) }
    responses[String(reply.status)] = { description: reply.status < 400 ? 'Done' : 'Not now', content }
  }
  if (repliesOf(route).length === 0) responses[String(route.status ?? 204)] = { description: 'Done' }
  const schema = components.schema(route.stock === true ? stockProblemReply : problemReply, 'output')
  const refused = { description: 'Refused', content: { 'application/json': { schema } } }
  for (const status of refusals(route)) responses[status] ??= refused
  return { ...responses, default: refused }
}

function mediaOf({ type, schema }: OtherReply, components: Components): JsonSchema {
  if (schema === undefined) return type === 'application/json' ? {} : { schema: { type: 'string' } }
  const inner = components.schema(schema, 'output')
  if (type === 'application/json') return { schema: inner }
  // A stream of such: OpenAPI 3.1 has no word for the items of one.
  return { schema: { type: 'string' }, 'x-item-schema': inner }
}

/** What a caller must reckon with whatever the route does; the rest is `default`. */
function refusals({ access, params, query, body }: Route): readonly string[] {
  return [
    ...(params === undefined && query === undefined && body === undefined ? [] : ['400']),
    ...(access === 'public' ? [] : ['401', '403']),
    ...(params === undefined ? [] : ['404']),
    ...(body === undefined ? [] : ['413']),
    '429',
  ]
}
