import { expect, test } from 'vitest'
import { rowsOf, schemaOf } from './parameter-rows.ts'
import { emptyForm, formOf, toolOf, undescribed } from './tool-form.ts'

const schema = {
  type: 'object',
  properties: {
    order_id: { type: 'string', description: 'Of the order' },
    size: { type: 'string', enum: ['s', 'm'] },
    count: { type: 'integer' },
    tags: { type: 'array', items: { type: 'string' } },
  },
  required: ['order_id'],
  additionalProperties: false,
}
const tool = {
  ...{ name: 'order_status', description: 'Where an order is.', instructions: 'Ask for the number.', kind: 'http' },
  ...{ category: 'custom', readOnly: false, retry: 'keyed' as const, creditCostMicro: 20_000, timeoutMs: 5_000 },
  own: true,
  parameters: schema,
  spec: {
    ...{ method: 'POST', url: 'https://shop.example/orders/{order_id}', query: { size: '{size}' }, headers: {} },
    ...{ body: { count: '{count}', deep: ['{tags}'] }, bodyType: 'json', idempotencyHeader: 'Idempotency-Key' },
    auth: [{ type: 'header', name: 'x-key', prefix: 'Token ', secret: 'shop' }],
    response: { pick: { state: '/state' }, items: { at: '/lines', limit: 5, pick: { text: '/t' } } },
  },
}

test('a descriptor comes out of the form as it went in', () => {
  const { name: _, own: __, ...sent } = tool
  expect(toolOf(formOf(tool))).toEqual(sent)
})

test('what a table of arguments cannot say stays a schema, word for word', () => {
  expect(rowsOf(schema)?.map((row) => [row.name, row.type, row.required])).toEqual([
    ['order_id', 'text', true],
    ['size', 'choice', false],
    ['count', 'integer', false],
    ['tags', 'texts', false],
  ])
  for (const more of [
    { ...schema, properties: { ...schema.properties, size: { type: 'string', maxLength: 3 } } },
    { ...schema, properties: { nested: { type: 'object', properties: {} } } },
    { ...schema, additionalProperties: true },
    { ...schema, anyOf: [] },
  ])
    expect(formOf({ ...tool, parameters: more }).parameters).toEqual({ is: 'schema', schema: more })
  expect(rowsOf({})).toEqual([])
  expect(schemaOf([])).toEqual({ type: 'object', properties: {}, additionalProperties: false })
})

test('arguments that the request names and nobody described are found everywhere in it', () => {
  const form = formOf(tool)
  expect(undescribed(form)).toEqual([])
  expect(
    undescribed({
      ...form,
      url: 'https://shop.example/{a}',
      headers: [{ name: 'x-b', value: '{b}' }],
      body: { c: ['{c}'], count: '{count}' },
    }),
  ).toEqual(['a', 'b', 'c'])
})

test('a request that only reads has no body, and an empty form says what is needed', () => {
  expect(toolOf({ ...formOf(tool), method: 'GET' }).spec).not.toHaveProperty('body')
  expect(toolOf(emptyForm)).toMatchObject({ kind: 'http', readOnly: true, spec: { method: 'GET', auth: [] } })
})
