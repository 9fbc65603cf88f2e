// A tool's JSON as a sentence somebody would say. Works on shapes, not on tools: lists of things, a thing, some figures.

import { z } from 'zod'
import { spaced } from './slots.ts'
import { stem, stemsOf, wordsOf } from './words.ts'

type Thing = Readonly<Record<string, unknown>>

/** More than three things in a row nobody remembers. */
const named = 3
const longestText = 320

export function describeResult(output: string, question: string): string {
  const value = parsed(output)
  if (typeof value === 'string') return value.trim() === '' ? 'That is done.' : shortened(value)
  if (Array.isArray(value)) return describeList(value, { question, total: value.length })
  if (!isThing(value)) return value == null ? nothing : `The answer is ${String(value)}.`
  const failed = failureOf(value)
  if (failed !== undefined) return `I could not look that up: ${failed}`
  const list = listOf(value)
  if (list === undefined) return describeThing(inner(value), question)
  return describeList(list, { question, total: totalOf(value) ?? list.length })
}

const nothing = 'I looked, but found nothing that fits.'

function parsed(output: string): unknown {
  try {
    return JSON.parse(output)
  } catch {
    return output
  }
}

const failure = z.object({ error: z.union([z.string(), z.object({ message: z.string() })]) })

function failureOf(value: Thing): string | undefined {
  const error = failure.safeParse(value).data?.error
  const text = typeof error === 'string' ? error : error?.message
  return text === undefined ? undefined : sentence(text)
}

/** `{ event: {…} }`, `{ result: {…} }`: a wrapper with one thing in it is that thing. */
function inner(value: Thing): Thing {
  const entries = Object.values(value)
  const [only] = entries
  return entries.length === 1 && isThing(only) ? inner(only) : value
}

/** Things that are the answer, not an aside of it: figures with a breakdown stay figures. */
function listOf(value: Thing): readonly unknown[] | undefined {
  const figures = Object.entries(value).filter(([key, each]) => typeof each === 'number' && !isTotal(key))
  if (figures.length > 0 && !('items' in value) && !('results' in value)) return undefined
  const lists = Object.entries(value).filter(([, each]) => Array.isArray(each))
  const [key, list] = lists.find(([, each]) => Array.isArray(each) && each.some(isThing)) ?? lists[0] ?? []
  if (key === undefined || !Array.isArray(list)) return undefined
  // A thing with a name and a list of tags is a thing.
  return labelOf(value) !== undefined ? undefined : list
}

function totalOf(value: Thing): number | undefined {
  const [, total] = Object.entries(value).find(([key, each]) => isTotal(key) && typeof each === 'number') ?? []
  return typeof total === 'number' ? total : undefined
}

const isTotal = (key: string) => /^(?:count|total|total_?count|matches|found|omitted)$/i.test(key)

function describeList(
  list: readonly unknown[],
  { question, total }: { readonly question: string; readonly total: number },
): string {
  if (list.length === 0) return nothing
  const things = list.filter(isThing)
  if (things.length === 0) return sentence(`There is ${joined(list.slice(0, 8).map(String))}`)
  const [first] = things
  if (things.length === 1 && first !== undefined)
    return total <= 1 ? describeThing(first, question) : describeOne(first)
  if (things.every((thing) => timeOf(thing) !== undefined)) return describeTimes(things)
  if (things.every((thing) => typeof thing.text === 'string')) return describeThing(things[0] ?? {}, question)
  const shown = things.slice(0, named).map(describePart)
  const rest = total - shown.length
  const more =
    rest <= 0 ? '' : ` There ${rest === 1 ? 'is one more' : `are ${rest} more`}; shall I go on, or narrow it down?`
  return `I found ${total}: ${joined(shown)}.${more}`
}

function describeTimes(things: readonly Thing[]): string {
  const shown = things.slice(0, named + 1).map(describeOne)
  const rest = things.length - shown.length
  return `${shown.join(' ')}${rest > 0 ? ` And ${rest} more after that.` : ''}`
}

/** One entry as a sentence of its own. */
function describeOne(thing: Thing): string {
  const time = timeOf(thing)
  const who = peopleOf(thing)
  const label = labelOf(thing)
  if (label === undefined) return sentence(figures(thing, ''))
  const place = textAt(thing, /^(?:room|location|place|hall|stage|venue)$/i)
  if (time === undefined && who === undefined) return sentence(describePart(thing))
  const day = textAt(thing, /^(?:day|date)$/i)
  const when = time === undefined ? '' : `At ${time}${day === undefined ? '' : ` on ${spokenDay(day)}`}, `
  const act =
    who === undefined ? `there is “${label}”` : `${who} ${who.includes(' and ') ? 'present' : 'presents'} “${label}”`
  return sentence(capital(`${when}${act}${place === undefined ? '' : ` in ${inThe(place)}`}`))
}

