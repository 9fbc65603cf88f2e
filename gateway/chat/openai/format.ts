// Answers as JSON. No model is trusted with it: the words that ask for it are ours, and so is the look at what came.

import { Ajv } from 'ajv'
import { z } from 'zod'
import { unsupported, wrong } from './refusal.ts'

export type Format =
  | { readonly is: 'text' }
  | { readonly is: 'object' }
  | { readonly is: 'schema'; readonly schema: Readonly<Record<string, unknown>> }

const schemaFormat = z.object({ name: z.string().max(64), schema: z.record(z.string(), z.unknown()) })

/** Of both APIs; the schema is beside the type in one and below it in the other. */
export const formatField = z.looseObject({ type: z.string(), json_schema: z.unknown().optional() }).nullish()

export function formatIn(field: z.output<typeof formatField>, param: string): Format {
  if (field === null || field === undefined || field.type === 'text') return { is: 'text' }
  if (field.type === 'json_object') return { is: 'object' }
  if (field.type !== 'json_schema') throw unsupported(`${param}.type`, 'is text, json_object or json_schema')
  const read = schemaFormat.safeParse(field.json_schema ?? field)
  if (!read.success) throw wrong(param, 'The schema and its name are missing or wrong')
  const { schema } = read.data
  if (validator(schema) === undefined) throw wrong(param, 'This is no JSON Schema')
  return { is: 'schema', schema }
}

export function askingFor(format: Format): string {
  if (format.is === 'text') return ''
  const what =
    format.is === 'object' ? 'one JSON object' : `JSON that fits this schema: ${JSON.stringify(format.schema)}`
  return `Answer with ${what}, and with nothing before or after it.`
}

/** The JSON alone; undefined: the model did not do as it was asked. */
export function inFormat(text: string, format: Format): string | undefined {
  if (format.is === 'text') return text
  const inner = /```(?:json)?\s*([\s\S]*?)```/.exec(text)?.[1] ?? text
  try {
    const value: unknown = JSON.parse(inner)
    const fits =
      format.is === 'object' ? typeof value === 'object' && value !== null : validator(format.schema)?.(value)
    return fits === true ? inner.trim() : undefined
  } catch {
    return undefined
  }
}

function validator(schema: Readonly<Record<string, unknown>>): ((value: unknown) => boolean) | undefined {
  try {
    // `$id` would be remembered, and refused the second time.
    const { $id: _, $schema: __, ...own } = schema
    const validate = new Ajv({ strict: false, logger: false, validateFormats: false }).compile(own)
    return (value) => validate(value) === true
  } catch {
    return undefined
  }
}
