// When something can be booked: opening hours that are local to a place, as instants. Pure. On the days when clocks change, a local
// time that does not exist is the moment after the gap, one that exists twice is the first of them.

/** What a booking resource says of its hours. */
export interface Hours {
  /** IANA name. */
  readonly timezone: string
  /** Weekdays as in ISO 8601; `to` may be 24:00, or earlier than `from`: of the next day then. */
  readonly hours: readonly { readonly weekdays: readonly number[]; readonly from: string; readonly to: string }[]
  /** `YYYY-MM-DD`, local. */
  readonly closedOn?: readonly string[] | undefined
  readonly isClosed?: boolean | undefined
}

/** Milliseconds since 1970; the end is not in it. */
export interface Span {
  readonly fromMs: number
  readonly toMs: number
}

export const minuteMs = 60_000
const dayMs = 86_400_000

const formats = new Map<string, Intl.DateTimeFormat>()

/** Undefined: there is no such zone. */
function formatOf(timezone: string): Intl.DateTimeFormat | undefined {
  const known = formats.get(timezone)
  if (known !== undefined) return known
  try {
    const format = new Intl.DateTimeFormat('en-CA', {
      ...{ timeZone: timezone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit' },
      ...{ hour: '2-digit', minute: '2-digit', second: '2-digit' },
    })
    // Names come from tenants' records: not kept without end.
    if (formats.size < 500) formats.set(timezone, format)
    return format
  } catch {
    return undefined
  }
}

export const isZone = (timezone: string): boolean => formatOf(timezone) !== undefined

/** What clocks there show, read as if it were UTC. An unknown zone is UTC. */
function shownMs(atMs: number, timezone: string): number {
  const format = formatOf(timezone)
  if (format === undefined) return atMs
  const parts = new Map(format.formatToParts(atMs).map((each) => [each.type, Number(each.value)]))
  const at = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? 0
  return Date.UTC(at('year'), at('month') - 1, at('day'), at('hour'), at('minute'), at('second'))
}

/** `2027-03-28T10:00:00` as clocks there show it. */
export const localText = (atMs: number, timezone: string): string =>
  new Date(shownMs(atMs, timezone)).toISOString().slice(0, 19)

/** `YYYY-MM-DD` there. */
export const dayOf = (atMs: number, timezone: string): string => localText(atMs, timezone).slice(0, 10)

/** The instant when clocks there show it. */
export function instantOf(day: string, minutes: number, timezone: string): number {
  const wanted = Date.parse(`${day}T00:00:00Z`) + minutes * minuteMs
  const floor = Math.floor(wanted / 1000) * 1000
  // Offsets a day before and after: at most one change lies between.
  const offsets = [wanted - dayMs, wanted + dayMs].map(
    (at) => shownMs(Math.floor(at / 1000) * 1000, timezone) - Math.floor(at / 1000) * 1000,
  )
  const tries = offsets.map((offset) => floor - offset).toSorted((a, b) => a - b)
  const exact = tries.find((at) => shownMs(at, timezone) === floor)
  return exact ?? Math.max(...tries)
}

export function nextDay(day: string, days = 1): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * dayMs).toISOString().slice(0, 10)
}

const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5))

/** ISO 8601: Monday is 1. */
const weekdayOf = (day: string): number => new Date(`${day}T00:00:00Z`).getUTCDay() || 7

/** Those that begin on this local day, in order. */
export function openingsOn({ timezone, hours, closedOn = [], isClosed }: Hours, day: string): readonly Span[] {
  if (isClosed === true || closedOn.includes(day)) return []
  return hours
    .filter((each) => each.weekdays.includes(weekdayOf(day)))
    .map(({ from, to }): Span => {
      const isNextDay = minutesOf(to) <= minutesOf(from)
      const toMs = instantOf(isNextDay ? nextDay(day) : day, minutesOf(to), timezone)
      return { fromMs: instantOf(day, minutesOf(from), timezone), toMs }
    })
    .filter((each) => each.fromMs < each.toMs)
    .toSorted((a, b) => a.fromMs - b.fromMs)
}

/** Whether it lies within one opening. */
export function isOpen(hours: Hours, { fromMs, toMs }: Span): boolean {
  const day = dayOf(fromMs, hours.timezone)
  return [nextDay(day, -1), day].some((each) =>
    openingsOn(hours, each).some((opening) => opening.fromMs <= fromMs && toMs <= opening.toMs),
  )
}

/** Of equal length, one after the other from the beginning of each opening, as long as they end within it. */
export function slotsOn(hours: Hours, day: string, slotMinutes: number): readonly Span[] {
  const lengthMs = slotMinutes * minuteMs
  return openingsOn(hours, day).flatMap(({ fromMs, toMs }) =>
    Array.from({ length: Math.max(0, Math.floor((toMs - fromMs) / lengthMs)) }, (_, i) => ({
      fromMs: fromMs + i * lengthMs,
      toMs: fromMs + (i + 1) * lengthMs,
    })),
  )
}

export const overlap = (a: Span, b: Span): boolean => a.fromMs < b.toMs && b.fromMs < a.toMs

/** An instant with its offset, or local time of the place (`2027-03-28T10:00`, `2027-03-28 10:00`). Undefined: neither. */
export function momentOf(text: string, timezone: string): number | undefined {
  const local = /^(\d{4}-\d{2}-\d{2})[T ]([01]\d|2[0-3]):([0-5]\d)(?::\d{2}(?:\.\d+)?)?$/.exec(text.trim())
  if (local?.[1] !== undefined) {
    const known = !Number.isNaN(Date.parse(`${local[1]}T00:00:00Z`))
    return known ? instantOf(local[1], Number(local[2]) * 60 + Number(local[3]), timezone) : undefined
  }
  const isInstant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})$/.test(text.trim())
  const at = isInstant ? Date.parse(text.trim()) : Number.NaN
  return Number.isNaN(at) ? undefined : at
}
