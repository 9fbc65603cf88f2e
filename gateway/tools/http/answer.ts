// What a tool over HTTP answers: what its descriptor takes of the response. Pure.

import type { JsonObject, ToolResult } from '../tool.ts'
import type { HttpSpec } from './spec.ts'

/** As much of a text as somebody would read out, with room for what is left aside. */
const textChars = 8_000
/** What is told of a refusal: its reason, not its page. */
const reasonChars = 1_000

export interface HttpAnswer {
  readonly status: number
  /** JSON as a value, everything else as text. */
  readonly body: unknown
}

/** The value of a response's text: JSON where it is some. */
export function bodyOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export function resultOf({ status, body }: HttpAnswer, { response }: HttpSpec): ToolResult {
  if (status >= 400 || status < 200) return failed(status, body)
  const { pick, items } = response
  if (pick === undefined && items === undefined) return whole(body)
  return { ...(pick === undefined ? {} : pickedFrom(body, pick)), ...(items === undefined ? {} : listOf(body, items)) }
}

function failed(status: number, body: unknown): ToolResult {
  const text = typeof body === 'string' ? body : (JSON.stringify(body) ?? '')
  const error = { code: `http_${status}`, message: `The service answered with status ${status}.` }
  return text === '' ? { error } : { error, answer: text.slice(0, reasonChars) }
}

function whole(body: unknown): ToolResult {
  if (body === '') return { done: true }
  if (Array.isArray(body)) return { count: body.length, items: body }
  if (typeof body !== 'string') return { data: body }
  return body.length <= textChars ? { text: body } : { text: body.slice(0, textChars), cut: true }
}

function listOf(body: unknown, items: NonNullable<HttpSpec['response']['items']>): ToolResult {
  const found = at(body, items.at)
  const all = Array.isArray(found) ? found : []
  const { pick } = items
  const taken = all.slice(0, items.limit).map((each) => (pick === undefined ? each : pickedFrom(each, pick)))
  return { count: all.length, items: taken }
}

/** What is not there is left out. */
function pickedFrom(value: unknown, pick: Readonly<Record<string, string>>): JsonObject {
  return Object.fromEntries(
    Object.entries(pick)
      .map(([name, pointer]) => [name, at(value, pointer)])
      .filter(([, each]) => each !== undefined),
  )
}

/** RFC 6901; own fields only. */
function at(value: unknown, pointer: string): unknown {
  let here = value
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return undefined
    here = Reflect.get(here, key)
  }
  return here
}
