// The API as an OpenAPI 3.1 document, made of the route table. Pure: the same table gives the same document.

import { z } from 'zod'
import { type Door, type Route, route } from '../../platform/http.ts'
import { operationOf, tagOf, templateOf } from './operation.ts'
import { problemReply } from './problem-schemas.ts'
import { Components, type JsonSchema } from './schemas.ts'

export interface DocumentOf {
  readonly routes: readonly Route[]
  readonly doors: readonly Door[]
  readonly version: string
}

const securitySchemes = {
  apiKey: { type: 'http', scheme: 'bearer', description: 'An API key of the tenant: af_live_…' },
  visitor: { type: 'http', scheme: 'bearer', description: 'A visitor’s short-lived token, or a client secret.' },
  operator: { type: 'apiKey', in: 'cookie', name: 'parley_session', description: 'A person who signed in.' },
  csrf: { type: 'apiKey', in: 'header', name: 'x-parley-csrf', description: 'Comes with GET /v1/console/me.' },
}

const tenantParameter = {
  name: 'tenant',
  in: 'query',
  description: 'Slug of the tenant. An operator must choose one; with an API key it must be the key’s own.',
  schema: { type: 'string' },
}

export function openApi({ routes, doors, version }: DocumentOf): JsonSchema {
  const components = new Components()
  const paths: Record<string, Record<string, JsonSchema>> = {}
  const add = (path: string, method: string, operation: JsonSchema): void => {
    paths[path] = { ...paths[path], [method]: operation }
  }
  for (const each of routes) add(templateOf(each.path), each.method.toLowerCase(), operationOf(each, components))
  const problem = components.schema(problemReply, 'output')
  for (const each of doors) add(templateOf(each.path), 'get', doorOf(each, problem))
  const tags = new Set([...routes, ...doors].map(({ path }) => tagOf(path)))
  return {
    openapi: '3.1.0',
    info: {
      title: 'Parley',
      version,
      description: 'Voice and chat agents. Money is in micro-credits: a million are one credit.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    tags: [...tags].sort().map((name) => ({ name })),
    paths,
    components: { schemas: components.all(), securitySchemes, parameters: { tenant: tenantParameter } },
  }
}

function doorOf({ path, summary, access, subprotocols }: Door, problem: JsonSchema): JsonSchema {
  const parameters = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => ({
    ...{ name, in: 'path', required: true, schema: { type: 'string' } },
  }))
  return {
    operationId: `open${path.replaceAll(/[^a-z]+([a-z]?)/gi, (_all, next: string) => next.toUpperCase())}`,
    tags: [tagOf(path)],
    summary,
    'x-websocket': { subprotocols },
    security: access === 'visitor' ? [{ visitor: [] }, { apiKey: [] }] : [{ operator: [] }],
    parameters,
    responses: {
      '101': { description: 'A WebSocket; refusals are told over it, and by its close code.' },
      default: { description: 'Refused', content: { 'application/json': { schema: problem } } },
    },
  }
}

/** The document, and the route that serves it, which is in it. Made when it is first asked for. */
export function openApiRoutes(of: Omit<DocumentOf, 'routes'> & { readonly routes: readonly Route[] }): Route[] {
  let made: JsonSchema | undefined
  const own: Route[] = [
    route({
      method: 'GET',
      path: '/v1/openapi.json',
      access: 'public',
      summary: 'This document',
      reply: z.looseObject({ openapi: z.string(), paths: z.record(z.string(), z.unknown()) }),
      async run() {
        made ??= openApi({ ...of, routes: [...of.routes, ...own] })
        const headers = { 'cache-control': 'public, max-age=300', 'access-control-allow-origin': '*' }
        return { json: made, headers }
      },
    }),
  ]
  return own
}
