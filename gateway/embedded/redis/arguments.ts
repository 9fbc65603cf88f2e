// Reading command words: numbers, ranges, score bounds, glob patterns, option lists.

import { RedisError, syntaxError } from './command.ts'

/** 64-bit integers are refused above 2^53: losing a digit quietly would be worse than an error. */
export function integer(word: string): number {
  const value = /^[-+]?\d{1,19}$/.test(word) ? Number(word) : Number.NaN
  if (!Number.isSafeInteger(value)) throw new RedisError('ERR value is not an integer or out of range')
  return value
}

export function sum(left: number, right: number): number {
  const value = left + right
  if (!Number.isSafeInteger(value)) throw new RedisError('ERR increment or decrement would overflow')
  return value
}

export function float(word: string): number {
  const infinity = /^([-+]?)inf(inity)?$/i.exec(word)
  if (infinity !== null) return infinity[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  const value = word.trim() === '' ? Number.NaN : Number(word)
  if (Number.isNaN(value)) throw new RedisError('ERR value is not a valid float')
  return value
}

/** Shortest text of a double, integers without an exponent, as scores are printed. */
export function numberText(value: number): string {
  if (Number.isFinite(value)) return Number.isInteger(value) ? BigInt(value).toString() : String(value)
  return value > 0 ? 'inf' : value < 0 ? '-inf' : 'nan'
}

/** Result of an INCRBYFLOAT: 15 digits hide the binary rest, as Redis's long double does; never an exponent. */
export function floatText(value: number): string {
  if (!Number.isFinite(value)) throw new RedisError('ERR increment would produce NaN or Infinity')
  const rounded = Number.isInteger(value) ? value : Number(value.toPrecision(15))
  const text = numberText(rounded)
  return text.includes('e') ? rounded.toFixed(20).replace(/\.?0+$/, '') : text
}

/** The part of a sequence between two ranks, both inclusive, negative ranks counted from the end. */
export function rankRange(first: string, last: string): <T>(items: readonly T[]) => T[] {
  const start = integer(first)
  const end = integer(last)
  return (items) => {
    const from = start < 0 ? Math.max(0, items.length + start) : start
    return items.slice(from, Math.max(0, (end < 0 ? items.length + end : end) + 1))
  }
}

/** How many to take: never negative. */
export function amount(word: string): number {
  const value = /^\d+$/.test(word) ? integer(word) : -1
  if (value < 0) throw new RedisError('ERR value is out of range, must be positive')
  return value
}

/** Whether a score lies between two bounds; a leading "(" excludes the bound itself. */
export function scoreRange(low: string, high: string): (score: number) => boolean {
  const [least, openLow] = bound(low)
  const [most, openHigh] = bound(high)
  return (score) => (openLow ? score > least : score >= least) && (openHigh ? score < most : score <= most)
}

function bound(word: string): [value: number, open: boolean] {
  const open = word.startsWith('(')
  try {
    return [float(open ? word.slice(1) : word), open]
  } catch {
    throw new RedisError('ERR min or max is not a float')
  }
}

/** A Redis glob (`*`, `?`, `[a-c]`, `[^a]`, backslash) as an anchored expression. */
export function glob(pattern: string): RegExp {
  let source = ''
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern.charAt(i)
    const close = char === '[' ? pattern.indexOf(']', i + 1) : -1
    if (char === '*') source += '[\\s\\S]*'
    else if (char === '?') source += '[\\s\\S]'
    else if (close > i + 1) {
      source += `[${pattern.slice(i + 1, close).replace(/[\\\]]/g, '\\$&')}]`
      i = close
    } else source += literal(char === '\\' && i + 1 < pattern.length ? pattern.charAt(++i) : char)
  }
  return new RegExp(`^${source}$`)
}

function literal(char: string): string {
  return char.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}

/** Pairs of words; a word left over is an error. */
export function pairs(words: readonly string[]): [string, string][] {
  if (words.length % 2 !== 0) throw syntaxError()
  const found: [string, string][] = []
  for (let i = 0; i < words.length; i += 2) found.push([words[i] ?? '', words[i + 1] ?? ''])
  return found
}

/** One whole pass answers every scan: cursor 0 back, all matches at once, COUNT is only a hint. */
export function scanned(options: readonly string[], items: Iterable<string>): string[] {
  let matches: RegExp | undefined
  for (const [name, value] of pairs(options)) {
    if (name.toLowerCase() === 'match') matches = glob(value)
    else if (name.toLowerCase() !== 'count') throw syntaxError()
  }
  const found: string[] = []
  for (const item of items) if (matches === undefined || matches.test(item)) found.push(item)
  return found
}
