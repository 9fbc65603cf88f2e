import type { UsageDay } from '../../../gateway/protocol/rest.ts'

export interface DayTotal {
  /** `2026-06-15`, UTC as the gateway counts it. */
  readonly day: string
  readonly sessions: number
  readonly seconds: number
  readonly creditsMicro: number
}

/** The last `length` days ending with `nowMs`, oldest first. */
export function lastDays(nowMs: number, length: number): readonly string[] {
  return Array.from({ length }, (_, at) => new Date(nowMs - (length - 1 - at) * 86_400_000).toISOString().slice(0, 10))
}

/** One total per day over all channels and agents; days without talk are zero, not missing. */
export function byDay(days: readonly string[], usage: readonly UsageDay[]): readonly DayTotal[] {
  const totals = new Map<string, DayTotal>(days.map((day) => [day, { day, sessions: 0, seconds: 0, creditsMicro: 0 }]))
  for (const row of usage) {
    const total = totals.get(row.day)
    if (total === undefined) continue
    totals.set(row.day, {
      day: row.day,
      sessions: total.sessions + row.sessions,
      seconds: total.seconds + row.seconds,
      creditsMicro: total.creditsMicro + row.creditsMicro,
    })
  }
  return [...totals.values()]
}

/** How long the credit lasts at the pace of these days; null when nothing was used. */
export function daysLeft(availableMicro: number, totals: readonly DayTotal[]): number | null {
  const usedMicro = totals.reduce((sum, total) => sum + total.creditsMicro, 0)
  if (usedMicro <= 0 || totals.length === 0) return null
  return Math.max(0, Math.floor(availableMicro / (usedMicro / totals.length)))
}
