// Numbers and times as operators read them. Pure; the caller says what time it is.

import type { ReceiptLine } from '../../gateway/protocol/rest.ts'

const microPerCredit = 1_000_000
const fine = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 4 })
const coarse = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })
const four = new Intl.NumberFormat('en', { minimumFractionDigits: 4, maximumFractionDigits: 4 })
const whole = new Intl.NumberFormat('en')
const dayAndTime = new Intl.DateTimeFormat('en', {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
  timeZoneName: 'short',
})
const dayAndMinute = new Intl.DateTimeFormat('en', {
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
})
const dayOnly = new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric' })

/** Four decimals while they matter, two from a hundred credits on. */
export function credits(micro: number): string {
  if (micro > 0 && micro < 100) return '<0.0001'
  const format = Math.abs(micro) >= 100 * microPerCredit ? coarse : fine
  return format.format(micro / microPerCredit)
}

/** For columns and ticking figures: as many decimals in each row, so that points stand below each other. */
export function creditsColumn(micro: number): string {
  const format = Math.abs(micro) >= 1000 * microPerCredit ? coarse : four
  return format.format(micro / microPerCredit)
}

export function signedCredits(micro: number): string {
  return micro > 0 ? `+${creditsColumn(micro)}` : creditsColumn(micro)
}

export function usd(microUsd: number): string {
  return `$${fine.format(microUsd / 1_000_000)}`
}

export function count(value: number): string {
  return whole.format(value)
}

/** 7 → `0:07`, 3725 → `1:02:05`. */
export function clock(seconds: number): string {
  const total = Math.max(0, Math.floor(seconds))
  const hours = Math.floor(total / 3600)
  const minutes = Math.floor((total % 3600) / 60)
  const tail = String(total % 60).padStart(2, '0')
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`
}

/** For screen readers and totals: 3725 → `1 h 2 min`, 42 → `42 s`. */
export function spoken(seconds: number): string {
  const total = Math.max(0, Math.round(seconds))
  if (total < 60) return `${total} s`
  const hours = Math.floor(total / 3600)
  const minutes = Math.floor((total % 3600) / 60)
  if (hours > 0) return minutes > 0 ? `${hours} h ${minutes} min` : `${hours} h`
  return total % 60 > 0 && minutes < 10 ? `${minutes} min ${total % 60} s` : `${minutes} min`
}

/** 640 → `640 ms`, 2310 → `2.3 s`. */
export function latency(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** People feel a pause after about 0.8 s and talk over it after about 1.5 s. */
export function latencyTone(ms: number): 'good' | 'fair' | 'poor' {
  if (ms <= 800) return 'good'
  return ms <= 1500 ? 'fair' : 'poor'
}

export function absolute(iso: string): string {
  return dayAndTime.format(new Date(iso))
}

export function dayLabel(day: string): string {
  return dayOnly.format(new Date(`${day}T12:00:00`))
}

/** `just now`, `4 min ago`, `3 h ago`, `2 d ago`, then the date. */
export function relative(iso: string, nowMs: number): string {
  const seconds = Math.floor((nowMs - Date.parse(iso)) / 1000)
  if (Number.isNaN(seconds)) return '–'
  if (seconds < 45) return 'just now'
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`
  if (seconds < 7 * 86_400) return `${Math.floor(seconds / 86_400)} d ago`
  const date = new Date(iso)
  const sameYear = date.getFullYear() === new Date(nowMs).getFullYear()
  return sameYear ? dayAndMinute.format(date) : `${dayOnly.format(date)} ${date.getFullYear()}`
}

/** `ses_01HXYZ…9K` for narrow places; the whole id goes into a title. */
export function shortId(id: string): string {
  return id.length <= 12 ? id : `${id.slice(0, 6)}…${id.slice(-4)}`
}

/** Prices as people compare them: speech by the minute, tokens and characters by the million, the rest by the piece. */
export function price(line: ReceiptLine): string {
  const perMillion = line.priceMicroPerMillion / microPerCredit
  if (line.unit === 'second') return `${credits((line.priceMicroPerMillion * 60) / 1_000_000)} / min`
  if (line.unit === 'token') return `${fine.format(perMillion)} / 1M tokens`
  if (line.unit === 'character') return `${fine.format(perMillion)} / 1M characters`
  return `${credits(line.priceMicroPerMillion / 1_000_000)} / ${line.unit}`
}

export function quantity(line: ReceiptLine): string {
  const value = line.unit === 'second' ? Math.round(line.quantity * 10) / 10 : line.quantity
  return `${count(value)} ${line.unit}${value === 1 ? '' : 's'}`
}
