// Whether what was filled in fits a form. Pure. Values are written by a model, from what a person said: what clearly means a
// number, a date or one of the choices is taken for it, anything else is told.

import { z } from 'zod'

export interface FormField {
  readonly name: string
  readonly label?: string | undefined
  readonly type: 'text' | 'email' | 'phone' | 'number' | 'boolean' | 'date' | 'choice'
  readonly required: boolean
  readonly choices?: readonly string[] | undefined
}

export type Answers =
  | { readonly is: 'fit'; readonly values: Readonly<Record<string, string | number | boolean>> }
  | { readonly is: 'unfit'; readonly issues: readonly { readonly path: string; readonly message: string }[] }

export function answersTo(fields: readonly FormField[], given: Readonly<Record<string, unknown>>): Answers {
  const known = new Map(fields.map((each) => [each.name, each]))
  const strange = Object.keys(given).filter((name) => !known.has(name))
  const issues = strange.map((name) => ({ path: `values.${name.slice(0, 60)}`, message: 'the form has no such field' }))
  const values: [string, string | number | boolean][] = []
  for (const field of fields) {
    const value = Object.hasOwn(given, field.name) ? given[field.name] : undefined
    if (isEmpty(value)) {
      if (field.required) issues.push({ path: `values.${field.name}`, message: 'is required' })
      continue
    }
    const read = schemaOf(field).safeParse(value)
    if (read.success) values.push([field.name, read.data])
    else issues.push({ path: `values.${field.name}`, message: read.error.issues[0]?.message ?? 'does not fit' })
  }
  return issues.length > 0 ? { is: 'unfit', issues } : { is: 'fit', values: Object.fromEntries(values) }
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === 'string' && value.trim() === '')

const text = z.string().trim().max(4_000)

function schemaOf({ type, choices = [] }: FormField): z.ZodType<string | number | boolean> {
  if (type === 'number')
    return z.preprocess((value) => (typeof value === 'string' ? Number(value.trim()) : value), z.number('a number'))
  if (type === 'boolean')
    return z.preprocess(
      (value) => new Map(words).get(String(value).trim().toLowerCase()) ?? value,
      z.boolean('yes or no'),
    )
  if (type === 'date') return text.pipe(z.iso.date('a date as YYYY-MM-DD'))
  if (type === 'email') return text.pipe(z.email('an e-mail address').max(254))
  if (type === 'phone') return text.pipe(z.string().regex(/^\+?[\d\s()./-]{5,40}$/, 'a phone number'))
  if (type === 'choice')
    return text.transform((value, context) => {
      const found = choices.find((each) => each.toLowerCase() === value.toLowerCase())
      if (found !== undefined) return found
      context.addIssue({ code: 'custom', message: `one of ${choices.join(', ')}` })
      return z.NEVER
    })
  return z.union([text, z.number().transform(String), z.boolean().transform(String)], 'a text')
}

const words: readonly (readonly [string, boolean])[] = [
  ...(['true', 'yes', 'ja', 'y'] as const).map((each) => [each, true] as const),
  ...(['false', 'no', 'nein', 'n'] as const).map((each) => [each, false] as const),
]
