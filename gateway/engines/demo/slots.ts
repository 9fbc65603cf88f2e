// Arguments of a tool, read out of a sentence by the tool's own JSON Schema. Nothing is invented: what was not said is
// left out, and what is required but was not said is asked for.

import { z } from 'zod'
import { colourIn, contentWords, rangeIn, singular, stem, timeIn, withDigits, wordsOf } from './words.ts'

const property = z.object({
  type: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .catch(undefined),
  enum: z.array(z.unknown()).optional().catch(undefined),
  description: z.string().optional().catch(undefined),
  format: z.string().optional().catch(undefined),
})
export type Property = z.output<typeof property>

const schema = z.object({
  properties: z.record(z.string(), property).optional().catch({}),
  required: z.array(z.string()).optional().catch([]),
})

export interface Slots {
  readonly args: Readonly<Record<string, unknown>>
  /** Required and not said. */
  readonly missing: readonly { readonly name: string; readonly property: Property }[]
  /** How many arguments carry a meaning of their own (not the free text). */
  readonly precise: number
}

export function propertiesOf(parameters: unknown): readonly (readonly [string, Property])[] {
  return Object.entries(schema.safeParse(parameters).data?.properties ?? {})
}

export function fillSlots(parameters: unknown, text: string): Slots {
  const known = schema.safeParse(parameters).data
  const properties = Object.entries(known?.properties ?? {})
  const said = withDigits(text)
  const args: Record<string, unknown> = {}
  let precise = 0
  for (const [name, prop] of properties) {
    if (isFreeText(name)) continue
    const value = slotOf(name, prop, said)
    if (value === undefined) continue
    args[name] = value
    precise++
  }
  for (const [name] of properties.filter(([name]) => isFreeText(name)).slice(0, 1)) {
    const rest = freeText(said, args)
    if (rest !== '') args[name] = rest
  }
  const required = new Set(known?.required)
  const missing = properties
    .filter(([name]) => required.has(name) && args[name] === undefined)
    .map(([name, prop]) => ({ name, property: prop }))
  return { args, missing, precise }
}

/** The answer to a question for exactly this argument: then the words themselves will do. */
export function slotAnswered(name: string, prop: Property, text: string): unknown {
  const said = withDigits(text)
  const value = slotOf(name, prop, said)
  if (value !== undefined) return value
  if (typesOf(prop).some((type) => type === 'number' || type === 'integer')) {
    const digits = /\d[\d,]*(?:\.\d+)?/.exec(said)?.[0]
    return digits === undefined ? undefined : Number(digits.replaceAll(',', ''))
  }
  return prop.enum === undefined && prop.format === undefined && !looksFor(name, prop, /e-?mail/)
    ? text.trim()
    : undefined
}

function slotOf(name: string, prop: Property, said: string): unknown {
  if (prop.enum !== undefined) return chosen(prop.enum, said)
  const types = typesOf(prop)
  if (types.includes('number') || types.includes('integer')) return numberSlot(name, prop, said)
  if (types.includes('boolean')) return booleanSlot(name, said)
  if (types.includes('string') || types.length === 0) return stringSlot(name, prop, said)
  return undefined
}

function chosen(options: readonly unknown[], said: string): unknown {
  const stems = new Set(wordsOf(said).map(stem))
  return options.find((option) => {
    const words = wordsOf(String(option).replace(/[_-]/g, ' '))
    return words.length > 0 && words.every((word) => stems.has(stem(word)))
  })
}

