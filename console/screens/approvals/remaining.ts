/** Until when, as people count it: `23 h 12 min`, `4 min 30 s`, `12 s`, then `over`. */
export function remaining(until: string, nowMs: number): string {
  const seconds = Math.ceil((Date.parse(until) - nowMs) / 1000)
  if (!(seconds > 0)) return 'over'
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 10) return `${minutes} min ${seconds % 60} s`
  if (minutes < 60) return `${minutes} min`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** Below this a deadline is shown in red. */
const soonMs = 60 * 60_000

export function isSoon(until: string, nowMs: number): boolean {
  return Date.parse(until) - nowMs < soonMs
}
