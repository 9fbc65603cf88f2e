import { Validator } from '@seriousme/openapi-schema-validator'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { type Route, route } from '../../platform/http.ts'
import { openApi } from './openapi.ts'

const view = z.strictObject({ id: z.string(), at: z.iso.datetime() }).meta({ id: 'Thing' })
const run = async () => ({})
const routes: Route[] = [
  route({
    ...{ method: 'GET', path: '/v1/things', access: 'agents.read', summary: 'Things.' },
    query: z.strictObject({ limit: z.coerce.number().int().min(1).default(5), name: z.string().max(9).optional() }),
    reply: z.strictObject({ items: z.array(view) }),
    replies: [{ type: 'text/csv' }, { type: 'text/event-stream', schema: view }],
    run,
  }),
  route({
    ...{ method: 'PATCH', path: '/v1/things/:id', access: 'agents.write', summary: 'Changes one' },
    params: z.object({ id: z.string().max(64) }),
    body: z.strictObject({ name: z.string() }),
    reply: view,
    run,
  }),
  route({
    ...{ method: 'POST', path: '/v1/calls', access: 'public', summary: 'A call', stock: true, raw: true },
    accepts: ['application/sdp'],
    body: z.unknown(),
    replies: [{ type: 'application/sdp', status: 201 }],
    run,
  }),
  route({ method: 'POST', path: '/v1/console/sign-out', access: 'operator', summary: 'Ends it', run }),
]
const doors = [{ path: '/v1/door/:id', summary: 'A socket', access: 'visitor', subprotocols: ['a'] }] as const
const json = z.record(z.string(), z.unknown())
const at = (value: unknown, ...keys: string[]): unknown => keys.reduce((each, key) => json.parse(each)[key], value)
const document = openApi({ routes, doors, version: '1.2.3' })

test('a route table becomes a valid OpenAPI 3.1 document', async () => {
  expect(await new Validator().validate(structuredClone({ ...document }))).toMatchObject({ valid: true })
  expect(at(document, 'components', 'schemas', 'Thing')).toMatchObject({ required: ['id', 'at'] })
})

test('an operation says what it takes, what it needs, what it gives and how it refuses', () => {
  const list = at(document, 'paths', '/v1/things', 'get')
  expect(list).toMatchObject({
    operationId: 'getThings',
    'x-ability': 'agents.read',
    security: [{ apiKey: [] }, { operator: [] }],
    parameters: [
      { $ref: '#/components/parameters/tenant' },
      { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, default: 5 } },
      { name: 'name', in: 'query', schema: { type: 'string', maxLength: 9 } },
    ],
  })
  expect(Object.keys(json.parse(at(list, 'responses', '200', 'content')))).toEqual([
    ...['application/json', 'text/csv', 'text/event-stream'],
  ])
  expect(at(document, 'paths', '/v1/things/{id}', 'patch')).toMatchObject({
    security: [{ apiKey: [] }, { operator: [], csrf: [] }],
    requestBody: { required: true },
    responses: {
      200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } } },
      404: {},
    },
  })
  expect(at(document, 'paths', '/v1/calls', 'post')).toMatchObject({
    security: [{ visitor: [] }, { apiKey: [] }],
    requestBody: { content: { 'application/sdp': {} } },
    responses: {
      201: {},
      default: { content: { 'application/json': { schema: { $ref: '#/components/schemas/StockProblem' } } } },
    },
  })
  expect(at(document, 'paths', '/v1/console/sign-out', 'post')).toMatchObject({
    security: [{ operator: [], csrf: [] }],
    responses: { 204: {} },
  })
  expect(at(document, 'paths', '/v1/door/{id}', 'get')).toMatchObject({ 'x-websocket': { subprotocols: ['a'] } })
})

test('what is read and what is sent under one name are two components where they differ', () => {
  const both = z.strictObject({ n: z.number().default(1) }).meta({ id: 'Both' })
  const made = openApi({
    routes: [
      route({ method: 'PUT', path: '/v1/a', access: 'agents.write', summary: 'a', reply: both, body: both, run }),
      route({ method: 'PUT', path: '/v1/b', access: 'agents.write', summary: 'b', reply: both, body: both, run }),
    ],
    doors: [],
    version: '1',
  })
  const schemas = json.parse(at(made, 'components', 'schemas'))
  expect(schemas.Both).toMatchObject({ required: ['n'] })
  expect(schemas.BothInput).not.toHaveProperty('required')
})
