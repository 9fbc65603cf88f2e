// Calendar days of a tenant's time zone. Pure.

import { Problem } from '../platform/problem.ts'

const formats = new Map<string, Intl.DateTimeFormat>()
/** There are some 600 zones, but a name may be spelled in capitals or not. */
const maxFormats = 1_000

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone)
  if (known !== undefined) return known
  try {
    const parts = { year: 'numeric', month: '2-digit', day: '2-digit' } as const
    const format = new Intl.DateTimeFormat('en-CA', { timeZone, calendar: 'iso8601', ...parts })
    if (formats.size >= maxFormats) formats.clear()
    formats.set(timeZone, format)
    return format
  } catch (error) {
    throw new Problem('invalid', 'That is no IANA time zone.', { cause: error })
  }
}

/** `2026-06-14` there at that time. Throws `invalid` for a zone nobody knows. */
export function dayIn(timeZone: string, at: Date): string {
  const parts = formatOf(timeZone).formatToParts(at)
  const part = (type: string) => parts.find((each) => each.type === type)?.value ?? ''
  return `${part('year')}-${part('month')}-${part('day')}`
}

/** No day has more: 24 h and the largest step of a clock, a date line crossed included. */
const longestDayMs = 50 * 3_600_000

/** The first moment of the next calendar day there. Searched for, because not every day begins at 00:00 or has 24 h. */
export function nextDayIn(timeZone: string, at: Date): Date {
  const today = dayIn(timeZone, at)
  let todayMs = at.getTime()
  let laterMs = todayMs + longestDayMs
  while (laterMs - todayMs > 1) {
    const middleMs = Math.floor((todayMs + laterMs) / 2)
    if (dayIn(timeZone, new Date(middleMs)) > today) laterMs = middleMs
    else todayMs = middleMs
  }
  return new Date(laterMs)
}
