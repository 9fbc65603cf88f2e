import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readClientMessage } from '../../../test/harness/scripted-gemini-wire.ts'
import { setup } from './commands.ts'
import { parametersOf } from './schema.ts'

const brief = {
  instructions: '',
  voice: '',
  language: 'en',
  model: '',
  tools: [],
  outputModality: 'audio',
  turnDetection: 'server_vad',
  history: [],
} as const

/** What the strict wire says to a tool of these arguments. */
function taken(parameters: Readonly<Record<string, unknown>>): unknown {
  const tools = [{ name: 'a_tool', description: 'Does it.', parameters }]
  const facts = { model: 'gemini-3.8-live', handle: undefined, detects: false, seeded: false }
  const read = readClientMessage(JSON.stringify(setup({ ...brief, tools }, facts)))
  return typeof read === 'string' ? read : 'taken'
}

it('says of arguments what the wire has words for, and leaves the rest out', () => {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    additionalProperties: false,
    required: ['query', 'unknown'],
    properties: {
      query: { type: 'string', description: 'Words.', minLength: 1, format: 'uri', default: 'x' },
      when: { type: ['string', 'null'], format: 'date-time' },
      colour: { enum: ['red', 'blue'] },
      size: { type: 'integer', enum: [1, 2], minimum: 1, exclusiveMaximum: 9 },
      tags: { type: 'array', items: { $ref: '#/$defs/tag' }, maxItems: 3 },
      price: { anyOf: [{ type: 'number' }, { type: 'null' }], description: 'In euros.' },
      either: { oneOf: [{ type: 'string' }, { type: 'boolean' }] },
      only: { const: 'this' },
    },
    $defs: { tag: { type: 'string', title: 'Tag' } },
  }
  expect(parametersOf(schema)).toEqual({
    type: 'OBJECT',
    required: ['query'],
    properties: {
      query: { type: 'STRING', description: 'Words.', minLength: '1' },
      when: { type: 'STRING', nullable: true, format: 'date-time' },
      colour: { type: 'STRING', enum: ['red', 'blue'] },
      size: { type: 'INTEGER', minimum: 1 },
      tags: { type: 'ARRAY', items: { type: 'STRING', title: 'Tag' }, maxItems: '3' },
      price: { type: 'NUMBER', nullable: true, description: 'In euros.' },
      either: { anyOf: [{ type: 'STRING' }, { type: 'BOOLEAN' }] },
      only: { type: 'STRING', enum: ['this'] },
    },
  })
  expect(taken(schema)).toBe('taken')
})

it('has no parameters where there are none, and ends where a schema refers to itself', () => {
  expect(parametersOf({ type: 'object', properties: {} })).toBeUndefined()
  expect(parametersOf({})).toBeUndefined()
  const endless = { type: 'object', properties: { next: { $ref: '#' }, self: { $ref: '#/properties/self' } } }
  expect(taken(endless)).toBe('taken')
  const wide = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, { $ref: '#' }]))
  expect(JSON.stringify(parametersOf({ type: 'object', properties: wide })).length).toBeLessThan(100_000)
})

it('makes of any schema something that the provider takes', () => {
  const type = fc.constantFrom(
    'string',
    'number',
    'integer',
    'boolean',
    'array',
    'object',
    'null',
    'strange',
    undefined,
  )
  const { schema } = fc.letrec((tie) => ({
    inner: fc.oneof({ maxDepth: 4, depthSize: 'small' }, fc.constant({ type: 'string' }), tie('schema')),
    schema: fc.record(
      {
        type: fc.oneof(type, fc.array(type, { maxLength: 3 })),
        description: fc.oneof(fc.string(), fc.integer()),
        enum: fc.array(fc.oneof(fc.string(), fc.integer()), { maxLength: 3 }),
        minLength: fc.oneof(fc.nat(), fc.string()),
        maximum: fc.oneof(fc.integer(), fc.string()),
        format: fc.constantFrom('date-time', 'uri', 'int32', 'double'),
        required: fc.array(fc.constantFrom('a', 'b', 'c', '__proto__')),
        additionalProperties: fc.boolean(),
        items: tie('inner'),
        properties: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(tie('inner'), fc.anything())),
        anyOf: fc.array(tie('inner'), { maxLength: 2 }),
        $ref: fc.constantFrom('#', '#/properties/a', '#/nowhere', '#/__proto__'),
      },
      { requiredKeys: [] },
    ),
  }))
  fc.assert(
    fc.property(schema, (value) => {
      expect(taken({ ...(value as object), type: 'object' })).toBe('taken')
    }),
  )
})
