// Regular expressions of queries, translated from PCRE as far as JavaScript has the same.
import { BSONRegExp } from 'bson'
import { MongoErr } from './mongo-error.ts'

/** Compiles a pattern. Throws 2 for a non-string, 51108 for unknown options, 51091 for invalid patterns. */
export function toRegExp(pattern: unknown, options?: unknown): RegExp {
  const given = sourceOf(pattern)
  const letters = options ?? given.options
  if (typeof letters !== 'string') throw new MongoErr(2, '$options has to be a string')
  const flags = new Set<string>()
  for (const letter of letters) {
    if (!'ims'.includes(letter)) throw new MongoErr(51108, `regex option not supported: ${letter}`)
    flags.add(letter)
  }
  const inline = /^\(\?([ims]+)\)/.exec(given.source)
  for (const letter of inline?.[1] ?? '') flags.add(letter)
  try {
    return new RegExp(given.source.slice(inline?.[0].length ?? 0), [...flags].join(''))
  } catch (error) {
    throw new MongoErr(51091, `Regular expression is invalid: ${error instanceof Error ? error.message : ''}`)
  }
}

function sourceOf(pattern: unknown): { source: string; options: string } {
  if (pattern instanceof BSONRegExp) return { source: pattern.pattern, options: pattern.options }
  if (pattern instanceof RegExp) return { source: pattern.source, options: pattern.flags.replace(/[gu]/g, '') }
  if (typeof pattern === 'string') return { source: pattern, options: '' }
  throw new MongoErr(2, '$regex has to be a string')
}