function numberSlot(name: string, prop: Property, said: string): number | undefined {
  const minor = /cents|minor|pence/i.test(name) ? 100 : 1
  const { min, max } = rangeIn(said)
  if (/^(?:limit|offset|page|skip|take|size|count|top)$/i.test(name)) {
    const first = /\b(?:top|first)\s+(\d{1,2})\b/i.exec(said)?.[1]
    return first === undefined ? undefined : Number(first)
  }
  if (looksFor(name, prop, /max|under|below|up ?to|at most|budget|highest/))
    return max === undefined ? undefined : max * minor
  if (looksFor(name, prop, /min|over|above|at least|lowest|from/)) return min === undefined ? undefined : min * minor
  if (looksFor(name, prop, /hour/)) return wholeHour(said)
  if (looksFor(name, prop, /quantity|amount|number of|people|guests|seats|party/)) {
    const digits = /\b(\d{1,3})\b(?!\s*(?:am|pm|:|o'clock|€|euros?|pounds?|dollars?))/i.exec(said)?.[1]
    return digits === undefined ? undefined : Number(digits)
  }
  return undefined
}

function wholeHour(said: string): number | undefined {
  const time = timeIn(said)
  return time === undefined ? undefined : Number(time.slice(0, 2))
}

function booleanSlot(name: string, said: string): boolean | undefined {
  const words = wordsOf(spaced(name)).filter((word) => word !== 'is' && word !== 'only')
  const stems = new Set(wordsOf(said).map(stem))
  return words.length > 0 && words.every((word) => stems.has(stem(word))) ? true : undefined
}

const email = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/
const phone = /\+?\d[\d ()-]{6,}\d/
const person = /\p{Lu}[\p{L}'-]+(?:\s+\p{Lu}[\p{L}'-]+)*/u
const isoDay = /\b\d{4}-\d{2}-\d{2}\b/

function stringSlot(name: string, prop: Property, said: string): string | undefined {
  if (looksFor(name, prop, /e-?mail/) || prop.format === 'email') return email.exec(said)?.[0]
  if (looksFor(name, undefined, /phone|mobile|tel\b/)) return phone.exec(said)?.[0]
  if (prop.format === 'date' || looksFor(name, undefined, /\bdate\b|\bday\b/)) return isoDay.exec(said)?.[0]
  if (looksFor(name, undefined, /colou?r/)) return colourIn(said)
  if (/^(?:at|time|hour|start|starts ?at|from)$/i.test(spaced(name)) || prop.format === 'time') return timeIn(said)
  if (looksFor(name, undefined, /speaker|person|presenter|host/)) return personIn(said)
  if (looksFor(name, undefined, /\bname\b/)) return personIn(said)
  return undefined
}

/** "by Ada Lovelace", "my name is Ada": capitals after a word that announces a person. */
function personIn(said: string): string | undefined {
  const after = new RegExp(String.raw`\b(?:by|is|does|with|about|i am|i'm|name is|when will)\s+(${person.source})`, 'u')
  const found = after.exec(said)?.[1]
  return found === undefined || /^(?:I|The|There|It)$/.test(found) ? undefined : found
}

export function isFreeText(name: string): boolean {
  return /^(?:q|query|text|search|search_?term|term|terms|keywords?|question|topic|phrase|message)$/i.test(name)
}

/** What is left to look for once prices, times and what other arguments took is gone. */
function freeText(said: string, args: Readonly<Record<string, unknown>>): string {
  const taken = new Set(Object.values(args).flatMap((value) => (typeof value === 'string' ? wordsOf(value) : [])))
  return contentWords(said)
    .filter((word) => !taken.has(word) && !/^\d/.test(word) && !fillers.has(word))
    .map(singular)
    .join(' ')
}

const fillers = new Set(
  `cheap cheaper cheapest price prices priced cost costs euro euros pound pounds dollar dollars budget max maximum minimum
   available stock sell offer option options buy interested product products item items number range average highest lowest
   expensive`.split(/\s+/),
)

function typesOf(prop: Property): readonly string[] {
  if (prop.type === undefined) return []
  return typeof prop.type === 'string' ? [prop.type] : prop.type
}

/** By its name first; by its description when the name is silent. */
function looksFor(name: string, prop: Property | undefined, pattern: RegExp): boolean {
  return pattern.test(spaced(name).toLowerCase()) || pattern.test(prop?.description?.toLowerCase() ?? '')
}

/** `maxPrice`, `max_price` → "max price". */
export function spaced(name: string): string {
  return name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/[._-]+/g, ' ')
    .toLowerCase()
    .trim()
}
