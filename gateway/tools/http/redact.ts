// Secrets out of what comes back: a server may echo what it was sent, and a model repeats what it reads. Pure.

const mask = '[secret]'
/** A shorter one would be found in every other word. */
const shortest = 4
/** Deeper data is nobody's answer, and a stack's end. */
const mostLevels = 32

export interface Redactor {
  text(text: string): string
  /** Also in names of fields. What lies deeper than 32 levels is left out. */
  json(value: unknown): unknown
}

/** In every spelling in which an echo comes. */
export function createRedactor(secrets: readonly string[]): Redactor {
  const spellings = [...new Set(secrets.filter((each) => each.length >= shortest).flatMap(spellingsOf))]
  // The longest first: a spelling may contain another.
  spellings.sort((a, b) => b.length - a.length)
  const text = (given: string): string => spellings.reduce((rest, each) => rest.replaceAll(each, mask), given)
  const json = (value: unknown, level: number): unknown => {
    if (typeof value === 'string') return text(value)
    if (typeof value !== 'object' || value === null) return value
    if (level >= mostLevels) return null
    if (Array.isArray(value)) return value.map((each) => json(each, level + 1))
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [text(key), json(each, level + 1)]))
  }
  return { text, json: (value) => json(value, 0) }
}

function spellingsOf(secret: string): string[] {
  const bytes = Buffer.from(secret)
  const base64 = bytes.toString('base64')
  const encoded = [encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), bytes.toString('hex')]
  return [secret, ...encoded, base64, base64.replace(/=+$/, ''), bytes.toString('base64url')]
}
