// Schemas in words: what a value is, and its bounds.

import { type Known, nameOf, resolved, type Schema } from './document.ts'

const isNull = (schema: Schema): boolean => schema.type === 'null'

/** Alternatives of a union; undefined for anything else. */
export function alternatives(schema: Schema): readonly Schema[] | undefined {
  return schema.anyOf ?? schema.oneOf
}

/** Without the reference and without `or null`: what has parts to show. */
export function core(schema: Schema, known: Known): Schema {
  const own = resolved(schema, known)
  const some = alternatives(own)?.filter((each) => !isNull(each))
  return some?.length === 1 && some[0] !== undefined ? core(some[0], known) : own
}

/** `array of Agent`, `string or null`, `"draft" | "live"` is left to the list of values. */
export function typeText(schema: Schema): string {
  if (schema.$ref !== undefined) return nameOf(schema.$ref)
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  const union = alternatives(schema)
  if (union !== undefined) return unionText(union)
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? [])
  if (types.length === 0) return schema.properties === undefined ? 'anything' : 'object'
  return types.map((type) => plainText(schema, type)).join(' or ')
}

function unionText(union: readonly Schema[]): string {
  const texts = [...new Set(union.map(typeText))]
  const known = texts.filter((text) => text !== 'null')
  const told = known.length > 4 ? [`one of ${known.length}`] : known
  return [...told, ...(texts.includes('null') ? ['null'] : [])].join(' or ')
}

function plainText(schema: Schema, type: string): string {
  if (type === 'array') return schema.items === undefined ? 'array' : `array of ${typeText(schema.items)}`
  if (type === 'object' && schema.properties === undefined && typeof schema.additionalProperties === 'object') {
    const value = typeText(schema.additionalProperties)
    return value === 'anything' ? 'object' : `object of ${value}`
  }
  return schema.format === undefined ? type : `${type} (${schema.format})`
}

/** `1 to 80 characters`, `at least 0`, `matches ^…$`: one text per bound. */
export function bounds(schema: Schema): readonly string[] {
  return [
    range(schema.minLength, schema.maxLength, ' characters'),
    range(schema.minItems, schema.maxItems, ' items'),
    range(schema.minimum, schema.maximum, ''),
    schema.exclusiveMinimum === undefined ? '' : `more than ${schema.exclusiveMinimum}`,
    schema.exclusiveMaximum === undefined ? '' : `less than ${schema.exclusiveMaximum}`,
    schema.multipleOf === undefined ? '' : `a multiple of ${schema.multipleOf}`,
    schema.uniqueItems === true ? 'no item twice' : '',
    schema.pattern === undefined ? '' : `matches ${schema.pattern}`,
    schema.propertyNames?.pattern === undefined ? '' : `names match ${schema.propertyNames.pattern}`,
  ].filter((text) => text !== '')
}

function range(least: number | undefined, most: number | undefined, unit: string): string {
  if (least === undefined || (least === 0 && unit !== '')) return most === undefined ? '' : `at most ${most}${unit}`
  if (most === undefined) return `at least ${least}${unit}`
  return least === most ? `${least}${unit}` : `${least} to ${most}${unit}`
}

/** Values of a closed list, of the schema or of the items of a list. */
export function choices(schema: Schema, known: Known): readonly string[] {
  const own = core(schema, known)
  const values = own.enum ?? (own.items === undefined ? undefined : resolved(own.items, known).enum)
  return (values ?? []).map((each) => (typeof each === 'string' ? each : JSON.stringify(each)))
}