/** One entry as part of an enumeration. */
function describePart(thing: Thing): string {
  const label = labelOf(thing) ?? figures(thing, '')
  const colours = wordsAt(thing, /^colou?rs?$/i)
  const price = priceOf(thing)
  const role = [textAt(thing, /^(?:role|job_?title|position|title)$/i), textAt(thing, /^(?:company|organi[sz]ation)$/i)]
  const position = role.filter((each) => each !== undefined && each !== label)
  return [
    label,
    colours === undefined ? '' : ` in ${colours}`,
    price === undefined ? '' : ` for ${price}`,
    position.length === 0 || price !== undefined ? '' : ` (${position.join(', ')})`,
  ].join('')
}

function describeThing(thing: Thing, question: string): string {
  const label = labelOf(thing)
  const asked = fieldsAsked(thing, question)
  if (timeOf(thing) !== undefined && (asked.length === 0 || /\bwh(?:o|en)\b/i.test(question))) return describeOne(thing)
  const text = textAt(thing, /^(?:text|answer|body|content|summary|description|bio|abstract|message)$/i)
  if (label === undefined) return text === undefined ? sentence(figures(thing, question)) : shortened(text)
  if (asked.length > 0) {
    return sentence(`${label}: ${asked.map(([key, value]) => field(key, value, thing)).join(', ')}`)
  }
  if (typeof thing.text === 'string') return shortened(thing.text)
  return `${sentence(capital(describePart(thing)))}${text === undefined ? '' : ` ${shortened(text)}`}`
}

/** Which fields answer a question word. */
const questionWords: readonly (readonly [RegExp, RegExp])[] = [
  [/\bwhere\b|\baddress\b/i, /venue|address|city|location|place|room/i],
  [/\bwhen\b|\bdates?\b/i, /^starts?|^ends?|date|day|time/i],
  [/\bhow (?:big|large|wide|long|tall)\b|\bsize\b/i, /dimension|size|width|height|length/i],
  [/\bin stock\b|\bavailable\b/i, /stock|availab/i],
  [/\bmade of\b|\bmaterial\b/i, /material/i],
]

function fieldsAsked(thing: Thing, question: string): readonly (readonly [string, unknown])[] {
  const stems = stemsOf(question)
  return Object.entries(thing)
    .filter(([key, value]) => {
      if (!isScalar(value) || value === '' || /^(?:name|slug|id|currency)$/i.test(key)) return false
      if (questionWords.some(([asks, keys]) => asks.test(question) && keys.test(key))) return true
      return wordsOf(spaced(key)).some((word) => word.length > 3 && stems.has(stem(word)))
    })
    .slice(0, 3)
}

function field(key: string, value: unknown, thing: Thing): string {
  if (typeof value === 'boolean') return `${value ? '' : 'not '}${spaced(key)}`
  if (/price|cost|amount/i.test(key) && typeof value === 'number') return `${spaced(key)} ${money(value, key, thing)}`
  if (typeof value === 'string' && (value.length > 40 || value.toLowerCase().includes(spaced(key)))) {
    return shortened(value)
  }
  const text = typeof value === 'string' ? spokenDay(value) : String(value)
  return /^(?:venue|address|city|location|place)$/i.test(key) ? text : `${spaced(key)} ${text}`
}

/** "There are 42; the lowest price is 199." What was asked comes first. */
function figures(thing: Thing, question: string): string {
  const wanted = /cheap|lowest|least/i.test(question)
    ? /min|low|cheap/i
    : /expensive|highest|most/i.test(question)
      ? /max|high/i
      : undefined
  const scalars = Object.entries(thing).filter(([, value]) => isScalar(value))
  const asked = wanted === undefined ? [] : scalars.filter(([key]) => wanted.test(key))
  const counted = scalars.filter(([key]) => isTotal(key))
  const others = scalars.filter((entry) => !asked.includes(entry) && !counted.includes(entry))
  const wantsCount = /how many|number of/i.test(question)
  // Who asked for one figure gets it and nothing else.
  const exact = [...(wantsCount ? counted : []), ...asked]
  const order = exact.length > 0 ? exact : [...counted, ...others]
  const parts = order.slice(0, 4).map(([key, value]) => {
    if (isTotal(key) && typeof value === 'number') return value === 1 ? 'there is one' : `there are ${value}`
    const amount =
      typeof value === 'number' && /price|cost|amount/i.test(key) ? money(value, key, thing) : String(value)
    return `the ${figureName(key)} is ${amount}`
  })
  return parts.length === 0 ? 'That is done' : capital(joined(parts))
}

