import { describe, expect, test } from 'vitest'
import { asTenantId } from '../../platform/ids.ts'
import { type DraftModels, draftFromSentence } from './draft.ts'
import { draftsFrom } from './openapi.ts'
import { parseSpec } from './spec.ts'

const document = {
  openapi: '3.1.0',
  servers: [{ url: 'https://{region}.shop.example.com/v2/', variables: { region: { default: 'eu' } } }],
  security: [{ 'api key': [] }],
  components: {
    securitySchemes: { 'api key': { type: 'apiKey', in: 'header', name: 'X-Key' }, oauth: { type: 'oauth2' } },
    parameters: { Page: { in: 'query', name: 'page', schema: { type: 'integer', format: 'int32' } } },
    schemas: {
      Order: {
        type: 'object',
        required: ['sku'],
        properties: {
          sku: { type: 'string', description: 'What' },
          'odd-name': { type: 'string', xml: { name: 'x' } },
          id: { type: 'string' },
          parent: { $ref: '#/components/schemas/Order' },
          lines: { type: 'array', items: { type: 'object', properties: { n: { type: 'integer' } } } },
        },
      },
    },
  },
  paths: {
    '/orders/{id}': {
      parameters: [{ in: 'path', name: 'id', schema: { type: 'string' } }],
      get: {
        operationId: 'getOrder',
        summary: 'Finds an order.',
        parameters: [{ $ref: '#/components/parameters/Page' }, { in: 'header', name: 'Accept' }],
      },
      post: {
        summary: 'Changes an order.',
        security: [{ oauth: [] }],
        requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Order' } } } },
      },
    },
  },
}

describe('[S002-4] an OpenAPI document', () => {
  test('gives a descriptor per operation, the same every time, that can be saved', () => {
    const drafts = draftsFrom(document, {})
    expect(drafts).toEqual(draftsFrom(document, {}))
    for (const { descriptor } of drafts) parseSpec(descriptor.spec, descriptor.parameters)
    const [read, change] = drafts
    expect(read).toMatchObject({
      descriptor: {
        ...{ name: 'get_order', description: 'Finds an order.', readOnly: true },
        parameters: { properties: { id: { type: 'string' }, page: { type: 'integer' } }, required: ['id'] },
        spec: {
          ...{
            method: 'GET',
            url: 'https://eu.shop.example.com/v2/orders/{id}',
            query: { page: '{page}' },
            headers: {},
          },
          auth: [{ type: 'header', name: 'X-Key', secret: 'api_key' }],
        },
      },
      notes: ['Set the secret api_key.'],
    })
    expect(change?.descriptor).toMatchObject({
      ...{ name: 'post_orders_id', readOnly: false },
      parameters: { required: ['id', 'sku'] },
      spec: {
        auth: [{ type: 'bearer', secret: 'oauth' }],
        body: { sku: '{sku}', 'odd-name': '{odd_name}', id: '{body_id}', parent: '{parent}', lines: '{lines}' },
      },
    })
  })

  test('is asked for one operation by its id or by method and path', () => {
    expect(draftsFrom(document, { operation: 'getOrder' })).toHaveLength(1)
    expect(draftsFrom(document, { operation: 'POST /orders/{id}' })).toHaveLength(1)
    expect(draftsFrom(document, { operation: 'nothing' })).toEqual([])
  })

  test.each<[string, Record<string, unknown>]>([
    ['nothing', {}],
    ['paths that are none', { paths: [1, 'x', null] }],
    ['operations that are none', { paths: { '/x': { get: 7, post: null } } }],
    ['references in a circle', { paths: { '/x': { get: { parameters: [{ $ref: '#/a' }] } } }, a: { $ref: '#/a' } }],
    ['a reference outside', { paths: { '/x': { get: { requestBody: { $ref: 'https://evil.example/x' } } } } }],
    ['a host with a hole', { paths: { '/x': { get: { summary: 'X' } } }, servers: [{ url: 'https://{h}' }] }],
    [
      'a server that is no web server',
      { paths: { '/x': { get: { summary: 'X' } } }, servers: [{ url: 'file:///etc' }] },
    ],
    ['a name from a prototype', { paths: { '/x': { get: { parameters: [{ in: 'query', name: '__proto__' }] } } } }],
  ])('with %s breaks nothing', (_name, given) => {
    for (const { descriptor } of draftsFrom(given, {})) parseSpec(descriptor.spec, descriptor.parameters)
  })
})

function modelsOf(...answers: readonly string[]): DraftModels & { readonly asked: string[] } {
  const asked: string[] = []
  const model = { provider: 'x', model: 'm', name: 'x:m', demo: answers.length === 0, answer: async function* () {} }
  return {
    asked,
    chain: () => [model],
    failure: () => undefined,
    async *ask(_models, prompt) {
      asked.push(JSON.stringify(prompt.messages))
      yield { is: 'text', delta: answers[asked.length - 1] ?? '' }
    },
  }
}

const wanted = (sentence: string, url?: string) => ({
  ...{ tenantId: asTenantId('ten_a'), sentence, url, signal: AbortSignal.timeout(5_000) },
})
const good = JSON.stringify({
  ...{ name: 'weather', description: 'The weather of a city.', readOnly: true },
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
  spec: { url: 'https://api.example.com/w?q={city}', auth: [{ type: 'bearer', secret: 'weather_key' }] },
})

describe('[S002-4] a sentence', () => {
  test('becomes a descriptor by the model, checked by the schema that saving has', async () => {
    const draft = await draftFromSentence(
      modelsOf(`Here it is:\n\`\`\`json\n${good}\n\`\`\``),
      wanted('weather of a city'),
    )
    expect(draft).toMatchObject({
      descriptor: { name: 'weather', kind: 'http', spec: { method: 'GET', url: 'https://api.example.com/w?q={city}' } },
      notes: ['Set the secret weather_key.'],
    })
  })

  test('that the model got wrong is asked once more with what was wrong, then given up', async () => {
    const bad = good.replace('api.example.com', '{host}')
    const models = modelsOf(bad, good)
    expect((await draftFromSentence(models, wanted('weather'))).descriptor.name).toBe('weather')
    expect(models.asked[1]).toContain('without placeholders')
    await expect(draftFromSentence(modelsOf(bad, 'no json'), wanted('weather'))).rejects.toMatchObject({
      code: 'invalid',
    })
    await expect(draftFromSentence(modelsOf(good.replace('{city}', '{town}'), ''), wanted('x'))).rejects.toMatchObject({
      code: 'invalid',
    })
  })

  test('without a model is drafted of its address, and refused without one', async () => {
    const sentence = 'Find items in stock: https://api.example.com/items?q=x&page=1.'
    expect(await draftFromSentence(modelsOf(), wanted(sentence))).toMatchObject({
      descriptor: {
        ...{ name: 'find_items_in_stock', readOnly: true },
        parameters: { properties: { q: {}, page: {} } },
        spec: { url: 'https://api.example.com/items', query: { q: '{q}', page: '{page}' } },
      },
    })
    expect(
      (await draftFromSentence(modelsOf(), wanted('items', 'https://api.example.com/'))).descriptor.spec,
    ).toBeDefined()
    await expect(draftFromSentence(modelsOf(), wanted('find items in stock'))).rejects.toMatchObject({
      code: 'unsupported',
    })
  })
})
