import { Ajv2020 } from 'ajv/dist/2020.js'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ApiDocument, type Operation, resourcesOf } from '../../api-docs/document.ts'
import { examplesOf } from '../../api-docs/examples.ts'
import { sampleBody } from '../../api-docs/sample.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

let gateway: TestGateway
let api: ApiDocument
let operations: readonly Operation[]
beforeAll(async () => {
  gateway = await startGateway()
  api = (await gateway.get('/v1/openapi.json')).body as ApiDocument
  operations = resourcesOf(api).flatMap((each) => each.operations)
})
afterAll(() => gateway[Symbol.asyncDispose]())

test('the body of every example is one that the operation takes', () => {
  const known = api.components.schemas
  const ajv = new Ajv2020({ strict: false, allErrors: true, formats: fullFormats })
  const wrong = operations.flatMap(({ id, body }) => {
    const schema = body?.content['application/json']?.schema
    if (schema === undefined) return []
    const check = ajv.compile({ ...schema, components: { schemas: known } })
    return [false, true]
      .map((stream) => sampleBody(schema, known, stream))
      .filter((sample) => !check(sample))
      .map((sample) => `${id}: ${JSON.stringify(sample)} ${ajv.errorsText(check.errors)}`)
  })
  expect(wrong).toEqual([])
})

test('every example of JavaScript can be parsed, and every operation has one', () => {
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor
  for (const operation of operations) {
    const all = examplesOf({ operation, known: api.components.schemas, origin: 'https://parley.example.com' })
    const scripts = all.filter(({ name }) => !name.startsWith('curl'))
    expect(scripts.length, operation.id).toBeGreaterThan(0)
    for (const { text } of scripts) expect(() => new AsyncFunction(text), `${operation.id}\n${text}`).not.toThrow()
  }
})

test('the fetch example does what it says, with a key in place of the placeholder', async () => {
  const operation = operations.find(({ id }) => id === 'POST-/v1/events')
  if (operation === undefined) throw new Error('no such operation')
  const of = { operation, known: api.components.schemas, origin: gateway.url }
  const text = examplesOf(of)
    .find(({ name }) => name === 'fetch')
    ?.text.replace('af_live_YOUR_KEY', gateway.apiKey)
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor
  expect(await new AsyncFunction(`${text}\nreturn response.status`)()).toBe(201)
})