function figureName(key: string): string {
  return spaced(key)
    .replace(/\b(?:cents|minor)\b/, '')
    .replace(/\bmin\b/, 'lowest')
    .replace(/\bmax\b/, 'highest')
    .replace(/\bavg\b/, 'average')
    .trim()
}

function labelOf(thing: Thing): string | undefined {
  for (const pattern of [/^(?:name|display_?name|full_?name)$/i, /^(?:title|label|headline|subject)$/i]) {
    const text = textAt(thing, pattern)
    if (text !== undefined) return text
  }
  return undefined
}

function peopleOf(thing: Thing): string | undefined {
  const [, value] = Object.entries(thing).find(([key]) => /^(?:speakers?|presenters?|hosts?)$/i.test(key)) ?? []
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) return undefined
  const names = value.map((each) => (isThing(each) ? labelOf(each) : typeof each === 'string' ? each : undefined))
  const known = names.filter((each) => each !== undefined)
  return known.length === 0 ? undefined : joined(known)
}

function timeOf(thing: Thing): string | undefined {
  const text = textAt(thing, /^(?:starts?|starts?_?at|start_?time|time|at|begins?_?at)$/i)
  return text === undefined ? undefined : /(?:^|T)(\d{2}:\d{2})/.exec(text)?.[1]
}

function priceOf(thing: Thing): string | undefined {
  const [key, value] =
    Object.entries(thing).find(
      ([name, each]) => /^(?:price|cost|amount)(?:_?cents|_?minor)?$/i.test(name) && typeof each === 'number',
    ) ?? []
  return key === undefined || typeof value !== 'number' ? undefined : money(value, key, thing)
}

const currencies: Readonly<Record<string, string>> = { EUR: '€', USD: '$', GBP: '£' }

function money(value: number, key: string, thing: Thing): string {
  const amount = /cents|minor/i.test(key) ? value / 100 : value
  const code = typeof thing.currency === 'string' ? thing.currency.toUpperCase() : ''
  const digits = Number.isInteger(amount) ? String(amount) : amount.toFixed(2)
  const sign = currencies[code]
  return sign === undefined ? `${digits}${code === '' ? '' : ` ${code}`}` : `${sign}${digits}`
}

function wordsAt(thing: Thing, key: RegExp): string | undefined {
  const [, value] = Object.entries(thing).find(([name]) => key.test(name)) ?? []
  if (typeof value === 'string' && value !== '') return value
  if (!Array.isArray(value) || value.length === 0) return undefined
  return joined(value.slice(0, 3).map(String))
}

function textAt(thing: Thing, key: RegExp): string | undefined {
  const [, value] =
    Object.entries(thing).find(([name, each]) => key.test(name) && typeof each === 'string' && each !== '') ?? []
  return typeof value === 'string' ? value : undefined
}

/** Whole sentences, as many as fit. */
export function shortened(text: string): string {
  const plain = text.replace(/\s+/g, ' ').trim()
  if (plain.length <= longestText) return sentence(plain)
  const cut = plain.slice(0, longestText)
  const end = Math.max(cut.lastIndexOf('. '), cut.lastIndexOf('! '), cut.lastIndexOf('? '))
  return end > 60 ? cut.slice(0, end + 1) : `${cut.slice(0, cut.lastIndexOf(' '))}…`
}

function spokenDay(text: string): string {
  if (!/^\d{4}-\d{2}-\d{2}/.test(text)) return text
  const day = new Date(`${text.slice(0, 10)}T12:00:00Z`)
  return Number.isNaN(day.getTime())
    ? text
    : day.toLocaleDateString('en-GB', { weekday: 'long', day: 'numeric', month: 'long', timeZone: 'UTC' })
}

function inThe(place: string): string {
  return /^(?:main|big|small|great)\b/i.test(place) ? `the ${place}` : place
}

export function joined(parts: readonly string[]): string {
  if (parts.length < 2) return parts.join('')
  return `${parts.slice(0, -1).join(', ')} and ${parts.at(-1) ?? ''}`
}

function sentence(text: string): string {
  return /[.!?…]["”']?$/.test(text) ? text : `${text}.`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function isThing(value: unknown): value is Thing {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}
