// Values of a condition as people type them. Text stays text; what JSON reads as a number, true, false or null is that.

export type RuleValue = string | number | boolean | null

export function readValue(text: string): RuleValue {
  try {
    const value: unknown = JSON.parse(text)
    if (value === null || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string')
      return value
  } catch {
    // Not JSON: a word.
  }
  return text
}

/** A text that would be read as something else stands in quotes. */
export function writeValue(value: RuleValue): string {
  if (typeof value !== 'string') return String(value)
  return readValue(value) === value ? value : JSON.stringify(value)
}
