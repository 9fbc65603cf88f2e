// What an entity is found by: the words of its fields and their beginnings. Pure.

/** Beginnings of a word that have an entry of their own: a search reads the longest one that fits, in order, as far as needed. */
const beginnings = [1, 2, 3, 5, 8] as const
const maxWords = 400
const maxWordChars = 40
/** Of one text; what stands behind is not found. */
const maxTextChars = 20_000
/** Longer values are compared, not looked up. */
const maxValueChars = 100

export interface SearchTokens {
  /** Beginnings of words (`~so`) and values of fields (`=data.status:"open"`): indexed. */
  readonly tokens: string[]
  /** `field:word`, for what the beginnings leave open and for callers who do not see every field. */
  readonly words: string[]
}

/** Lower-case, without accents, no repeats. */
export function wordsIn(text: string): string[] {
  const plain = text.slice(0, maxTextChars).normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  const words = plain.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '')
  return [...new Set(words.map((word) => [...word].slice(0, maxWordChars).join('')))]
}

/** `fields`: the paths inside the data that are searched; undefined: every text there is. `values`: declared ones. */
export function tokensOf(data: object, fields: readonly string[] | undefined, values: Iterable<string>): SearchTokens {
  const found = fields === undefined ? allTexts(data, '') : fields.flatMap((path) => textsAt(data, path))
  const words = new Set<string>()
  const tokens = new Set<string>()
  for (const { path, text } of found)
    for (const word of wordsIn(text)) {
      if (words.size >= maxWords) break
      words.add(`${path}:${word}`)
      for (const each of beginningsOf(word)) tokens.add(each)
    }
  for (const path of values)
    for (const value of valuesAt(data, path)) if (hasToken(value)) tokens.add(valueToken(path, value))
  return { tokens: [...tokens], words: [...words] }
}

const beginningsOf = (word: string): string[] => {
  const letters = [...word]
  return beginnings
    .filter((length) => length <= letters.length)
    .map((length) => `~${letters.slice(0, length).join('')}`)
}

type Scalar = string | number | boolean

export const valueToken = (path: string, value: Scalar): string => `=${path}:${JSON.stringify(value)}`

/** Whether a value can be looked up. */
export const hasToken = (value: unknown): value is Scalar =>
  typeof value === 'boolean' ||
  typeof value === 'number' ||
  (typeof value === 'string' && value.length <= maxValueChars)

/** For one word of a search: the entry that is looked up, and whether it says less than the word. */
export function beginningOf(word: string): { readonly token: string; readonly isWhole: boolean } {
  const letters = [...word]
  const length = beginnings.findLast((each) => each <= letters.length) ?? 1
  return { token: `~${letters.slice(0, length).join('')}`, isWhole: length === letters.length }
}

interface Found {
  readonly path: string
  readonly text: string
}

function allTexts(value: unknown, path: string): Found[] {
  if (typeof value === 'string') return [{ path, text: value }]
  if (Array.isArray(value)) return value.flatMap((each) => allTexts(each, path))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, each]) => allTexts(each, path === '' ? name : `${path}.${name}`))
}

const textsAt = (data: object, path: string): Found[] =>
  valuesAt(data, path).flatMap((text) => (typeof text === 'string' ? [{ path, text }] : []))

/** Lists on the way and at the end are gone through. */
export function valuesAt(data: object, path: string): unknown[] {
  let level: unknown[] = [data]
  for (const part of path.split('.'))
    level = level
      .flat()
      .flatMap((each) =>
        typeof each === 'object' && each !== null && Object.hasOwn(each, part) ? [Reflect.get(each, part)] : [],
      )
  return level.flat()
}
