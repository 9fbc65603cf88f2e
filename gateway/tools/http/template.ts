// Arguments in their places. `{name}` stands for an argument; what names one that was not given is left out, except in a
// path, where nothing can be. Pure.

import { Problem } from '../../platform/problem.ts'
import type { JsonObject } from '../tool.ts'

const placeholder = /\{([A-Za-z_]\w{0,63})\}/g
const alone = /^\{([A-Za-z_]\w{0,63})\}$/

/** Names in any text of the value, without repeats. */
export function placeholdersIn(value: unknown): string[] {
  if (typeof value === 'string') return [...new Set([...value.matchAll(placeholder)].map(([, name = '']) => name))]
  if (typeof value !== 'object' || value === null) return []
  return [...new Set(Object.values(value).flatMap(placeholdersIn))]
}

/** Undefined: it names an argument that was not given. */
export function filled(text: string, args: JsonObject, encode: (value: string) => string): string | undefined {
  if (placeholdersIn(text).some((name) => given(args, name) === undefined)) return undefined
  return text.replace(placeholder, (_, name: string) => encode(textOf(given(args, name))))
}

/** A text that is nothing but a placeholder becomes the argument itself: a number stays one. */
export function filledJson(value: unknown, args: JsonObject): unknown {
  if (typeof value === 'string') {
    const [, name] = alone.exec(value) ?? []
    return name === undefined ? filled(value, args, (text) => text) : given(args, name)
  }
  if (Array.isArray(value)) return value.map((each) => filledJson(each, args)).filter((each) => each !== undefined)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, each]) => [key, filledJson(each, args)])
      .filter(([, each]) => each !== undefined),
  )
}

/** Every argument stays within its segment, also for servers that unpack `%2F` before they look. Throws `invalid`. */
export function filledPath(path: string, args: JsonObject): string {
  return path
    .split('/')
    .map((segment) => {
      const names = placeholdersIn(segment)
      if (names.length === 0) return segment
      for (const name of names) {
        if (!isPlain(textOf(given(args, name) ?? ''))) throw wrong(name)
      }
      const text = filled(segment, args, encodeURIComponent)
      if (text === undefined || /^(\.|%2e){1,2}$/i.test(text)) throw wrong(names[0])
      return text
    })
    .join('/')
}

const wrong = (name: string | undefined): Problem =>
  new Problem('invalid', `${name ?? 'An argument'} cannot stand in a path.`)

function isPlain(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not be there
  return text !== '' && !/[\x00-\x1f\x7f]/.test(text) && !/(^|[\\/])\.{1,2}([\\/]|$)/.test(text)
}

function given(args: JsonObject, name: string): unknown {
  return Object.hasOwn(args, name) ? args[name] : undefined
}

/** Lists as people write them. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(',')
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}
