// Days of the filter. The API takes a beginning and an end that is not included; people mean both days.

export function nextDay(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10)
}

export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const day = new Date(`${text}T00:00:00Z`)
  // The 30th of February is taken for a day in March.
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
}
