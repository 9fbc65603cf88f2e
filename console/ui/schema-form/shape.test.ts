import { expect, test } from 'vitest'
import { fieldsOf, labelOf } from './shape.ts'

const invoice = {
  type: 'object',
  required: ['contactId', 'lines'],
  properties: {
    contactId: { type: 'string', description: 'Of whom' },
    dueDate: { anyOf: [{ type: 'string', format: 'date' }, { type: 'null' }], description: 'Pay by' },
    currency: { type: 'string', enum: ['EUR', 'USD'] },
    lines: { type: 'array', items: { $ref: '#/$defs/line' } },
    tags: { type: 'array', items: { type: 'string' } },
    send: { type: ['boolean', 'null'] },
    address: { type: 'object', properties: { city: { type: 'string', title: 'Town' } } },
    extra: { type: 'object', additionalProperties: true },
  },
  $defs: { line: { type: 'object', properties: { text: { type: 'string' }, amountCents: { type: 'integer' } } } },
}

test('every property becomes a field of its kind, and what no field can carry becomes JSON', () => {
  const fields = fieldsOf(invoice)
  expect(fields.map(({ name, shape }) => [name, shape.is])).toEqual([
    ['contactId', 'text'],
    ['dueDate', 'text'],
    ['currency', 'choice'],
    ['lines', 'rows'],
    ['tags', 'texts'],
    ['send', 'switch'],
    ['address', 'group'],
    ['extra', 'json'],
  ])
  expect(fields.filter((each) => each.required).map((each) => each.name)).toEqual(['contactId', 'lines'])
  expect(fields[1]).toMatchObject({ hint: 'Pay by', shape: { format: 'date' } })
  expect(fields[3]?.shape).toMatchObject({ fields: [{ name: 'text' }, { label: 'Amount cents' }] })
  expect(fields[6]?.shape).toMatchObject({ fields: [{ label: 'Town' }] })
})

test('a schema that refers to itself ends as JSON', () => {
  const node = { type: 'object', properties: { name: { type: 'string' }, child: { $ref: '#/$defs/node' } } }
  const text = JSON.stringify(fieldsOf({ ...node, $defs: { node } }))
  expect(text).toContain('"json"')
  expect(fieldsOf({ type: 'object' })).toEqual([])
  expect(fieldsOf({ properties: { lost: { $ref: '#/$defs/none' } } })).toMatchObject([{ shape: { is: 'json' } }])
})

test('names are read as words', () => {
  expect(labelOf('contactId')).toBe('Contact id')
  expect(labelOf('due_date')).toBe('Due date')
})
