// Shapes of command arguments, and the Mongo error a wrong one becomes.
import { Long } from 'bson'
import { z } from 'zod'
import { type Doc, isNumeric, isPlain, MongoErr, num } from './value.ts'

export const docArg = z.custom<Doc>((value) => isPlain(value), 'an object was expected')
export const docsArg = z.array(docArg)
/** Any BSON number, as a JavaScript integer. */
export const integerArg = z
  .custom<unknown>((value) => isNumeric(value) && Number.isSafeInteger(num(value)), 'an integer was expected')
  .transform(num)
export const countArg = integerArg.refine((value) => value >= 0, 'the value must be >= 0')
/** Mongo takes numbers for booleans. */
export const flagArg = z
  .custom<unknown>((value) => typeof value === 'boolean' || isNumeric(value), 'a boolean was expected')
  .transform((value) => (typeof value === 'boolean' ? value : num(value) !== 0))
/** A 64-bit id: of a cursor, or a transaction number. */
export const longArg = z
  .custom<unknown>((value) => Long.isLong(value) || Number.isSafeInteger(value), 'a 64-bit integer was expected')
  .transform((value) => (Long.isLong(value) ? value.toBigInt() : BigInt(Number(value))))
export const nameArg = z.string()
/** Accepted and without effect. */
export const anyArg = z.unknown().optional()
export const hintArg = z.union([z.string(), docArg])
export type Hint = z.output<typeof hintArg>

/** Options Mongo has and this engine has not: said as such instead of "unknown field". */
const NOT_HERE = new Set(
  'collation tailable awaitData capped size max min viewOn pipeline timeseries validator clusteredIndex hidden weights'
    .split(' ')
    .concat(
      'default_language wildcardProjection storageEngine returnKey showRecordId encryptionInformation'.split(' '),
    ),
)

/** Parses `given` or throws Mongo's error: 40415 unknown field, 40414 missing field, 14 wrong type, 238 not here. */
export function parseArguments<S extends z.ZodType>(schema: S, given: unknown, command: string): z.output<S> {
  const result = schema.safeParse(given)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const path = [command, ...(issue?.path ?? [])].join('.')
  if (issue?.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? ''
    if (NOT_HERE.has(key)) throw new MongoErr(238, `'${path}.${key}' is not supported by the embedded store`)
    throw new MongoErr(40415, `BSON field '${path}.${key}' is an unknown field.`)
  }
  let value = given
  for (const part of issue?.path ?? []) value = isPlain(value) || Array.isArray(value) ? Reflect.get(value, part) : null
  if (value === undefined) throw new MongoErr(40414, `BSON field '${path}' is missing but a required field`)
  throw new MongoErr(14, `BSON field '${path}' has the wrong type or value: ${issue?.message ?? ''}`)
}
